/**
 * libpam, and the groups of an account through the host's own name services (NSS): whether a password is the one of
 * an account of this host, and whether the account may be used. Everything here blocks, for seconds where PAM asks a directory: it runs in `pam_worker.ts`.
 *
 * Source: pam(3), pam_conv(3), getpwnam_r(3), getgrouplist(3), getgrgid_r(3). Linux-PAM, 64 bit.
 */
import { cPassword, cString, readString } from "./memory.ts";

const ptr = "pointer", buf = "buffer", int = "i32", uint = "u32";

const PAM = {
  pam_start: {
    parameters: [buf, /* service */ buf, /* user */ buf, /* conv */ buf /* handle */],
    result: int,
  },
  pam_set_item: { parameters: [ptr, /* handle */ int, /* type */ ptr /* item */], result: int },
  pam_get_item: { parameters: [ptr, /* handle */ int, /* type */ buf /* item */], result: int },
  pam_authenticate: { parameters: [ptr, /* handle */ int /* flags */], result: int },
  pam_acct_mgmt: { parameters: [ptr, /* handle */ int /* flags */], result: int },
  pam_end: { parameters: [ptr, /* handle */ int /* status */], result: int },
  pam_strerror: { parameters: [ptr, /* handle */ int /* error */], result: ptr },
} as const satisfies Deno.ForeignLibraryInterface;

const LIBC = {
  calloc: { parameters: ["usize", "usize"], result: ptr },
  strdup: { parameters: [buf], result: ptr },
  dlsym: { parameters: [ptr, /* handle */ buf /* symbol */], result: ptr },
  getpwnam_r: {
    parameters: [buf, /* name */ buf, /* pwd */ buf, /* buf */ "usize", /* buflen */ buf /* result */],
    result: int,
  },
  getgrgid_r: {
    parameters: [uint, /* gid */ buf, /* grp */ buf, /* buf */ "usize", /* buflen */ buf /* result */],
    result: int,
  },
  getspnam_r: {
    parameters: [buf, /* name */ buf, /* spbuf */ buf, /* buf */ "usize", /* buflen */ buf /* result */],
    result: int,
  },
  getgrouplist: {
    parameters: [buf, /* user */ uint, /* group */ buf, /* groups */ buf /* ngroups */],
    result: int,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** Constants of Linux-PAM (security/_pam_types.h). */
const ITEM = { user: 2, rhost: 4, failDelay: 10 } as const;
const STYLE = { echoOff: 1, errorMessage: 3, info: 4 } as const;
const CONV_ERROR = 19;
const DISALLOW_NULL = 1;

/** Request to authenticate a user with PAM. */
export interface HostQuestion {
  readonly service: string;
  readonly user: string;
  /** Missing: whether the account may be used is asked alone, without its password. */
  readonly password?: string;
  /** Address of the user's client: PAM's modules may decide on it, and log it. */
  readonly address: string;
}
/** Result of an authentication. */
export type HostAnswer =
  | {
    readonly kind: "yes";
    readonly groups: readonly string[];
    /** Its number on the host (uid): another one under its name is another person. */
    readonly uid: number;
  }
  /** PAM's word for why not; never told to who asked. */
  | { readonly kind: "no"; readonly reason: string }
  /** Without a password: the host could not say, now. */
  | { readonly kind: "unknown"; readonly reason: string };

/** Codes of PAM that are about the account; others (a directory that does not answer, …) are about the moment. */
const REFUSALS: ReadonlySet<number> = new Set([6, 7, 10, 11, 12, 13, 16]);

const pointerTo = (bytes: Uint8Array<ArrayBuffer> | BigUint64Array<ArrayBuffer>) =>
  Deno.UnsafePointer.of(bytes);
const addressIn = (cell: BigUint64Array) => Deno.UnsafePointer.create(cell[0]!);

/** Answers PAM's questions: the password to the first that is not echoed, nothing else to anybody. */
function conversation(password: string, libc: Deno.DynamicLibrary<typeof LIBC>["symbols"]) {
  let isGiven = false;
  return new Deno.UnsafeCallback(
    { parameters: [int, ptr, ptr, ptr], result: int },
    (count, messages, answers) => {
      if (messages === null || answers === null || count < 1 || count > 32) return CONV_ERROR;
      // struct pam_response { char *resp; int resp_retcode; }: PAM frees it, and what it points to.
      const responses = libc.calloc(BigInt(count), 16n);
      if (responses === null) return CONV_ERROR;
      const out = new DataView(Deno.UnsafePointerView.getArrayBuffer(responses, count * 16));
      const list = new Deno.UnsafePointerView(messages);
      let result = 0;
      for (let each = 0; each < count; each++) {
        const message = list.getPointer(each * 8);
        const style = message === null ? 0 : new Deno.UnsafePointerView(message).getInt32();
        if (style === STYLE.errorMessage || style === STYLE.info) continue;
        if (style !== STYLE.echoOff || isGiven) {
          result = CONV_ERROR;
          continue;
        }
        isGiven = true;
        const copy = libc.strdup(cPassword(password));
        out.setBigUint64(each * 16, copy === null ? 0n : Deno.UnsafePointer.value(copy), true);
      }
      new DataView(Deno.UnsafePointerView.getArrayBuffer(answers, 8))
        .setBigUint64(0, Deno.UnsafePointer.value(responses), true);
      return result;
    },
  );
}

/**
 * Whether the password of an account is locked, as `passwd -l` does: PAM's account phase does not look at that. One that never
 * had a password (`!`, `*`) signs in by other ways.
 */
function isLocked(user: string, libc: Deno.DynamicLibrary<typeof LIBC>["symbols"]): boolean {
  const entry = new Uint8Array(128), text = new Uint8Array(16_384), found = new BigUint64Array(1);
  const failed = libc.getspnam_r(cString(user), entry, text, BigInt(text.length), found) !== 0;
  // An account of a directory has no line in the shadow file.
  if (failed || found[0] === 0n) return false;
  // struct spwd: name, password (pointers).
  const password = Deno.UnsafePointer.create(new DataView(entry.buffer).getBigUint64(8, true));
  return password !== null && /^!+\$/.test(readString(password));
}

/**
 * The uid of an account, and names of its groups: none for root. Null where the host does not know it, undefined where it
 * cannot say.
 */
function lookUp(
  user: string,
  libc: Deno.DynamicLibrary<typeof LIBC>["symbols"],
): { readonly uid: number; readonly groups: readonly string[] } | null | undefined {
  const entry = new Uint8Array(64), text = new Uint8Array(16_384), found = new BigUint64Array(1);
  const size = BigInt(text.length);
  if (libc.getpwnam_r(cString(user), entry, text, size, found) !== 0) return undefined;
  if (found[0] === 0n) return null;
  // struct passwd: name, password (pointers), uid, gid (32 bits each).
  const view = new DataView(entry.buffer);
  const uid = view.getUint32(16, true), gid = view.getUint32(20, true);
  if (uid === 0) return { uid, groups: [] };
  const ids = new Uint32Array(1024), count = new Int32Array([ids.length]);
  if (libc.getgrouplist(cString(user), gid, ids, count) < 0) return undefined;
  const names: string[] = [];
  for (const id of ids.subarray(0, count[0])) {
    const group = new Uint8Array(32), buffer = new Uint8Array(1 << 20), there = new BigUint64Array(1);
    const failed = libc.getgrgid_r(id, group, buffer, BigInt(buffer.length), there) !== 0 || there[0] === 0n;
    if (failed) continue;
    // struct group begins with its name.
    names.push(readString(Deno.UnsafePointer.create(new DataView(group.buffer).getBigUint64(0, true))));
  }
  return { uid, groups: names };
}

/**
 * Asks PAM. Blocks.
 *
 * @throws {Error} when libpam cannot be loaded
 */
export function askHost({ service, user, password, address }: HostQuestion): HostAnswer {
  using pam = openPam();
  using libc = closing(Deno.dlopen("libc.so.6", LIBC));
  const callback = conversation(password ?? "", libc.symbols);
  const conv = new BigUint64Array([Deno.UnsafePointer.value(callback.pointer), 0n]);
  const cell = new BigUint64Array(1);
  const { symbols } = pam;
  let status = symbols.pam_start(cString(service), cString(user), conv, cell);
  const handle = addressIn(cell);
  const host = cString(address);
  const refused = (code: number): HostAnswer => ({
    kind: password !== undefined || REFUSALS.has(code) ? "no" : "unknown",
    reason: readString(symbols.pam_strerror(handle, code)),
  });
  try {
    if (status !== 0) return refused(status);
    status = symbols.pam_set_item(handle, ITEM.rhost, pointerTo(host));
    // Waiting after a failure is ours, outside this thread: a function that does nothing stands in for PAM's.
    symbols.pam_set_item(handle, ITEM.failDelay, libc.symbols.dlsym(null, cString("abs")));
    if (status === 0 && password !== undefined) status = symbols.pam_authenticate(handle, DISALLOW_NULL);
    if (status === 0) status = symbols.pam_acct_mgmt(handle, DISALLOW_NULL);
    if (status !== 0) return refused(status);
    if (password === undefined && isLocked(user, libc.symbols)) return { kind: "no", reason: "it is locked" };
    const name = new BigUint64Array(1);
    symbols.pam_get_item(handle, ITEM.user, name);
    // A module may make somebody else of them: then it is not who asked.
    if (readString(addressIn(name)) !== user) return { kind: "no", reason: "PAM knows them by another name" };
    const found = lookUp(user, libc.symbols);
    if (found === null) return { kind: "no", reason: "the host has no account of its name" };
    return found === undefined
      ? { kind: "unknown", reason: "its uid and its groups cannot be looked up" }
      : { kind: "yes", ...found };
  } finally {
    if (handle !== null) symbols.pam_end(handle, status);
    callback.close();
  }
}

function closing<L extends { close(): void }>(library: L): L & Disposable {
  return Object.assign(library, { [Symbol.dispose]: () => library.close() });
}

function openPam() {
  try {
    return closing(Deno.dlopen("libpam.so.0", PAM));
  } catch (error) {
    throw new Error("libpam cannot be loaded. Install it (Debian: libpam0g, Fedora: pam-libs)", {
      cause: error,
    });
  }
}
