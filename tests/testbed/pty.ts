/** A program in a terminal of its own: what a person at a keyboard has, for the command line's interactive parts. */
import { until, type WaitOptions } from "./wait.ts";

/**
 * Runs a program under a pseudo-terminal (python3's, on every Debian) and passes bytes on. On its end it tells the
 * program's status, and whether the terminal is back in its cooked mode.
 */
const KEEPER = `
import fcntl, os, pty, select, sys, termios
fd, held = pty.openpty()
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(held, termios.TIOCSCTTY, 0)
    for number in (0, 1, 2): os.dup2(held, number)
    os.close(fd)
    os.execvp(sys.argv[1], sys.argv[1:])
def cooked():
    flags = termios.tcgetattr(held)[3]
    return bool(flags & termios.ICANON) and bool(flags & termios.ECHO)
status = None
stdin_open = True
while status is None:
    ready, _, _ = select.select([fd] + ([0] if stdin_open else []), [], [], 0.05)
    if fd in ready:
        os.write(1, os.read(fd, 65536))
    if 0 in ready:
        data = os.read(0, 65536)
        if data: os.write(fd, data)
        else: stdin_open = False
    done, code = os.waitpid(pid, os.WNOHANG)
    if done: status = os.waitstatus_to_exitcode(code)
while select.select([fd], [], [], 0.1)[0]:
    os.write(1, os.read(fd, 65536))
sys.stderr.write("%d %s" % (status, "cooked" if cooked() else "raw"))
`;

/** A program in a terminal. Disposing of it ends it. */
export class TerminalProgram implements AsyncDisposable {
  text = "";
  readonly #child: Deno.ChildProcess;
  readonly #keys: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reading: Promise<void>;
  readonly #verdict: Promise<string>;

  constructor(readonly args: readonly string[]) {
    const child = this.#child = new Deno.Command("python3", {
      args: ["-c", KEEPER, ...args],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#keys = child.stdin.getWriter();
    this.#reading = (async () => {
      const decoder = new TextDecoder();
      for await (const bytes of child.stdout) this.text += decoder.decode(bytes, { stream: true });
    })();
    this.#verdict = new Response(child.stderr).text();
  }

  /** Presses keys. */
  async type(text: string): Promise<void> {
    await this.#keys.write(new TextEncoder().encode(text));
  }

  /** Waits until the terminal shows something after a place. */
  async waitFor(
    wanted: string,
    { from = 0, ...options }: WaitOptions & { from?: number } = {},
  ): Promise<void> {
    await until(
      `${JSON.stringify(wanted)} in the terminal`,
      () => Promise.resolve(this.text.slice(from).includes(wanted)),
      { seconds: 30, every: 20, lastSeen: () => JSON.stringify(this.text.slice(-300)), ...options },
    );
  }

  /** Waits for its end: its exit status, and whether it left the terminal as it was. */
  async ended(): Promise<{ status: number; isCooked: boolean }> {
    const [status = "", mode = ""] = (await this.#verdict).trim().split(" ");
    await this.#reading;
    return { status: Number(status), isCooked: mode === "cooked" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // it has ended
    }
    await this.#child.status;
    await this.#keys.abort().catch(() => {/* closed with the process */});
    await Promise.allSettled([this.#reading, this.#verdict]);
  }
}
