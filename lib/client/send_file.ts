/** How a page sends the content of a file: XMLHttpRequest tells how much has left, which `fetch` cannot. In the browser alone. */
import { ApiError } from "./api.ts";

const unreachable = () => new ApiError("Unreachable", "KVM Manager does not answer. Is it still running?");

function answerOf(request: XMLHttpRequest): unknown {
  let body: unknown;
  try {
    body = JSON.parse(request.responseText);
  } catch {
    throw new ApiError(
      "BadAnswer",
      `KVM Manager answered with something that is not JSON (HTTP ${request.status})`,
    );
  }
  if (request.status === 200) return body;
  const { code = "Internal", message = `HTTP ${request.status}`, details } = (body ?? {}) as {
    code?: string;
    message?: string;
    details?: unknown;
  };
  throw new ApiError(code, message, details, request.status);
}

/**
 * Puts a content to an address.
 *
 * @param onSent is told how many bytes have left
 * @throws {ApiError} why it was refused; `Unreachable` when the connection broke @throws the signal's reason
 */
export function sendFile(
  href: string,
  content: Blob,
  { headers = {}, onSent, signal }: {
    readonly headers?: Readonly<Record<string, string>>;
    readonly onSent: (bytes: number) => void;
    readonly signal: AbortSignal;
  },
): Promise<unknown> {
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
    request.open("PUT", href);
    request.setRequestHeader("content-type", "application/octet-stream");
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.send(content);
  });
}
