/** What the kernel and the C library know of users: who is at the other end of a UNIX socket, and what names mean. */
import { openLibc } from "./library.ts";
import { cString, readString } from "./memory.ts";

const SYMBOLS = {
  getsockopt: {
    parameters: [
      "i32", /* sockfd */
      "i32", /* level */
      "i32", /* optname */
      "buffer", /* optval */
      "buffer", /* optlen */
    ],
    result: "i32",
  },
  getgrnam: { parameters: ["buffer" /* name */], result: "pointer" },
  getpwuid: { parameters: ["u32" /* uid */], result: "pointer" },
} as const satisfies Record<string, Deno.ForeignFunction>;

let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;
const libc = () => opened ??= openLibc(SYMBOLS);

/** asm-generic/socket.h: the same on x86-64 and aarch64. */
const SOL_SOCKET = 1, SO_PEERCRED = 17, SO_PEERGROUPS = 59;
/** Groups a process may be in: limits.h, NGROUPS_MAX. */
const MOST_GROUPS = 65536;

/** Whoever connected to a UNIX socket, as the kernel saw it then: unix(7). */
export interface PeerCredentials {
  readonly uid: number;
  readonly gid: number;
  /** Supplementary groups. */
  readonly groups: readonly number[];
}

/** Bytes of an option; undefined when the kernel does not tell it. */
function option(fd: number, name: number, room: number): Uint32Array | undefined {
  const value = new Uint32Array(room), length = new Uint32Array([room * 4]);
  if (libc().getsockopt(fd, SOL_SOCKET, name, value, length) !== 0) return undefined;
  return value.subarray(0, length[0]! / 4);
}

/** Who is at the other end of a connected UNIX socket; undefined when the kernel does not tell. */
export function peerCredentials(fd: number): PeerCredentials | undefined {
  const [, uid, gid] = option(fd, SO_PEERCRED, 3) ?? [];
  if (uid === undefined || gid === undefined) return undefined;
  // Nearly everybody is in fewer; who is in more is asked for again, with room for all.
  const groups = option(fd, SO_PEERGROUPS, 64) ?? option(fd, SO_PEERGROUPS, MOST_GROUPS);
  return { uid, gid, groups: [...groups ?? []] };
}

/** A group's number, from wherever this host keeps groups (NSS); undefined where there is none of that name. */
export function groupId(name: string): number | undefined {
  const entry = libc().getgrnam(cString(name));
  // struct group { char *gr_name; char *gr_passwd; gid_t gr_gid; … }
  return entry === null ? undefined : new Deno.UnsafePointerView(entry).getUint32(16);
}

/** A user's name, from wherever this host keeps users (NSS); undefined for a number nobody has. */
export function userName(uid: number): string | undefined {
  const entry = libc().getpwuid(uid);
  // struct passwd { char *pw_name; … }
  return entry === null ? undefined : readString(new Deno.UnsafePointerView(entry).getPointer(0));
}
