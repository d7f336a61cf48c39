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
  /** Files with tests that failed. */
  readonly failedFiles: readonly string[];
}

/** @throws {SyntaxError} when the report is not whole. */
export function countResults(xml: string): Counts {
  if (!xml.trimEnd().endsWith("</testsuites>")) {
    throw new SyntaxError("The report of the tests is not complete");
  }
  const cases = [...xml.matchAll(/<testcase\b([^>]*?)(?:\/>|>(.*?)<\/testcase>)/gs)];
  const failed = cases.filter(([, , body = ""]) => FAILURE.test(body)).length;
  const failedFiles = [...xml.matchAll(/<testsuite\b([^>]*)>(.*?)<\/testsuite>/gs)]
    .filter(([, , body = ""]) => FAILURE.test(body))
    .map(([, attributes = ""]) => nameIn(attributes));
  const skipped = cases
    .filter(([, , body = ""]) => /<skipped\b/.test(body))
    .map(([, attributes = ""]) => nameIn(attributes));
  return { passed: cases.length - failed - skipped.length, failed, skipped, failedFiles };
}

/**
 * Seconds that each file of a report took. A step is a case of its own there, named `test > step`: its time is in its
 * test's already.
 */
export function durationsOf(xml: string): Record<string, number> {
  const durations: Record<string, number> = {};
  for (const [, attributes = "", body = ""] of xml.matchAll(/<testsuite\b([^>]*)>(.*?)<\/testsuite>/gs)) {
    const cases = [...body.matchAll(/<testcase\b([^>]*)>/g)].map(([, of = ""]) => ({
      name: nameIn(of),
      seconds: Number(/\btime="([\d.]+)"/.exec(of)?.[1] ?? 0),
    }));
    const names = new Set(cases.map(({ name }) => name));
    const seconds = cases.filter(({ name }) => !isStep(name, names)).reduce(
      (sum, each) => sum + each.seconds,
      0,
    );
    durations[nameIn(attributes).replace(/^\.\//, "")] = seconds;
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

const FAILURE = /<(failure|error)\b/;

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
