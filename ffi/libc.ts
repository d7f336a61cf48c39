/** Users as the kernel and the C library know them: the peer of a UNIX socket, and the ids of names. */
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
  getgrouplist: {
    parameters: ["buffer", /* user */ "u32", /* group */ "buffer", /* groups */ "buffer" /* ngroups */],
    result: "i32",
  },
  getpwuid: { parameters: ["u32" /* uid */], result: "pointer" },
  getpwnam: { parameters: ["buffer" /* name */], result: "pointer" },
  setgroups: { parameters: ["usize", /* size */ "pointer" /* list */], result: "i32" },
  setresgid: { parameters: ["u32", /* rgid */ "u32", /* egid */ "u32" /* sgid */], result: "i32" },
  setresuid: { parameters: ["u32", /* ruid */ "u32", /* euid */ "u32" /* suid */], result: "i32" },
} as const satisfies Record<string, Deno.ForeignFunction>;

let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;
const libc = () => opened ??= openLibc(SYMBOLS);

/** asm-generic/socket.h: the same on x86-64 and aarch64. */
const SOL_SOCKET = 1, SO_PEERCRED = 17, SO_PEERGROUPS = 59;
/** Groups a process may be in: limits.h, NGROUPS_MAX. */
const MOST_GROUPS = 65536;

/** The peer of a UNIX socket, as the kernel saw it when it connected: unix(7). */
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

/** The peer of a connected UNIX socket; undefined if the kernel does not report it. */
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

/** A user's name, from wherever this host keeps users (NSS); undefined for an unassigned number. */
export function hostUserName(uid: number): string | undefined {
  const entry = libc().getpwuid(uid);
  // struct passwd { char *pw_name; … }
  return entry === null ? undefined : readString(new Deno.UnsafePointerView(entry).getPointer(0));
}

/**
 * Credentials of a user who would connect now, from the host's users and groups (NSS); undefined for an unassigned
 * number: getgrouplist(3).
 */
export function credentialsOf(uid: number): PeerCredentials | undefined {
  const entry = libc().getpwuid(uid);
  if (entry === null) return undefined;
  // struct passwd { char *pw_name; char *pw_passwd; uid_t pw_uid; gid_t pw_gid; … }
  const view = new Deno.UnsafePointerView(entry),
    gid = view.getUint32(20),
    name = readString(view.getPointer(0));
  const groups = new Uint32Array(MOST_GROUPS), count = new Int32Array([MOST_GROUPS]);
  libc().getgrouplist(cString(name), gid, groups, count);
  return { uid, gid, groups: [...groups.subarray(0, Math.min(count[0]!, MOST_GROUPS))] };
}

/** A user's numbers, from wherever this host keeps users (NSS); undefined where there is none of that name. */
export function userIds(name: string): { uid: number; gid: number } | undefined {
  const entry = libc().getpwnam(cString(name));
  if (entry === null) return undefined;
  // struct passwd { char *pw_name; char *pw_passwd; uid_t pw_uid; gid_t pw_gid; … }
  const view = new Deno.UnsafePointerView(entry);
  return { uid: view.getUint32(16), gid: view.getUint32(20) };
}

/**
 * Gives up root for good: this process has the rights of another user from then on, in all its threads (the C library
 * sees to that: nptl(7)), and no group besides that user's own.
 *
 * @throws {Error} when the kernel refuses, or a thread has kept root: then nothing may go on
 */
export function becomeUser({ uid, gid }: { uid: number; gid: number }): void {
  const { setgroups, setresgid, setresuid } = libc();
  if (setgroups(0n, null) !== 0 || setresgid(gid, gid, gid) !== 0 || setresuid(uid, uid, uid) !== 0) {
    throw new Error(`the kernel does not let this process become the user ${uid}`);
  }
  for (const { name } of Deno.readDirSync("/proc/self/task")) {
    const ids = /^Uid:\s+(\d+)\s+(\d+)\s+(\d+)/m.exec(
      Deno.readTextFileSync(`/proc/self/task/${name}/status`),
    );
    if (ids === null || ids.slice(1).some((id) => Number(id) !== uid)) {
      throw new Error("a thread of this process has kept the rights of root");
    }
  }
}
