/** A line of a migration: a UNIX socket on this side, a WebSocket to the other host. Whichever end closes first ends both. */
import { messageOf } from "../../../lib/text/message.ts";
import { writeAll } from "../../../lib/write_all.ts";
import type { Farewell, WebSocketConnection } from "../../http/websocket_connection.ts";
import { log } from "../../log.ts";

/** Bytes that are read at once. */
const PIECE = 256 * 1024;
/** Milliseconds in which the other host takes what was sent last, and says goodbye. */
const LAST_MS = 30_000;

export const LINE_DONE: Farewell = { code: 1000, reason: "" };

/** Copies the socket's bytes to the other host. Ends once all of it is on its way. */
async function send(socket: Deno.Conn, peer: WebSocketConnection): Promise<void> {
  for (;;) {
    const piece = new Uint8Array(PIECE), length = await socket.read(piece);
    if (length === null) return;
    if (!await peer.send(piece.subarray(0, length))) return;
  }
}

/** Copies the other host's bytes to the socket. @param check throws for bytes that must not pass */
async function receive(
  peer: WebSocketConnection,
  socket: Deno.Conn,
  check: (piece: Uint8Array) => void,
): Promise<void> {
  for await (const message of peer.messages()) {
    if (typeof message === "string") throw new TypeError("a line carries bytes, and got text");
    check(message);
    await writeAll(socket, message);
  }
}

/**
 * Carries bytes both ways until one end closes, which closes the other.
 *
 * @param check is given what the other host says, before it is passed on, and throws for what must not be
 */
export async function relay(
  socket: Deno.Conn,
  peer: WebSocketConnection,
  check: (piece: Uint8Array) => void = () => {},
): Promise<void> {
  const close = () => {
    try {
      socket.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  };
  peer.gone.addEventListener("abort", close, { once: true });
  try {
    await Promise.race([send(socket, peer), receive(peer, socket, check)]);
  } catch (error) {
    if (!peer.gone.aborted) log.info("a line of a migration was cut", { error: messageOf(error) });
  } finally {
    peer.close(LINE_DONE, LAST_MS);
    if (!peer.gone.aborted) {
      await new Promise<void>((resolve) =>
        peer.gone.addEventListener("abort", () => resolve(), { once: true })
      );
    }
    close();
  }
}
