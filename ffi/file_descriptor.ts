/** Descriptors of files, for what Deno has no functions for: open(2), close(2). */
import { openLibc } from "./library.ts";
import { withCString } from "./memory.ts";

const SYMBOLS = {
  // A server of files that does not answer has it wait: in another thread than the one that serves.
  open: { parameters: ["buffer", /* pathname */ "i32" /* flags */], result: "i32", nonblocking: true },
  close: { parameters: ["i32" /* fd */], result: "i32" },
} as const satisfies Record<string, Deno.ForeignFunction>;

/** How a file is opened; the same on x86-64 and aarch64. `PATH`: nothing is read, nothing waits for a FIFO's writer. */
export const OPEN = { READ: 0, NONBLOCK: 0o4000, PATH: 0x200000 } as const;
const O_CLOEXEC = 0o2000000;

let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;
const libc = () => opened ??= openLibc(SYMBOLS);

/**
 * Opens what a path leads to.
 *
 * @param flags of {@link OPEN}
 * @returns negative where it cannot be opened: the error's number is lost between threads
 */
export const openDescriptor = (path: string, flags: number): Promise<number> =>
  withCString(path, (name) => libc().open(name, flags | O_CLOEXEC));

/** Closes a descriptor. */
export function closeDescriptor(fd: number): void {
  libc().close(fd);
}
