/** Running other programs: argument arrays only, never a shell. */

/** A program that ended with another status than 0. */
export class ProcessError extends Error {
  override readonly name = "ProcessError";
  constructor(readonly argv: readonly string[], readonly status: number, readonly stderr: string) {
    super(`${argv.join(" ")}: ${stderr.trim() || `exit status ${status}`}`);
  }
}

/** Options of {@link run} besides the arguments. */
export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  /** Written to the program's standard input. Without it the input is empty. */
  readonly stdin?: string;
  /** Seconds after which it is killed; it may take as long as it wants when left out. */
  readonly seconds?: number;
}

/**
 * Runs a program to its end. The locale is C, so that messages can be compared.
 *
 * @returns its standard output, untouched
 * @throws {ProcessError} when it fails, with what it wrote to stderr
 * @throws {Error} when it had to be killed
 * @throws {Deno.errors.NotFound} when there is no such program
 */
export async function run(argv: readonly string[], options: RunOptions = {}): Promise<string> {
  const [program, ...args] = argv;
  if (program === undefined) throw new TypeError("no program given");
  const child = new Deno.Command(program, {
    args,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { LC_ALL: "C", ...options.env },
    stdin: options.stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  if (options.stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(options.stdin));
    await writer.close();
  }
  const { seconds } = options;
  let isLate = false;
  const limit = seconds === undefined ? undefined : setTimeout(() => {
    isLate = true;
    child.kill("SIGKILL");
  }, seconds * 1000);
  const { code, stdout, stderr } = await output;
  clearTimeout(limit);
  if (isLate) throw new Error(`${argv.join(" ")}: it had not ended after ${seconds} s, and was killed`);
  const decoder = new TextDecoder();
  if (code !== 0) throw new ProcessError(argv, code, decoder.decode(stderr));
  return decoder.decode(stdout);
}

/** The full path of a program in PATH (or in the folders that PATH of an ordinary user leaves out), or null. */
export async function which(program: string): Promise<string | null> {
  const folders = new Set([
    ...(Deno.env.get("PATH") ?? "").split(":"),
    "/usr/sbin",
    "/sbin",
    "/usr/bin",
    "/bin",
  ]);
  for (const folder of folders) {
    if (folder !== "" && await exists(`${folder}/${program}`)) return `${folder}/${program}`;
  }
  return null;
}

/** Whether something is at this path. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
