/** A connection to a VM's VNC server, signed in. */
import type { VncInfo } from "../../../lib/contract/mod.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { joinServer } from "../../../lib/formats/rfb/handshake.ts";
import { ByteSource, RfbError } from "../../../lib/formats/rfb/source.ts";
import { writeAll } from "../../../lib/write_all.ts";

/**
 * Milliseconds until a server must have answered, and again until it must have let us in: a firewall drops what is sent to it,
 * and a QEMU that hangs accepts, and then says nothing.
 */
const HANDSHAKE_MS = 5000;
/** Bytes of one read. Half as many cost a flood a fifth more work; with twice as many it is no faster. */
export const CHUNK = 256 * 1024;

export interface VncConnection extends Disposable {
  readonly connection: Deno.Conn;
  /** The server's message on its screen. */
  readonly serverInit: Uint8Array;
  /** Bytes that the server has sent after that. */
  readonly rest: Uint8Array;
}

async function dial({ host, port, socket }: VncInfo, within: number): Promise<Deno.Conn> {
  if (port === null) return await Deno.connect({ transport: "unix", path: socket! });
  const connection = await Deno.connect({ hostname: host, port, signal: AbortSignal.timeout(within) });
  connection.setNoDelay(true);
  return connection;
}

/**
 * Connects and signs in.
 *
 * @throws {RfbError} why it does not work, in words for people
 */
export async function connectVnc(target: VncInfo, within = HANDSHAKE_MS): Promise<VncConnection> {
  let connection: Deno.Conn;
  try {
    connection = await dial(target, within);
  } catch (error) {
    if (error instanceof DOMException) {
      throw new RfbError(`it did not answer for ${within / 1000} seconds. Is its port open in the firewall?`);
    }
    throw new RfbError(`it does not answer (${messageOf(error)})`);
  }
  let isLate = false;
  const limit = setTimeout(() => {
    isLate = true;
    connection.close();
  }, within);
  try {
    const source = new ByteSource(async () => {
      const buffer = new Uint8Array(4096);
      const count = await connection.read(buffer);
      return count === null ? null : buffer.subarray(0, count);
    });
    const serverInit = await joinServer(
      { source, write: (bytes) => writeAll(connection, bytes) },
      target.password,
    );
    return {
      connection,
      serverInit,
      rest: source.rest(),
      [Symbol.dispose]: () => close(connection),
    };
  } catch (error) {
    close(connection);
    if (isLate) throw new RfbError(`it said nothing for ${within / 1000} seconds`);
    if (error instanceof RfbError) throw error;
    throw new RfbError(`the connection broke (${messageOf(error)})`);
  } finally {
    clearTimeout(limit);
  }
}

/** Closes a connection that may be closed already. */
function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
