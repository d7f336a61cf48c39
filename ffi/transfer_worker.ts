/// <reference lib="deno.worker" />
/**
 * The transfer worker: moves the content of one volume over a connection of its own, in pieces, each asked for by the
 * owner: so no more than a piece is in memory, and who is slow at the other end holds nothing else up.
 */
import type { LibvirtAddress } from "./address.ts";
import { Connection, Handle } from "./connection.ts";
import { LibvirtError, libvirtFailure } from "./error.ts";
import { libvirt, notNull, ok } from "./library.ts";
import type { FromTransferWorker, ToTransferWorker, TransferTarget } from "./transfer_protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

/** Bytes handed to libvirt at a time: its own tools send 256 KiB. */
const CHUNK = 256 * 1024;

const post = (message: FromTransferWorker, transfer: Transferable[] = []) =>
  self.postMessage(message, transfer);

/** Bytes handed to the owner at a time: a message costs as much as a few of libvirt's pieces. */
const MOST = 4 * CHUNK;
/**
 * Bytes that one stream downloads. libvirtd sends as fast as the socket takes it, and libvirt's client keeps in memory,
 * without a limit, what was not received yet: of a single stream, a client on a slow line has it keep the whole volume.
 */
const PART = 16 * 1024 * 1024;
/** Buffer for bytes that are read; they are copied out in their own size. */
const buffer = new Uint8Array(MOST);

/** The open transfer. */
interface OpenTransfer {
  readonly connection: Connection;
  readonly volume: Handle;
  readonly direction: TransferTarget["direction"];
  /** Offset of the stream in the volume, in bytes. */
  offset: number;
  /** How many bytes are moved from there on; infinite: all that follow. */
  length: number;
  /** Moves the part of these that begins at `offset`: of an upload, all. */
  stream: Handle;
  /** Bytes of the part that were received. */
  received: number;
  /** Whether all was read. */
  isRead: boolean;
}

let open: OpenTransfer | undefined;

/** Not 0 once the owner has given up: libvirt was late, and what waits must not be done after that. */
let givenUp = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** @throws {LibvirtError} of that kind once the owner has given up */
function requireWanted(kind: "timeout" | "unavailable"): void {
  if (Atomics.load(givenUp, 0) === 0) return;
  throw new LibvirtError({ kind, message: "the transfer was given up" });
}

/** Opens a connection of its own. @throws {LibvirtError} kind `unavailable`, where there is none: the transfer may be tried again */
function connected(address: LibvirtAddress): Connection {
  try {
    return Connection.open(address);
  } catch (error) {
    if (!(error instanceof LibvirtError)) throw error;
    throw new LibvirtError({ ...libvirtFailure(error), kind: "unavailable" });
  }
}

/** @throws {LibvirtError} kind `unavailable`, where the owner gave up before there was a connection */
function begin(address: LibvirtAddress, { direction, offset, length, ...place }: TransferTarget): void {
  using stack = new DisposableStack();
  requireWanted("unavailable");
  const connection = stack.use(connected(address));
  requireWanted("unavailable");
  const volume = stack.use(connection.volumeAt(place));
  requireWanted("timeout");
  const what = {
    connection,
    volume,
    direction,
    offset,
    length: direction === "download" && length === 0 ? Infinity : length,
  };
  open = { ...what, stream: streamOf(what), received: 0, isRead: false };
  stack.move();
}

/** Bytes that one stream moves. */
const partOf = ({ direction, length }: Pick<OpenTransfer, "direction" | "length">) =>
  direction === "upload" ? length : Math.min(length, PART);

/** Opens the stream of a part. @throws {LibvirtError} */
function streamOf(
  what: Pick<OpenTransfer, "connection" | "volume" | "direction" | "offset" | "length">,
): Handle {
  const { symbols } = libvirt();
  using stack = new DisposableStack();
  const stream = stack.use(
    new Handle(
      notNull(symbols.virStreamNew(what.connection.pointer, 0)),
      (pointer) => symbols.virStreamFree(pointer),
    ),
  );
  const start = what.direction === "upload" ? symbols.virStorageVolUpload : symbols.virStorageVolDownload;
  ok(start(what.volume.pointer, stream.pointer, BigInt(what.offset), BigInt(partOf(what)), 0));
  stack.move();
  return stream;
}

/** The open transfer. @throws {TypeError} before it was opened or after its end */
function opened(): OpenTransfer {
  if (open === undefined) throw new TypeError("the transfer is not open");
  return open;
}

/** Reads what comes next. @param room is filled as far as libvirt has it now @returns bytes that were read */
function receive(transfer: OpenTransfer, room: Uint8Array<ArrayBuffer>): number {
  const got = ok(libvirt().symbols.virStreamRecv(transfer.stream.pointer, room, BigInt(room.length)));
  transfer.received += got;
  if (got === 0) goOn(transfer);
  return got;
}

/** Goes from a part that is read to the next one. @throws {LibvirtError} */
function goOn(transfer: OpenTransfer): void {
  const part = partOf(transfer);
  // A short one is the end of the volume
  if (transfer.received < part || transfer.length === part) {
    transfer.isRead = true;
    return;
  }
  ok(libvirt().symbols.virStreamFinish(transfer.stream.pointer));
  transfer.offset += part;
  transfer.length -= part;
  const next = streamOf(transfer);
  transfer.stream[Symbol.dispose]();
  transfer.stream = next;
  transfer.received = 0;
}

function end(how: "finish" | "abort"): void {
  if (open === undefined) return;
  const { stream, volume, connection } = open;
  const { symbols } = libvirt();
  try {
    if (how === "finish") ok(symbols.virStreamFinish(stream.pointer));
    else symbols.virStreamAbort(stream.pointer);
  } catch (error) {
    throw causeOf(error, connection); // known as long as the connection is open
  } finally {
    open = undefined;
    for (const each of [stream, volume, connection]) each[Symbol.dispose]();
  }
}

/** Cause of a failure: the loss of the connection if libvirtd is gone, whatever error the stream has. */
function causeOf(error: unknown, connection: Connection | undefined): unknown {
  if (!(error instanceof LibvirtError) || connection === undefined || connection.alive) return error;
  return new LibvirtError({ ...libvirtFailure(error), kind: "lost" });
}

function run(message: ToTransferWorker): FromTransferWorker {
  const { symbols } = libvirt();
  if (message.type !== "abort") requireWanted("timeout");
  switch (message.type) {
    case "open":
      ({ givenUp } = message);
      begin(message.address, message.target);
      return { type: "ok" };
    case "send": {
      const { bytes } = message, { stream } = opened();
      for (let at = 0; at < bytes.length;) {
        requireWanted("timeout");
        const piece = bytes.subarray(at, at + CHUNK);
        at += ok(symbols.virStreamSend(stream.pointer, piece, BigInt(piece.length)));
      }
      return { type: "ok" };
    }
    case "receive": {
      const transfer = opened();
      let count = 0;
      while (count < MOST && !transfer.isRead) {
        requireWanted("timeout");
        count += receive(transfer, buffer.subarray(count, Math.min(MOST, count + CHUNK)));
      }
      return { type: "data", bytes: buffer.slice(0, count) };
    }
    case "finish":
    case "abort":
      end(message.type);
      return { type: "ok" };
  }
}

self.onmessage = ({ data }: MessageEvent<ToTransferWorker>) => {
  try {
    const answer = run(data);
    post(answer, "bytes" in answer ? [answer.bytes.buffer] : []);
  } catch (error) {
    post({ type: "failure", failure: libvirtFailure(causeOf(error, open?.connection)) });
  }
};
