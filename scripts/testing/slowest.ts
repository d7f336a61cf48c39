/**
 * Lists the slowest test files of reports of `deno test --junit-path`, for `test.sh`, and the longest waits, as the
 * testbed wrote them down (tests/testbed/times.ts).
 *
 *     deno run -A scripts/testing/slowest.ts [--times=FILE] [--record] REPORT…
 *
 * `--record` remembers on this machine the time of each file, by which `plan.ts` puts the longest first.
 */
import { testbedDir } from "../../tests/testbed/names.ts";
import type { SpentTime } from "../../tests/testbed/times.ts";
import { durationsOf } from "../junit.ts";
import { option, textIfThere } from "../project.ts";

/** Seconds by test file. */
const durationsFile = () => `${testbedDir()}/durations.json`;

/** How many files are named. */
const SLOWEST = 20;
/** How many waits are named. */
const LONGEST = 10;

/** A file's share, by what it went to. */
interface Share {
  seconds: number;
  times: number;
}

/** The table: one line a file, the slowest first, each with what it waited for most. */
export function slowest(durations: Readonly<Record<string, number>>, spent: readonly SpentTime[]): string[] {
  const all = Object.entries(durations).sort(([, a], [, b]) => b - a);
  const lines = all.slice(0, SLOWEST).map(([file, seconds]) => {
    const shares = sharesOf(spent.filter((each) => each.file === file));
    return `${seconds.toFixed(1).padStart(8)} s  ${file}${
      shares.length > 0 ? `  (${shares.join(", ")})` : ""
    }`;
  });
  const total = all.reduce((sum, [, seconds]) => sum + seconds, 0);
  return [
    `The slowest of ${all.length} files, ${total.toFixed(0)} s in all:`,
    ...lines,
    ...(spent.length > 0 ? [`All went to: ${sharesOf(spent).join(", ")}`] : []),
    ...longest(spent),
  ];
}

/** Longest waits in one file, all its waits for the same summed up. */
function longest(spent: readonly SpentTime[]): string[] {
  const waits = new Map<string, number>();
  for (const { what, ms, file, of } of spent) {
    if (what === "wait" && of !== undefined) {
      const name = `${of}  (${file})`;
      waits.set(name, (waits.get(name) ?? 0) + ms / 1000);
    }
  }
  const lines = [...waits].sort(([, a], [, b]) => b - a).slice(0, LONGEST)
    .map(([name, seconds]) => `${seconds.toFixed(1).padStart(8)} s  ${name}`);
  return lines.length > 0 ? ["The longest waits:", ...lines] : [];
}

/** `server 3 × 2.1 s`, the largest share first; what took less than a tenth of a second is left out. */
function sharesOf(spent: readonly SpentTime[]): string[] {
  const shares = new Map<string, Share>();
  for (const { what, ms } of spent) {
    const share = shares.get(what) ?? { seconds: 0, times: 0 };
    shares.set(what, { seconds: share.seconds + ms / 1000, times: share.times + 1 });
  }
  return [...shares].filter(([, { seconds }]) => seconds >= 0.1).sort(([, a], [, b]) => b.seconds - a.seconds)
    .map(([what, { seconds, times }]) => `${what} ${seconds.toFixed(1)} s in ${times}`);
}

/** Seconds that each file took on this machine in its last run, by path; empty before the first. */
export async function recorded(): Promise<Record<string, number>> {
  return JSON.parse(await textIfThere(durationsFile()) ?? "{}");
}

async function record(durations: Readonly<Record<string, number>>): Promise<void> {
  const all = { ...await recorded(), ...durations };
  await Deno.mkdir(testbedDir(), { recursive: true });
  await Deno.writeTextFile(durationsFile(), JSON.stringify(all, null, 2) + "\n");
}

async function spentIn(file: string | undefined): Promise<SpentTime[]> {
  if (file === undefined) return [];
  // Where nothing of the testbed was used there is none
  const lines = (await textIfThere(file) ?? "").split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line));
}

if (import.meta.main) {
  const reports = Deno.args.filter((each) => !each.startsWith("--"));
  const texts = await Promise.all(reports.map((path) => Deno.readTextFile(path)));
  const durations = Object.assign({}, ...texts.map(durationsOf)) as Record<string, number>;
  if (Deno.args.includes("--record")) await record(durations);
  for (const line of slowest(durations, await spentIn(option("times")))) console.log(line);
}
