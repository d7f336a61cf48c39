/**
 * A VM's screen in the browser: its VNC server on one side, a WebSocket on the other. The server signs in with
 * the VM's password, which no browser ever sees; after that the bytes pass as they are – except that whoever may
 * only look sends no keys.
 */
import { CONSOLE_CLOSE, ContractError } from "../../../lib/contract/mod.ts";
import { welcomeViewer } from "../../../lib/formats/rfb/handshake.ts";
import { ByteSource, RfbError } from "../../../lib/formats/rfb/source.ts";
import { ViewOnlyFilter } from "../../../lib/formats/rfb/view_only.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { writeAll } from "../../../lib/write_all.ts";
import { FRAME_HEAD } from "../../http/frame.ts";
import type { ConsolePeer, Farewell, SocketMessage } from "../../http/websocket_connection.ts";
import { log } from "../../log.ts";
import type { ConsoleCall, ConsoleType } from "../console.ts";
import { CHUNK, connectVnc, type VncConnection } from "./connection.ts";
import { type ReachedScreen, reachScreen, requireScreen } from "./target.ts";

/** Milliseconds a viewer may take for its part of the handshake. */
const VIEWER_MS = 10_000;
/** Milliseconds between attempts to sign in, and for all: libvirt sets a password some time after it started QEMU. */
const SIGN_IN = { pause: 250, all: 5000 };

const DONE: Farewell = { code: CONSOLE_CLOSE.done, reason: "" };
const CLOSED: Farewell = { code: CONSOLE_CLOSE.disconnected, reason: "The VM closed the connection" };

export const vncConsole: ConsoleType = {
  check: async (host, vm) => void await requireScreen(host, vm),
  serve: async (call: ConsoleCall) => {
    let server: VncConnection;
    try {
      server = await signIn(call);
    } catch (error) {
      const isTold = error instanceof RfbError || error instanceof ContractError ||
        error instanceof NotReached;
      if (!isTold) throw error;
      return { code: CONSOLE_CLOSE.failed, reason: `The VM's VNC server: ${error.message}` };
    }
    using _ = server;
    return await proxyVnc(server, call.peer, call.grant.viewOnly);
  },
};

/** SSH does not lead to the server: trying again at once does not help. */
class NotReached extends Error {
  override readonly name = "NotReached";
}

/** @throws {RfbError | ContractError | NotReached} */
async function connected(host: ConsoleCall["host"], vm: ConsoleCall["vm"]): Promise<VncConnection> {
  let screen: ReachedScreen;
  try {
    screen = await reachScreen(host, vm);
  } catch (error) {
    if (error instanceof ContractError || error instanceof LibvirtError) throw error;
    throw new NotReached(`it is not reached by SSH (${messageOf(error)})`);
  }
  try {
    const server = await connectVnc(screen.target);
    return {
      ...server,
      [Symbol.dispose]: () => {
        server[Symbol.dispose]();
        screen[Symbol.dispose]();
      },
    };
  } catch (error) {
    screen[Symbol.dispose]();
    throw error;
  }
}

/** @throws {RfbError | ContractError} why there is no getting in */
async function signIn({ host, vm, peer }: ConsoleCall): Promise<VncConnection> {
  const end = performance.now() + SIGN_IN.all;
  for (;;) {
    try {
      return await connected(host, vm);
    } catch (error) {
      if (!(error instanceof RfbError) || performance.now() > end || peer.gone.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, SIGN_IN.pause));
    }
  }
}

/** Carries bytes between a signed-in server and a viewer until one of them is gone. */
export async function proxyVnc(
  server: VncConnection,
  peer: ConsolePeer,
  viewOnly: boolean,
): Promise<Farewell> {
  const { connection } = server;
  const messages = peer.messages();
  const source = new ByteSource(async () => {
    const { value, done } = await messages.next();
    return done ? null : binary(value);
  });
  const limit = setTimeout(() => peer.close({ code: CONSOLE_CLOSE.protocol, reason: "too slow" }), VIEWER_MS);
  try {
    await welcomeViewer(
      { source, write: async (bytes) => void await peer.send(bytes) },
      server.serverInit,
    );
    clearTimeout(limit);
    const toViewer = pipeToViewer(server, peer);
    const toServer = pipeToServer(source.rest(), messages, connection, viewOnly);
    // The other direction ends as soon as both connections are closed, which their owners do next.
    return await Promise.race([toViewer, toServer]);
  } catch (error) {
    if (error instanceof RfbError) return { code: CONSOLE_CLOSE.protocol, reason: error.message };
    throw error;
  } finally {
    clearTimeout(limit);
  }
}

/** RFB is bytes; text is not. */
function binary(message: SocketMessage): Uint8Array {
  if (typeof message === "string") throw new RfbError("the viewer sent text");
  return message;
}

async function pipeToViewer(
  { connection, rest }: VncConnection,
  peer: ConsolePeer,
): Promise<Farewell> {
  if (rest.length > 0 && !await peer.send(rest)) return DONE;
  // Buffers whose bytes were taken. Few are under way at once: sending waits for a slow viewer, and until then the next
  // bytes are read while the last are being written.
  const free: Uint8Array<ArrayBuffer>[] = [];
  for (;;) {
    const buffer = free.pop() ?? new Uint8Array(FRAME_HEAD + CHUNK);
    const count = await read(connection, buffer.subarray(FRAME_HEAD));
    if (count === null) return CLOSED;
    if (!await peer.sendInPlace(buffer, count, () => free.push(buffer))) return DONE;
  }
}

/** A read of a connection that may break, or be closed by ourselves meanwhile: then it is at its end. */
async function read(connection: Deno.Conn, buffer: Uint8Array): Promise<number | null> {
  try {
    return await connection.read(buffer);
  } catch (error) {
    log.debug("a VNC server cannot be read any more", { error });
    return null;
  }
}

async function pipeToServer(
  first: Uint8Array,
  messages: AsyncGenerator<SocketMessage>,
  connection: Deno.Conn,
  viewOnly: boolean,
): Promise<Farewell> {
  const filter = viewOnly ? new ViewOnlyFilter() : undefined;
  const pass = async (bytes: Uint8Array): Promise<boolean> => {
    const allowed = filter === undefined ? bytes : filter.push(bytes);
    try {
      if (allowed.length > 0) await writeAll(connection, allowed);
      return true;
    } catch (error) {
      log.debug("a VNC server cannot be written to any more", { error });
      return false;
    }
  };
  if (!await pass(first)) return CLOSED;
  for await (const message of messages) if (!await pass(binary(message))) return CLOSED;
  return DONE;
}
