/**
 * A private libvirtd whose last answer of a migration is lost: it has the VM go on, and the host that the VM comes from is never
 * told. Clients reach it through a socket of the test, which keeps that answer back and cuts the line.
 */
import { MIGRATION_CALLS } from "../../lib/formats/libvirt_rpc.ts";
import { writeAll } from "../../lib/write_all.ts";
import type { PrivateLibvirt } from "./private_libvirt.ts";

/** `virNetMessageType`: an answer. */
const REPLY = 1;
/** Bytes of a message's length, and of that with its header. */
const LENGTH = 4, HEAD = 28;
const PIECE = 256 * 1024;

/** One that waits for the moment. */
export interface LostAnswer extends AsyncDisposable {
  /** Resolves once an answer was lost: the VM runs at its destination. */
  readonly lost: Promise<void>;
}

/** Whether a message is libvirt's answer to the last call of a migration at its destination. Source: docs/kbase/internals/rpc */
function isLastAnswer(message: Uint8Array): boolean {
  const view = new DataView(message.buffer, message.byteOffset);
  return view.getUint32(12) === MIGRATION_CALLS.DOMAIN_MIGRATE_FINISH3_PARAMS && view.getUint32(16) === REPLY;
}

/** The messages that come, each whole. */
async function* messagesOf(connection: Deno.Conn): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let kept = new Uint8Array(0);
  for (;;) {
    const piece = new Uint8Array(PIECE), length = await connection.read(piece);
    if (length === null) return;
    const joined = new Uint8Array(kept.length + length);
    joined.set(kept);
    joined.set(piece.subarray(0, length), kept.length);
    let at = 0;
    while (joined.length - at >= HEAD) {
      const size = new DataView(joined.buffer, at).getUint32(0);
      if (size < LENGTH) throw new Error(`libvirtd says a message of ${size} bytes`);
      if (joined.length - at < size) break;
      yield joined.slice(at, at + size);
      at += size;
    }
    kept = joined.slice(at);
  }
}

/**
 * Puts one before a libvirtd. Connections that are open stay as they are.
 *
 * @param atLoss is called once the VM goes on at its destination, before the other host knows that the line is cut
 */
export async function loseLastAnswer(
  { folder }: PrivateLibvirt,
  atLoss: () => void = () => {},
): Promise<LostAnswer> {
  const path = `${folder}/run/libvirt-sock`, behind = `${path}-behind`;
  await Deno.rename(path, behind);
  const listener = Deno.listen({ transport: "unix", path }), open = new Set<Deno.Conn>();
  const lost = Promise.withResolvers<void>();
  const close = (line: Deno.Conn) => {
    if (open.delete(line)) line.close();
  };
  const carry = async (near: Deno.Conn) => {
    open.add(near);
    const far = await Deno.connect({ transport: "unix", path: behind });
    open.add(far);
    const calls = async () => {
      const piece = new Uint8Array(PIECE);
      for (let length = await near.read(piece); length !== null; length = await near.read(piece)) {
        await writeAll(far, piece.subarray(0, length));
      }
    };
    const answers = async () => {
      for await (const message of messagesOf(far)) {
        if (isLastAnswer(message)) {
          atLoss();
          return lost.resolve();
        }
        await writeAll(near, message);
      }
    };
    try {
      await Promise.race([calls(), answers()]);
    } catch (error) {
      if (open.has(near) && open.has(far) && !isGone(error)) lost.reject(error);
    } finally {
      close(near);
      close(far);
    }
  };
  const accepting = (async () => {
    for await (const near of listener) void carry(near);
  })();
  return {
    lost: lost.promise,
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await accepting;
      for (const line of [...open]) close(line);
      await Deno.rename(behind, path);
    },
  };
}

/** An end was closed while it was read or written to. */
const isGone = (error: unknown) =>
  error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset ||
  error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted;
