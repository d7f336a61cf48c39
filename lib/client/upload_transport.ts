/** How a page uploads a volume. In the browser alone. */
import { api } from "./api.ts";
import { based } from "./base.ts";
import { sendFile } from "./send_file.ts";
import { volumeContentHref } from "../storage/volume_page.ts";
import type { Sending, Uploaded, UploadTransport } from "./upload.ts";

async function send(
  { pool, name, file, checksum, keepPacked = false }: Sending,
  offset: number,
  onSent: (bytes: number) => void,
  signal: AbortSignal,
): Promise<Uploaded> {
  const query = new URLSearchParams({
    ...(checksum !== "" && { checksum }),
    ...(keepPacked && { unpack: "never" }),
  });
  const headers = { "content-range": `bytes ${offset}-${file.size - 1}/${file.size}` };
  const href = based(volumeContentHref(pool, name) + (query.size === 0 ? "" : `?${query}`));
  return await sendFile(href, file.slice(offset), { headers, onSent, signal }) as Uploaded;
}

/** The page's own. */
export const uploadTransport: UploadTransport = {
  send,
  state: ({ pool, name }) => api.getUpload({ pool, volume: name }),
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
