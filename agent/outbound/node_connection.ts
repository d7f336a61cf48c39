/** Connections and requests by Node's sockets: TLS whose certificate is compared, bodies of known length. */
import { createHash } from "node:crypto";
import { type IncomingMessage, request as httpRequest, type RequestOptions } from "node:http";
import { type Duplex, Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { TLSSocket } from "node:tls";

/** Milliseconds a connection may take to come about. */
const CONNECT_MS = 15_000;

/** Waits until a socket is connected. @param event that says so @throws what the system or TLS says */
export async function connected<S extends Duplex>(socket: S, event: string, ms = CONNECT_MS): Promise<S> {
  const { promise, resolve, reject } = Promise.withResolvers<S>();
  const timer = setTimeout(() => reject(new Error("it took too long")), ms);
  socket.once(event, () => resolve(socket));
  socket.once("error", reject);
  try {
    return await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
    socket.removeListener("error", reject);
    // Whoever uses the line listens themselves; one that breaks between must not end the program.
    socket.on("error", () => {});
  }
}

/** SHA-256 of the certificate a server shows, in hexadecimal digits. */
export const shownCertificate = (socket: TLSSocket): string =>
  createHash("sha256").update(socket.getPeerCertificate().raw ?? "").digest("hex");

/**
 * The body of an answer. (Tried on Deno 2.9: `Readable.toWeb` now and then never ends.)
 *
 * @param end ends the request, when the reader stops: whoever sends it learns of that
 * @param signal of the request: to Node, a body without a length is whole when it was aborted
 */
function bodyOf(
  message: IncomingMessage,
  end: () => void,
  signal: AbortSignal | undefined,
): ReadableStream<Uint8Array> {
  const pieces = message[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return new ReadableStream({
    pull: async (controller) => {
      const { done, value } = await pieces.next();
      if (done && signal?.aborted) controller.error(signal.reason);
      else if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: () => end(),
  }, { highWaterMark: 0 });
}

/** Statuses of answers that have no body. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);

/** An answer as the web's. @param end, signal as {@link bodyOf} has them @throws {Error} for a status that no answer has */
function responseOf(message: IncomingMessage, end: () => void, signal: AbortSignal | undefined): Response {
  const { statusCode: status = 0 } = message;
  if (status < 200 || status > 599) throw new Error(`it answers with HTTP ${status}, which is no status`);
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    for (const each of [value ?? []].flat()) headers.append(name, each);
  }
  const body = WITHOUT_BODY.has(status) ? null : bodyOf(message, end, signal);
  return new Response(body, { status, headers });
}

/** Methods that change nothing: a request may be sent again. */
const REPEATABLE: ReadonlySet<string> = new Set(["GET", "HEAD"]);

/** @property repeatable it changes nothing, whatever its method is: it may be sent again */
export type SentOptions = RequestOptions & { readonly repeatable?: boolean };

/** Sends a request; one that may change something is sent once. @throws what the system or TLS says; the signal's reason */
export async function sendRequest(
  { method = "GET", repeatable = REPEATABLE.has(method), ...options }: SentOptions,
  body?: string | Uint8Array | ReadableStream<Uint8Array>,
): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  const end = () => void asked.destroy();
  const asked = httpRequest({ ...options, method }, (message) => {
    // What is thrown to an emitter of events ends the program
    try {
      resolve(responseOf(message, end, options.signal));
    } catch (error) {
      reject(error);
      end();
    }
  });
  // Where a connection that was kept breaks, Deno 2.9 sends the request again, whether it was carried out or not
  if (!repeatable) asked.once("socket", () => asked.reusedSocket = false);
  // Without a listener, such an answer is dropped and the request waits on
  asked.once("upgrade", (_message, socket) => {
    reject(new Error("it changes to a protocol that was not asked for"));
    socket.destroy();
  });
  asked.on("error", reject);
  if (body instanceof ReadableStream) {
    // The server may answer, and hang up, before it has taken everything: its answer is what counts.
    pipeline(Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]), asked).catch(reject);
  } else asked.end(body);
  return await promise;
}
