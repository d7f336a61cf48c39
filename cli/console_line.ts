/** A VM's serial line in a terminal: over the server's socket or from elsewhere, until one of the two ends it. */
// @ts-types="@types/ws"
import type { RawData, WebSocket } from "ws";
import { opened, webSocketOn } from "../agent/outbound/web_socket.ts";
import { ApiError } from "../lib/client/api.ts";
import { CONSOLE_CLOSE, type ConsoleTicket } from "../lib/contract/mod.ts";
import { messageOf } from "../lib/text/message.ts";
import { ClipboardFilter } from "./clipboard_filter.ts";
import { ConsoleKeys } from "./console_keys.ts";
import type { Server } from "./connect/server.ts";

/**
 * Escape sequences that reset terminal modes a guest may have set: mouse, paste, the alternate screen, a hidden cursor.
 */
const RESTORE = "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0m\x1b(B";

/** Bytes that may wait for the server; then typing waits. */
const UNSENT = 1024 * 1024;
/** Milliseconds the goodbye may take. */
const GOODBYE_MS = 1000;

/** How it ended. */
export interface Ending {
  readonly code: number;
  /** Reason given by the server; empty if the user left. */
  readonly reason: string;
}

/** Bytes typed into the terminal, which is in raw mode: pieces until its end. */
export type Typing = AsyncIterable<Uint8Array>;

/** Opens the WebSocket of a ticket. @throws {ApiError} Unreachable */
export async function openLine(server: Server, { path, ticket }: ConsoleTicket): Promise<WebSocket> {
  const { line: connection, headers } = await server.line();
  const socket = webSocketOn(connection, { base: new URL(server.base), path, ticket }, headers);
  try {
    await opened(socket);
  } catch (error) {
    throw new ApiError("Unreachable", messageOf(error));
  }
  return socket;
}

/** Writes whole pieces, in order. */
function writeAll(bytes: Uint8Array): void {
  // Without waiting: a terminal that does not take it holds the server's bytes back by itself.
  for (let at = 0; at < bytes.length;) at += Deno.stdout.writeSync(bytes.subarray(at));
}

/**
 * Lets a terminal and a line talk until one of them ends, and says goodbye, so that the line is free at once. What the guest
 * switched on in the terminal is off afterwards, whatever happened.
 */
export async function talk(line: WebSocket, typing: Typing): Promise<Ending> {
  const over = Promise.withResolvers<Ending>();
  const filter = new ClipboardFilter();
  line.on("message", (data: RawData) => writeAll(filter.read(data as unknown as Uint8Array)));
  line.once("close", (code, reason) => over.resolve({ code, reason: reason.toString() }));
  line.on("error", (error) => over.resolve({ code: 1006, reason: error.message }));
  const leave = () => over.resolve({ code: CONSOLE_CLOSE.done, reason: "" });
  const signals = ["SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, leave);
  try {
    send(line, typing, leave).catch((error) => over.resolve({ code: 1, reason: String(error) }));
    const ending = await over.promise;
    await close(line);
    return ending;
  } finally {
    writeAll(new TextEncoder().encode(RESTORE));
    for (const signal of signals) Deno.removeSignalListener(signal, leave);
  }
}

/** Sends what is typed, until its end or the key that leaves. */
async function send(line: WebSocket, typing: Typing, leave: () => void): Promise<void> {
  const keys = new ConsoleKeys();
  for await (const bytes of typing) {
    const { send, leave: isLeaving } = keys.read(bytes);
    if (send.length > 0 && line.readyState === line.OPEN) line.send(send);
    if (isLeaving) break;
    while (line.bufferedAmount > UNSENT) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  leave();
}

async function close(line: WebSocket): Promise<void> {
  if (line.readyState === line.CLOSED) return;
  const closed = new Promise<void>((resolve) => line.once("close", () => resolve()));
  line.close(CONSOLE_CLOSE.done);
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS))]);
  line.terminate();
}
