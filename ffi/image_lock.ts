/**
 * QEMU's own locks on an image: who holds them keeps every QEMU of every host from opening it, which proves that none
 * goes over to it meanwhile. Sources: fcntl(2), "Open file description locks"; QEMU's block/file-posix.c.
 */
import { closeDescriptor, OPEN, openDescriptor } from "./file_descriptor.ts";
import { openLibc } from "./library.ts";

const SYMBOLS = {
  // A server of files that does not answer has it wait: in another thread than the one that serves.
  fcntl: {
    parameters: ["i32", /* fd */ "i32", /* op */ "buffer" /* lock */],
    result: "i32",
    nonblocking: true,
  },
} as const satisfies Record<string, Deno.ForeignFunction>;

/** fcntl(2): the same on x86-64 and aarch64. */
const F_OFD_GETLK = 36, F_OFD_SETLK = 37, F_RDLCK = 0, F_WRLCK = 1, F_UNLCK = 2;
/** QEMU locks a byte for each thing it does with an image, from 100 on, and for each that others must not, from 200 on. */
const FIRST = 100n, BYTES = 200n;

let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;
const libc = () => opened ??= openLibc(SYMBOLS);

/** struct flock: l_type, l_whence (16 bits each, from the start of the file), l_start, l_len (64 bits), l_pid. */
function lockOf(type: number): DataView<ArrayBuffer> {
  const lock = new DataView(new ArrayBuffer(32));
  lock.setInt16(0, type, true);
  lock.setBigInt64(8, FIRST, true);
  lock.setBigInt64(16, BYTES, true);
  return lock;
}

/** `taken`: no QEMU opens it meanwhile; `open`: one has it; `unknown`: it cannot be read, or its file system has no locks. */
export type ImageLockState = "taken" | "open" | "unknown";

/** Milliseconds after which no QEMU is left that has opened an image and is about to lock it. */
const KEEP_MS = 10_000;
/** Request for a read lock; it must outlive the call, which runs on another thread. */
const READ_LOCK = lockOf(F_RDLCK).buffer;

/** A try to keep QEMU from an image, until it is disposed of. */
export class ImageLock implements Disposable {
  #isKept = false;

  private constructor(private readonly fd: number, readonly state: ImageLockState) {}

  /** Tries once, without waiting. Like QEMU, it locks for reading, which a file that may only be read allows, and looks for others. */
  static async take(path: string): Promise<ImageLock> {
    const fd = await openDescriptor(path, OPEN.READ | OPEN.NONBLOCK);
    if (fd < 0) return new ImageLock(fd, "unknown");
    return new ImageLock(fd, await lock(fd));
  }

  /** Holds it a moment longer, for a file that is gone: a QEMU may have opened it before, and lock it only now. */
  keep(): void {
    this.#isKept = true;
    Deno.unrefTimer(setTimeout(() => this.#close(), KEEP_MS));
  }

  #close(): void {
    if (this.fd >= 0) closeDescriptor(this.fd);
  }

  [Symbol.dispose](): void {
    if (!this.#isKept) this.#close();
  }
}

/** Locks an open file. */
async function lock(fd: number): Promise<ImageLockState> {
  const found = lockOf(F_WRLCK), { fcntl } = libc();
  const isTaken = await fcntl(fd, F_OFD_SETLK, READ_LOCK) === 0;
  if (await fcntl(fd, F_OFD_GETLK, found.buffer) !== 0) return "unknown";
  return isTaken && found.getInt16(0, true) === F_UNLCK ? "taken" : "open";
}
