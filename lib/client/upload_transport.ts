/** How a page sends a file: XMLHttpRequest tells how much has left, which `fetch` cannot. In the browser alone. */
import { api, ApiError } from "./api.ts";
import { based } from "./base.ts";
import { contentHref } from "../storage/volume_page.ts";
import type { Sending, Uploaded, UploadTransport } from "./upload.ts";

const unreachable = () => new ApiError("Unreachable", "KVM Manager does not answer. Is it still running?");

function answerOf(request: XMLHttpRequest): Uploaded {
  let body: unknown;
  try {
    body = JSON.parse(request.responseText);
  } catch {
    throw new ApiError(
      "BadAnswer",
      `KVM Manager answered with something that is not JSON (HTTP ${request.status})`,
    );
  }
  if (request.status === 200) return body as Uploaded;
  const { code = "Internal", message = `HTTP ${request.status}`, details } = (body ?? {}) as {
    code?: string;
    message?: string;
    details?: unknown;
  };
  throw new ApiError(code, message, details, request.status);
}

function send(
  { pool, name, file, checksum }: Sending,
  offset: number,
  onSent: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Uploaded> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const end = () => request.abort();
    signal.addEventListener("abort", end);
    request.upload.onprogress = ({ loaded }) => onSent(loaded);
    request.onerror = request.ontimeout = () => reject(unreachable());
    request.onabort = () => reject(signal.reason);
    request.onload = () => {
      try {
        resolve(answerOf(request));
      } catch (error) {
        reject(error);
      }
    };
    request.onloadend = () => signal.removeEventListener("abort", end);
    const query = checksum === "" ? "" : `?checksum=${encodeURIComponent(checksum)}`;
    request.open("PUT", based(contentHref(pool, name) + query));
    request.setRequestHeader("content-type", "application/octet-stream");
    request.setRequestHeader("content-range", `bytes ${offset}-${file.size - 1}/${file.size}`);
    request.send(file.slice(offset));
  });
}

/** The page's own. */
export const uploadTransport: UploadTransport = {
  send,
  offset: async ({ pool, name }) => (await api.getUpload({ pool, volume: name })).offset,
  job: async ({ pool, name }) =>
    (await api.listJobs({ limit: 50 })).find(({ command, subject }) =>
      command === "upload_volume" && subject === `${pool}/${name}`
    ),
  wait: (ms, signal) =>
    new Promise((resolve, reject) => {
      const stop = () => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", stop);
        resolve();
      }, ms);
      signal.addEventListener("abort", stop, { once: true });
    }),
  now: () => performance.now(),
};
