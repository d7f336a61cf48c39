/**
 * Acting as another user for a while: what root does in a folder that is somebody else's. The kernel then follows links
 * and opens files with that user's rights alone, so nothing that lies there, or is exchanged meanwhile, leads further.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { Mutex } from "../lib/mutex.ts";
import { openLibc } from "./library.ts";

const SYMBOLS = {
  // setgroups(2), setegid(2), seteuid(2): glibc and musl change all threads of the process, Deno's too.
  getgroups: { parameters: ["i32", /* size */ "buffer" /* list */], result: "i32" },
  setgroups: { parameters: ["usize", /* size */ "buffer" /* list */], result: "i32" },
  setegid: { parameters: ["u32" /* gid */], result: "i32" },
  seteuid: { parameters: ["u32" /* uid */], result: "i32" },
} as const satisfies Record<string, Deno.ForeignFunction>;

let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;
const libc = () => opened ??= openLibc(SYMBOLS);

/** Numbers of a user. */
export interface EffectiveUser {
  readonly uid: number;
  readonly gid: number;
}

const must = (result: number, what: string) => {
  if (result < 0) throw new Error(`${what} is not allowed: root needs CAP_SETUID and CAP_SETGID for it`);
};

/** The process has one user at a time: who wants another waits. */
const turns = new Mutex();
/** User that the running code acts as. */
const acting = new AsyncLocalStorage<EffectiveUser>();

/**
 * Runs something as a user: the whole process is that user until it has ended, and whatever else wants a user, root
 * included, waits for its turn. Only root can do this; a user runs it as itself.
 *
 * @throws {Error} when the process must not change its user, or another one is asked for by what runs as one already;
 * `run` was not begun then
 */
export async function asUser<T>(user: EffectiveUser, run: () => Promise<T> | T): Promise<T> {
  if (Deno.uid() !== 0) return await run();
  const now = acting.getStore();
  if (now === undefined) return await turns.run(() => acting.run(user, () => become(user, run)));
  if (now.uid === user.uid && now.gid === user.gid) return await run();
  throw new Error(`what runs as the user ${now.uid} cannot become the user ${user.uid} before it has ended`);
}

async function become<T>({ uid, gid }: EffectiveUser, run: () => Promise<T> | T): Promise<T> {
  if (uid === 0) return await run();
  const { getgroups, setgroups, setegid, seteuid } = libc();
  const groups = new Uint32Array(Math.max(0, getgroups(0, null)));
  must(getgroups(groups.length, groups), "reading the groups");
  try {
    must(setgroups(0n, null), "giving up groups");
    must(setegid(gid), `becoming the group ${gid}`);
    must(seteuid(uid), `becoming the user ${uid}`);
    return await run();
  } finally {
    // In the other order: the groups are root's to change.
    const isBack = seteuid(0) === 0 && setegid(0) === 0 && setgroups(BigInt(groups.length), groups) === 0;
    if (!isBack) Deno.exit(70); // a process that is half root must not go on
  }
}
