/// <reference lib="deno.worker" />
/**
 * The transfer worker: moves the content of one volume over a connection of its own, in pieces, each asked for by the
 * owner: so no more than a piece is in memory, and who is slow at the other end holds nothing else up.
 */
import type { LibvirtAddress } from "./address.ts";
import { Connection, Handle } from "./connection.ts";
import { LibvirtError, libvirtFailure } from "./error.ts";
import { libvirt, ok, some } from "./library.ts";
import type { FromTransferWorker, ToTransferWorker, TransferTarget } from "./transfer_protocol.ts";

declare const self: DedicatedWorkerGlobalScope;

/** Bytes handed to libvirt at a time: its own tools send 256 KiB. */
const CHUNK = 256 * 1024;

const post = (message: FromTransferWorker, transfer: Transferable[] = []) =>
  self.postMessage(message, transfer);

/** Bytes handed to the owner at a time: a message costs as much as a few of libvirt's pieces. */
const MOST = 4 * CHUNK;
/** What is read lands here, and is copied out in its own size. */
const buffer = new Uint8Array(MOST);
/** Whether all was read. */
let isRead = false;

/**
 * Bytes of a download that libvirt is asked for at once. It sends all of them, and its client keeps what nobody has read yet:
 * of a whole volume that would be memory without bounds.
 */
const WINDOW = 16 * 1024 * 1024;

/** The open transfer: its connection, volume and stream. */
interface OpenTransfer {
  readonly connection: Connection;
  readonly volume: Handle;
  stack: DisposableStack;
  /** Of a download, that of the window that is read. */
  stream: Handle;
  /** Of a download: where the next window begins, bytes behind that, and bytes of this window that were not read. */
  next: number;
  left: number;
  unread: number;
}
let open: OpenTransfer | undefined;

/** Not 0 once the owner has given up: libvirt was late, and what waits must not be done after that. */
let givenUp = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

/** @throws {LibvirtError} of that kind once the owner has given up */
function requireWanted(kind: "timeout" | "unavailable"): void {
  if (Atomics.load(givenUp, 0) === 0) return;
  throw new LibvirtError({ kind, message: "the transfer was given up" });
}

/** @throws {LibvirtError} kind `unavailable`, where the owner gave up before there was a connection */
function begin(address: LibvirtAddress, { direction, offset, length, ...place }: TransferTarget): void {
  const { symbols } = libvirt();
  using stack = new DisposableStack();
  requireWanted("unavailable");
  const connection = stack.use(Connection.open(address));
  requireWanted("unavailable");
  const volume = stack.use(connection.volumeAt(place));
  requireWanted("timeout");
  const stream = newStream(connection);
  const transfer: OpenTransfer = {
    ...{ connection, volume, stack, stream, next: offset, left: length, unread: 0 },
  };
  stack.defer(() => transfer.stream[Symbol.dispose]());
  if (direction === "download") startWindow(transfer);
  else {
    ok(symbols.virStorageVolUpload(volume.pointer, stream.pointer, BigInt(offset), BigInt(length), 0));
  }
  transfer.stack = stack.move();
  open = transfer;
}

const newStream = ({ pointer }: Connection): Handle =>
  new Handle(
    some(libvirt().symbols.virStreamNew(pointer, 0)),
    (stream) => libvirt().symbols.virStreamFree(stream),
  );

/** Has libvirt send the next window by the stream. @throws {LibvirtError} */
function startWindow(transfer: OpenTransfer): void {
  const { volume, stream, next, left } = transfer, { symbols } = libvirt();
  const length = Math.min(WINDOW, left);
  ok(symbols.virStorageVolDownload(volume.pointer, stream.pointer, BigInt(next), BigInt(length), 0));
  transfer.next += length;
  transfer.left -= length;
  transfer.unread = length;
}

/** Goes on with the next window once one was read whole. @returns false at the end @throws {LibvirtError} */
function nextWindow(transfer: OpenTransfer): boolean {
  if (transfer.unread > 0 || transfer.left === 0) return false;
  ok(libvirt().symbols.virStreamFinish(transfer.stream.pointer));
  transfer.stream[Symbol.dispose]();
  transfer.stream = newStream(transfer.connection);
  startWindow(transfer);
  return true;
}

/** The stream. @throws {TypeError} before it was opened or after its end */
function stream(): Deno.PointerObject {
  if (open === undefined) throw new TypeError("the transfer is not open");
  return open.stream.pointer;
}

function end(how: "finish" | "abort"): void {
  if (open === undefined) return;
  const { stack, connection } = open;
  const { symbols } = libvirt();
  try {
    if (how === "finish") ok(symbols.virStreamFinish(stream()));
    else symbols.virStreamAbort(stream());
  } catch (error) {
    throw causeOf(error, connection); // known as long as the connection is open
  } finally {
    open = undefined;
    stack.dispose();
  }
}

/** What went wrong: where libvirtd is gone, that is it, whatever the stream says of it. */
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
      const { bytes } = message;
      for (let at = 0; at < bytes.length;) {
        requireWanted("timeout");
        const piece = bytes.subarray(at, at + CHUNK);
        at += ok(symbols.virStreamSend(stream(), piece, BigInt(piece.length)));
      }
      return { type: "ok" };
    }
    case "receive": {
      let count = 0;
      while (count < MOST && !isRead) {
        requireWanted("timeout");
        const room = buffer.subarray(count, Math.min(MOST, count + CHUNK));
        const got = ok(symbols.virStreamRecv(stream(), room, BigInt(room.length)));
        open!.unread -= got;
        count += got;
        isRead = got === 0 && !nextWindow(open!);
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
