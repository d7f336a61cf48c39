/**
 * How many connections to a UNIX socket of this machine wait to be accepted. Sources: sock_diag(7), linux/unix_diag.h;
 * of a socket that listens the kernel tells them as the length of its receive queue.
 */
import { openLibc } from "./library.ts";

const SYMBOLS = {
  socket: { parameters: ["i32", /* domain */ "i32", /* type */ "i32" /* protocol */], result: "i32" },
  send: {
    parameters: ["i32", /* fd */ "buffer", /* buf */ "usize", /* len */ "i32" /* flags */],
    result: "isize",
  },
  recv: {
    parameters: ["i32", /* fd */ "buffer", /* buf */ "usize", /* len */ "i32" /* flags */],
    result: "isize",
  },
  close: { parameters: ["i32" /* fd */], result: "i32" },
} as const satisfies Record<string, Deno.ForeignFunction>;

let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;
const libc = () => opened ??= openLibc(SYMBOLS);

/** AF_NETLINK; SOCK_RAW | SOCK_CLOEXEC; NETLINK_SOCK_DIAG. */
const SOCKET = [16, 3 | 0o2000000, 4] as const;
/** recv(2): the kernel answers at once, or not at all. */
const DONTWAIT = 0x40;
/** SOCK_DIAG_BY_FAMILY; NLMSG_ERROR and NLMSG_DONE; NLM_F_REQUEST | NLM_F_DUMP. */
const BY_FAMILY = 20, ERROR = 2, DONE = 3, DUMP = 0x301;
const AF_UNIX = 1;
/** 1 << TCP_LISTEN */
const LISTENING = 1 << 10;
/** UDIAG_SHOW_NAME | UDIAG_SHOW_RQLEN, and their attributes. */
const SHOW = 0x11, NAME = 0, RQLEN = 4;
/** Bytes of nlmsghdr, unix_diag_req and unix_diag_msg, of an attribute's head, and of what is received at once. */
const HEAD = 16, REQUEST = 24, MESSAGE = 16, ATTRIBUTE = 4, ROOM = 65_536;

const align = (bytes: number) => bytes + 3 & ~3;

/** Asks for all sockets that listen. */
function request(): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(HEAD + REQUEST));
  view.setUint32(0, HEAD + REQUEST, true);
  view.setUint16(4, BY_FAMILY, true);
  view.setUint16(6, DUMP, true);
  view.setUint8(HEAD, AF_UNIX);
  view.setUint32(HEAD + 4, LISTENING, true);
  view.setUint32(HEAD + 12, SHOW, true);
  return new Uint8Array(view.buffer);
}

/** Reads what the kernel has sent. @returns whether more follows. Pure. */
export function readBacklogs(bytes: Uint8Array<ArrayBuffer>, found: Map<string, number>): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + HEAD <= bytes.length;) {
    const length = view.getUint32(at, true), type = view.getUint16(at + 4, true);
    if (type === DONE || type === ERROR || length < HEAD) return false;
    let name: string | undefined, waiting: number | undefined;
    const end = Math.min(at + length, bytes.length);
    for (let field = at + HEAD + MESSAGE; field + ATTRIBUTE <= end;) {
      const size = view.getUint16(field, true), kind = view.getUint16(field + 2, true);
      if (size < ATTRIBUTE) break;
      if (kind === NAME) {
        const text = bytes.subarray(field + ATTRIBUTE, field + size), nul = text.indexOf(0);
        name = new TextDecoder().decode(nul < 0 ? text : text.subarray(0, nul));
      } else if (kind === RQLEN) waiting = view.getUint32(field + ATTRIBUTE, true);
      field += align(size);
    }
    if (name !== undefined && waiting !== undefined) found.set(name, (found.get(name) ?? 0) + waiting);
    at += align(length);
  }
  return true;
}

/**
 * Connections to the socket at a path that wait to be accepted; undefined where that is not to be seen: the socket is in
 * another network namespace or on another host, or this kernel does not tell.
 */
export function waitingConnections(path: string): number | undefined {
  const { socket, send, recv, close } = libc();
  const fd = socket(...SOCKET);
  if (fd < 0) return undefined;
  try {
    const asked = request();
    if (Number(send(fd, asked, BigInt(asked.length), 0)) !== asked.length) return undefined;
    const found = new Map<string, number>(), room = new Uint8Array(ROOM);
    for (;;) {
      const length = Number(recv(fd, room, BigInt(ROOM), DONTWAIT));
      if (length <= 0 || !readBacklogs(room.subarray(0, length), found)) return found.get(path);
    }
  } finally {
    close(fd);
  }
}
