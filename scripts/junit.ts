/**
 * Counts the results in a report of `deno test --junit-path`, for `test.sh`: prints "passed failed skipped" and the files
 * with failures, and to standard error the skipped tests, each with its reason (the end of its name, `[skipped: …]`).
 */

/** Results of one run. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Names of the tests that were not run. */
  readonly skipped: readonly string[];
  /** Files with tests that failed. A step fails its test: a helper that makes steps alone is not among them. */
  readonly failedFiles: readonly string[];
}

/** @throws {SyntaxError} when the report is not whole. */
export function countResults(xml: string): Counts {
  if (!xml.trimEnd().endsWith("</testsuites>")) {
    throw new SyntaxError("The report of the tests is not complete");
  }
  const cases = [...xml.matchAll(CASE)];
  const failed = cases.filter(([, , body = ""]) => FAILURE.test(body)).length;
  const names = new Set(cases.map(([, attributes = ""]) => nameIn(attributes)));
  const isFailedTest = ([, attributes = "", body = ""]: RegExpExecArray) =>
    FAILURE.test(body) && !isStep(nameIn(attributes), names);
  const failedFiles = [...xml.matchAll(/<testsuite\b([^>]*)>(.*?)<\/testsuite>/gs)]
    .filter(([, , body = ""]) => [...body.matchAll(CASE)].some(isFailedTest))
    .map(([, attributes = ""]) => nameIn(attributes));
  const skipped = cases
    .filter(([, , body = ""]) => /<skipped\b/.test(body))
    .map(([, attributes = ""]) => nameIn(attributes));
  return { passed: cases.length - failed - skipped.length, failed, skipped, failedFiles };
}

/**
 * Seconds that each file of a report took: what its suite says (`testing/run.ts`), else the sum of its tests. A step is a
 * case of its own there, named `test > step`: its time is in its test's already. Files that took no time were not run, and
 * are left out.
 */
export function durationsOf(xml: string): Record<string, number> {
  const durations: Record<string, number> = {};
  for (const [, attributes = "", body = ""] of xml.matchAll(/<testsuite\b([^>]*)>(.*?)<\/testsuite>/gs)) {
    const cases = [...body.matchAll(/<testcase\b([^>]*)>/g)].map(([, of = ""]) => ({
      name: nameIn(of),
      seconds: secondsIn(of),
    }));
    const names = new Set(cases.map(({ name }) => name));
    const tests = cases.filter(({ name }) => !isStep(name, names));
    const seconds = secondsIn(attributes) ?? tests.reduce((sum, each) => sum + (each.seconds ?? 0), 0);
    if (seconds > 0) durations[nameIn(attributes).replace(/^\.\//, "")] = seconds;
  }
  return durations;
}

/** Files of a report in which everything was run, and passed. */
export function passedFiles(xml: string): Set<string> {
  const files = [...xml.matchAll(/<testsuite\b([^>]*)>(.*?)<\/testsuite>/gs)]
    .filter(([, , body = ""]) => /<testcase\b/.test(body) && !FAILURE.test(body) && !/<skipped\b/.test(body));
  return new Set(files.map(([, attributes = ""]) => nameIn(attributes).replace(/^\.\//, "")));
}

function isStep(name: string, names: ReadonlySet<string>): boolean {
  for (let at = name.indexOf(" > "); at >= 0; at = name.indexOf(" > ", at + 1)) {
    if (names.has(name.slice(0, at))) return true;
  }
  return false;
}

const CASE = /<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs;
const FAILURE = /<(failure|error)\b/;

const secondsIn = (attributes: string) => {
  const time = /\btime="([\d.]+)"/.exec(attributes)?.[1];
  return time === undefined ? undefined : Number(time);
};

const nameIn = (attributes: string) => unescape(/\bname="([^"]*)"/.exec(attributes)?.[1] ?? "?");

function unescape(text: string): string {
  const entities: Record<string, string> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" };
  return text.replace(/&(\w+);/g, (entity, name: string) => entities[name] ?? entity);
}

if (import.meta.main) {
  const { passed, failed, skipped, failedFiles } = countResults(await Deno.readTextFile(Deno.args[0] ?? ""));
  for (const name of skipped) console.error(`skipped: ${name}`);
  console.log(passed, failed, skipped.length, ...failedFiles);
}
