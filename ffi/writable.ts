/** Whether a descriptor can be written to without waiting. */
import { LibvirtError } from "./error.ts";
import { openLibc } from "./library.ts";

const SYMBOLS = {
  poll: { parameters: ["buffer", /* fds */ "usize", /* nfds */ "i32" /* timeout */], result: "i32" },
} as const satisfies Record<string, Deno.ForeignFunction>;

/** poll(2) */
const POLLOUT = 4;
/**
 * Bytes that can be written at once to what is writable, without waiting: `PIPE_BUF` of pipe(7). The buffer of a socket that
 * is writable has room for more.
 */
export const WRITABLE_BYTES = 4096;

/** Null where there is no C library. */
let opened: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | null | undefined;

function libc(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | null {
  if (opened !== undefined) return opened;
  try {
    return opened = openLibc(SYMBOLS);
  } catch (error) {
    if (error instanceof LibvirtError) return opened = null;
    throw error;
  }
}

/**
 * Whether {@link WRITABLE_BYTES} can be written to a pipe, a socket or a terminal without waiting, or writing fails at once.
 * Files always can be, for poll(2), and so can everything where there is no C library.
 *
 * @param ms milliseconds to wait for it, in which this thread does nothing else
 */
export function isDescriptorWritable(descriptor: number, ms = 0): boolean {
  const symbols = libc();
  if (symbols === null) return true;
  // struct pollfd: int fd, short events, short revents
  const pollfd = new Int16Array(4);
  new Int32Array(pollfd.buffer, 0, 1)[0] = descriptor;
  pollfd[2] = POLLOUT;
  return symbols.poll(pollfd, 1n, Math.ceil(ms)) > 0;
}
