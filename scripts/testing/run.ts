/**
 * Runs each test file in a process of its own, a few at a time, for `test.sh`: a file that hangs or crashes is a failure
 * of that file alone, and is named. `deno test --parallel` runs all of them in one process, which ends with the first
 * crash in a native library and waits for ever for what hangs.
 *
 *     deno run -A scripts/testing/run.ts --report=FILE [--failed=FILE] [--jobs=3] [--most=10] [--minutes-per-file=15] [--minutes=75] FILE…
 *
 * The files are begun in the order given, `--jobs` at a time, and more of them, up to `--most`, whenever the processors
 * are idle and there is memory: many files wait for guests and for clocks. What a file printed is printed when it ends,
 * or, with `--failed`, written there when the file failed; the reports of all become one, as `deno test --junit-path` writes it. The exit status is 1 when a
 * file failed, or was not begun in time.
 */
import { Mutex } from "../../lib/mutex.ts";
import { option, textIfThere } from "../project.ts";
import { spareShare } from "./idle.ts";
import { failedFile, mergeReports, reportOf } from "./report.ts";

/** How a file ended. */
interface Ended {
  readonly seconds: number;
  /** Fault of the file itself, not of a test in it; undefined if its report is complete. */
  readonly fault?: string;
  readonly output: string;
  readonly report: string;
}

/** Limits of `run()`. Times in milliseconds. */
export interface RunLimits {
  /** Files at a time, whatever else the machine does. */
  readonly jobs: number;
  /** Files at a time where the processors are idle; as many as `jobs` when left out. */
  readonly most?: number;
  /** The share of the processors' time that was left just now, 0–1; looks for some seconds when left out, and at memory. */
  readonly idle?: () => Promise<number>;
  readonly perFile: number;
  /** Files that are not begun after this are not run at all. */
  readonly total: number;
}

/** A file more is begun where more of the processors' time than this was left: half of one of two. */
const IDLE_ENOUGH = 0.25;
/** Milliseconds that are looked at: what was begun before has begun to work by then. */
const IDLE_MS = 3000;

/** Processes of the files being run. Each leads a session of its own, which an interrupt from the terminal does not reach. */
const running = new Set<number>();

/**
 * Runs the files, and calls `ended` as each one does.
 * @returns the report of all, and whether all passed.
 */
export async function run(
  files: readonly string[],
  limits: RunLimits,
  ended: (file: string, how: Ended) => Promise<void>,
): Promise<{ report: string; passed: boolean }> {
  const began = performance.now();
  const waiting = [...files];
  const reports: string[] = [];
  const { jobs, most = jobs, idle = () => spareShare(IDLE_MS) } = limits;
  const turns = new Mutex();
  const untilIdle = () =>
    turns.run(async () => {
      while (waiting.length > 0 && await idle() < IDLE_ENOUGH);
    });
  async function worker(_: unknown, index: number): Promise<void> {
    for (;;) {
      if (index >= jobs) await untilIdle();
      const file = waiting.shift();
      if (file === undefined) return;
      const how = performance.now() - began < limits.total
        ? await runFile(file, limits.perFile, found)
        : notBegun(file, limits.total);
      reports.push(how.report);
      await ended(file, how);
    }
  }
  // What the files find out about the machine (tests/testbed/skip.ts)
  const found = await Deno.makeTempDir({ prefix: "kvmm-test-run-" });
  try {
    await Promise.all(Array.from({ length: Math.max(jobs, most) }, worker));
  } finally {
    await Deno.remove(found, { recursive: true });
  }
  const report = mergeReports(reports);
  return { report, passed: !hasFailure(report) };
}

const hasFailure = (report: string) => /<(failure|error)\b/.test(report);

async function runFile(file: string, limit: number, found: string): Promise<Ended> {
  const began = performance.now();
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-run-" });
  try {
    const path = `${folder}/report.xml`, printed = `${folder}/output`;
    // A session of its own, so that a file that hangs ends with all it started; its output goes to a file, because a
    // process that it left behind would hold a pipe open
    const child = new Deno.Command("setsid", {
      args: [
        "sh",
        "-c",
        'out=$1; shift; exec "$0" "$@" >"$out" 2>&1',
        Deno.execPath(),
        printed,
        "test",
        "-A",
        "--no-check",
        `--junit-path=${path}`,
        file,
      ],
      env: { KVMM_TEST_RUN: found },
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
    running.add(child.pid);
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      endSession(child.pid);
    }, limit);
    const { code, signal } = await child.status;
    clearTimeout(timer);
    running.delete(child.pid);
    const fault = late ? `It was ended after ${inWords(limit)}: it hangs, or is too slow` : undefined;
    const seconds = (performance.now() - began) / 1000;
    return {
      seconds,
      output: await Deno.readTextFile(printed),
      ...reportOf(file, await textIfThere(path), signal ?? code, fault, seconds),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function notBegun(file: string, limit: number): Ended {
  const fault = `It was not begun: the files before it took ${inWords(limit)}`;
  return { seconds: 0, fault, output: "", report: failedFile(file, fault, 0) };
}

/** Kills a process and all of its group, whose leader it is. */
function endSession(pid: number): void {
  try {
    Deno.kill(-pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error; // it has just ended
  }
}

const inWords = (ms: number) => `${Math.round(ms / 1000)} s`;

if (import.meta.main) {
  const files = Deno.args.filter((each) => !each.startsWith("--"));
  const path = option("report");
  if (path === undefined || files.length === 0) {
    console.error(
      "Usage: run.ts --report=FILE [--failed=FILE] [--jobs=3] [--most=10] [--minutes-per-file=15] [--minutes=75] FILE…",
    );
    Deno.exit(2);
  }
  const limits = {
    jobs: Number(option("jobs") ?? 3),
    most: Number(option("most") ?? 10),
    perFile: Number(option("minutes-per-file") ?? 15) * 60_000,
    total: Number(option("minutes") ?? 75) * 60_000,
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => {
      running.forEach(endSession);
      Deno.exit(130);
    });
  }
  const apart = option("failed"), printing = new Mutex();
  let count = 0;
  const { report, passed } = await run(files, limits, async (file, { seconds, fault, output, report }) => {
    const head = `[${++count}/${files.length}] ${file} (${Math.round(seconds)} s)`;
    const text = `${head}\n${output}${fault === undefined ? "" : `${head}: FAILED. ${fault}\n`}`;
    if (apart !== undefined && hasFailure(report)) {
      await Deno.writeTextFile(apart, text, { append: true });
      console.log(`${head}: did not pass`);
    } else {
      // Two files that end at once would both lock the stream
      await printing.run(() =>
        new Blob([text]).stream().pipeTo(Deno.stdout.writable, { preventClose: true })
      );
    }
  });
  await Deno.writeTextFile(path, report);
  if (!passed) Deno.exit(1);
}
