/**
 * The server's half of NBD, as much as a disk needs that is only read: fixed newstyle handshake, simple replies. Pure.
 * Source: https://github.com/NetworkBlockDevice/nbd/blob/master/doc/proto.md
 */

/** `NBDMAGIC`, `IHAVEOPT`, and the magic of an option's reply. */
const INIT_MAGIC = 0x4e42444d41474943n, OPTION_MAGIC = 0x49484156454f5054n, REPLY_MAGIC = 0x3e889045565a9n;
const REQUEST_MAGIC = 0x25609513, SIMPLE_REPLY_MAGIC = 0x67446698;
/** Has flags, is read-only. */
const DISK_FLAGS = 1 | 2;

/** Options of the handshake that are answered. */
export const OPTION = { exportName: 1, abort: 2, info: 6, go: 7 } as const;
const REPLY = { ack: 1, info: 3, unsupported: 0x80000001 } as const;
/** Types of requests after the handshake. */
export const REQUEST = { read: 0, write: 1, disconnect: 2, flush: 3 } as const;
/** Errors of replies: those of the kernel. */
export const NBD_ERROR = { none: 0, notPermitted: 1, io: 5, invalid: 22 } as const;

/** Bytes of each head that is read whole. */
export const HEAD = { clientFlags: 4, option: 16, request: 28 } as const;
/** Bytes of an option, and of one read, that are taken at most. */
export const MOST = { option: 64 * 1024, read: 32 * 1024 * 1024 } as const;

/** Bytes of big-endian numbers: how many bytes each has, and what it is. */
function pack(
  ...fields: readonly (readonly [bytes: 2 | 4 | 8, value: number | bigint])[]
): Uint8Array<ArrayBuffer> {
  const packed = new Uint8Array(fields.reduce((sum, [bytes]) => sum + bytes, 0)),
    view = new DataView(packed.buffer);
  let at = 0;
  for (const [bytes, value] of fields) {
    if (bytes === 2) view.setUint16(at, Number(value));
    else if (bytes === 4) view.setUint32(at, Number(value));
    else view.setBigUint64(at, BigInt(value));
    at += bytes;
  }
  return packed;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The server's first message: fixed newstyle, without zeroes. */
export const greeting = (): Uint8Array<ArrayBuffer> => pack([8, INIT_MAGIC], [8, OPTION_MAGIC], [2, 1 | 2]);

/** An option of the client; undefined for what is none. */
export function optionIn(head: Uint8Array): { readonly option: number; readonly length: number } | undefined {
  const view = viewOf(head);
  if (view.getBigUint64(0) !== OPTION_MAGIC) return undefined;
  return { option: view.getUint32(8), length: view.getUint32(12) };
}

/** The answer to an option. @param bytes the disk's size */
export function optionReply(option: number, bytes: number): Uint8Array<ArrayBuffer> {
  const reply = (type: number, length: number) =>
    [[8, REPLY_MAGIC], [4, option], [4, type], [4, length]] as const;
  // Without a head: the old way to choose a disk.
  if (option === OPTION.exportName) return pack([8, bytes], [2, DISK_FLAGS]);
  if (option === OPTION.go || option === OPTION.info) {
    return pack(...reply(REPLY.info, 12), [2, 0], [8, bytes], [2, DISK_FLAGS], ...reply(REPLY.ack, 0));
  }
  return pack(...reply(option === OPTION.abort ? REPLY.ack : REPLY.unsupported, 0));
}

/** A request for content. */
export interface NbdRequest {
  readonly type: number;
  readonly cookie: bigint;
  readonly offset: number;
  readonly length: number;
}

/** A request of the client; undefined for what is none. */
export function requestIn(head: Uint8Array): NbdRequest | undefined {
  const view = viewOf(head);
  if (view.getUint32(0) !== REQUEST_MAGIC) return undefined;
  return {
    type: view.getUint16(6),
    cookie: view.getBigUint64(8),
    offset: Number(view.getBigUint64(16)),
    length: view.getUint32(24),
  };
}

/** The head of an answer; content follows where there is no error. */
export const replyHead = (cookie: bigint, error: number): Uint8Array<ArrayBuffer> =>
  pack([4, SIMPLE_REPLY_MAGIC], [4, error], [8, cookie]);
