/** `kvm-manager console NAME`: a VM's serial line in a terminal, over the server's socket or from elsewhere. */
// @ts-types="@types/ws"
import type { RawData, WebSocket } from "ws";
import { opened, webSocketOn } from "../agent/outbound/web_socket.ts";
import { ApiError } from "../lib/client/api.ts";
import { CONSOLE_CLOSE, type ConsoleTicket } from "../lib/contract/mod.ts";
import { messageOf } from "../lib/text/message.ts";
import { ClipboardFilter } from "./clipboard_filter.ts";
import { ConsoleKeys } from "./console_keys.ts";
import { type Server, serverOf } from "./connect/server.ts";
import { TARGET_OPTIONS, targetOf, type TargetValues } from "./connect/target.ts";
import { parsed } from "./arguments.ts";
import { listed } from "./text.ts";
import { targetRows } from "./verb/help.ts";
import { withIds } from "./verb/resolve_ids.ts";
import { failed } from "./verb/failure.ts";
import { UsageError } from "./verb/values.ts";

export const CONSOLE_HELP = () =>
  [
    "Usage: kvm-manager console NAME|UUID [--line N] [--force] [OPTIONS]",
    "",
    "Opens a VM's serial console in this terminal. Ctrl+a t leaves it, Ctrl+a a sends Ctrl+a.",
    "Nothing to see? Press Enter. A serial line has no size: stty rows ROWS cols COLUMNS tells the guest's shell yours.",
    "",
    "  --line N of several serial lines this one, from 0; the first that can be opened when left out",
    "  --force  take the console over from another session",
    "",
    "Exit status: 0 left, or the VM stopped; 2 wrong usage; 3 the server is away; 4 no such VM;",
    "5 the VM is off, has no serial line, or another session has (or took) the console; 1 any other.",
    "",
    "Which server:",
    ...listed(targetRows()),
  ].join("\n");

/** What a guest may have switched on in the terminal, switched off: mouse, pasting, the other screen, a hidden cursor. */
const RESTORE = "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[?1049l\x1b[?25h\x1b[0m\x1b(B";

/** Exit status by the server's close code. */
const STATUS: Readonly<Record<number, number>> = {
  [CONSOLE_CLOSE.done]: 0,
  [CONSOLE_CLOSE.vmStopped]: 0,
  [CONSOLE_CLOSE.inUse]: 5,
  [CONSOLE_CLOSE.takenOver]: 5,
  [CONSOLE_CLOSE.revoked]: 6,
  // Going away (the server stops) and no goodbye at all: RFC 6455, 7.4.1
  1001: 3,
  1006: 3,
};

/** Bytes that may wait for the server; then typing waits. */
const UNSENT = 1024 * 1024;
/** Milliseconds the goodbye may take. */
const GOODBYE_MS = 1000;

interface Ending {
  readonly code: number;
  readonly reason: string;
}

/** Opens the WebSocket of a ticket. @throws {ApiError} Unreachable */
async function openSocket(server: Server, { path, ticket }: ConsoleTicket): Promise<WebSocket> {
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

/** Lets a terminal and a line talk until one of them ends. The terminal is as it was afterwards, whatever happened. */
async function talk(line: WebSocket): Promise<Ending> {
  const over = Promise.withResolvers<Ending>();
  const filter = new ClipboardFilter();
  line.on("message", (data: RawData) => writeAll(filter.read(data as unknown as Uint8Array)));
  line.once("close", (code, reason) => over.resolve({ code, reason: reason.toString() }));
  line.on("error", (error) => over.resolve({ code: 1006, reason: error.message }));
  const leave = () => over.resolve({ code: CONSOLE_CLOSE.done, reason: "" });
  const signals = ["SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) Deno.addSignalListener(signal, leave);
  Deno.stdin.setRaw(true);
  try {
    const keys = new ConsoleKeys();
    const typing = (async () => {
      const buffer = new Uint8Array(16 * 1024);
      for (;;) {
        const count = await Deno.stdin.read(buffer);
        if (count === null) return leave();
        const { send, leave: isLeaving } = keys.read(buffer.subarray(0, count));
        if (send.length > 0 && line.readyState === line.OPEN) line.send(send);
        if (isLeaving) return leave();
        while (line.bufferedAmount > UNSENT) await new Promise((resolve) => setTimeout(resolve, 20));
      }
    })();
    typing.catch((error) => over.resolve({ code: 1, reason: String(error) }));
    return await over.promise;
  } finally {
    Deno.stdin.setRaw(false);
    writeAll(new TextEncoder().encode(RESTORE));
    for (const signal of signals) Deno.removeSignalListener(signal, leave);
  }
}

/** Says goodbye, so that the line is free at once. */
async function close(line: WebSocket): Promise<void> {
  if (line.readyState === line.CLOSED) return;
  const closed = new Promise<void>((resolve) => line.once("close", () => resolve()));
  line.close(CONSOLE_CLOSE.done);
  await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS))]);
  line.terminate();
}

/** Reads its arguments. @throws {UsageError} */
export function readConsole(
  args: readonly string[],
): { name: string; force: boolean; line: number | undefined; target: TargetValues } {
  const { positionals, values } = parsed(args, {
    ...TARGET_OPTIONS,
    force: { type: "boolean" },
    line: { type: "string" },
  });
  if (values.line !== undefined && !/^\d{1,2}$/.test(values.line)) {
    throw new UsageError("--line must be the number of a serial line, from 0");
  }
  if (positionals.length !== 1) throw new UsageError("give one VM's name or UUID");
  const line = values.line === undefined ? undefined : Number(values.line);
  return { name: positionals[0]!, force: values.force ?? false, line, target: values };
}

/** Opens a console; gives the exit status. */
export async function consoleCommand(args: readonly string[]): Promise<number> {
  try {
    const { name, force, line: wanted, target } = readConsole(args);
    if (!Deno.stdin.isTerminal() || !Deno.stdout.isTerminal()) throw new UsageError("this needs a terminal");
    const server = serverOf(await targetOf(target));
    const input = await withIds(server, {
      ...{ vmId: name, kind: "serial", force },
      ...(wanted !== undefined && { line: wanted }),
    });
    const line = await openSocket(server, await server.call("open_console", input) as ConsoleTicket);
    console.error(`Connected to ${JSON.stringify(name)}. Ctrl+a t leaves; nothing to see? Press Enter.`);
    const { code, reason } = await talk(line);
    await close(line);
    console.error(reason === "" ? "\nLeft the console." : `\n${reason}`);
    // A read of the terminal that is still waiting would keep the process until the next key.
    Deno.exit(STATUS[code] ?? 1);
  } catch (error) {
    return failed(error, ["console"]);
  }
}
