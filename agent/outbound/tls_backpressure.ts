/**
 * Backpressure through TLS. When the reader of a TLS connection pauses, Deno (2.9, since denoland/deno#33524) goes on
 * reading from the socket below and keeps what it decrypts, without bound: a client whose upload is faster than the
 * storage would fill the memory. So the socket is stopped and started with its reader.
 */
import type { TLSSocket } from "node:tls";

/** Reader of a connection below the streams, of node:net and of node:tls alike. 0 is success. */
interface Handle {
  readStart(): number;
  readStop(): number;
}

function isHandle(value: unknown): value is Handle {
  return typeof value === "object" && value !== null && "readStart" in value && "readStop" in value;
}

/**
 * Makes the socket below a TLS connection stop and start with it, from now on: after the handshake, which reads on its
 * own.
 *
 * @returns false when this Deno keeps the socket elsewhere, so that nothing was changed
 */
export function propagateBackpressure(connection: TLSSocket): boolean {
  const handle: unknown = Reflect.get(connection, "_handle");
  const below: unknown = isHandle(handle) ? Reflect.get(handle, "_parent") : undefined;
  if (!isHandle(handle) || !isHandle(below)) return false;
  const { readStart, readStop } = handle;
  handle.readStop = () => readStop.call(handle) || below.readStop();
  handle.readStart = () => below.readStart() || readStart.call(handle);
  return true;
}
