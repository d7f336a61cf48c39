/** Reports of tests as `deno test --junit-path` writes them: one of many, and one for a file that could not write it. */
import { escapeXml } from "../../lib/formats/xml/tree.ts";

/** JUnit suite of a test file, and the fault of the file itself if it has one. */
export interface FileReport {
  readonly fault?: string;
  readonly report: string;
}

/**
 * The report of a file, by the one it wrote and how its process ended. A process that failed although all its tests passed
 * (a module that does not load, a leak, a crash after the last test) is a failure as well.
 * @param xml what it wrote, if anything.
 * @param status the exit status, or the signal it died of.
 * @param fault what is known to have gone wrong, if anything.
 * @param seconds what its process took.
 */
export function reportOf(
  file: string,
  xml: string | undefined,
  status: number | string,
  fault: string | undefined,
  seconds: number,
): FileReport {
  const whole = xml !== undefined && xml.trimEnd().endsWith("</testsuites>") && /<testsuite\b/.test(xml);
  const cases = whole ? casesIn(xml) : "";
  if (fault === undefined && whole && (status === 0 || /<(failure|error)\b/.test(xml))) {
    return { report: suiteOf(file, cases, seconds) };
  }
  const why = fault ??
    `Its process ended with ${typeof status === "number" ? `exit status ${status}` : status}, ${
      whole ? "although no test failed" : "without a report"
    }`;
  return { fault: why, report: suiteOf(file, failedCase(file, why) + cases, seconds) };
}

/** The report of a file that failed as a whole. @param seconds what it took; 0 when it was not run */
export const failedFile = (file: string, why: string, seconds: number): string =>
  suiteOf(file, failedCase(file, why), seconds);

const pathOf = (file: string) => escapeXml(`./${file.replace(/^\.\//, "")}`);

const failedCase = (file: string, why: string) =>
  `<testcase name="the file" classname="${pathOf(file)}" time="0">` +
  `<failure message="${escapeXml(why)}"></failure></testcase>`;

/**
 * The cases of all suites of a report. Deno names suites after the files that call `Deno.test` and `t.step`, which may be
 * a helper of several test files.
 */
const casesIn = (xml: string) =>
  [...xml.matchAll(/<testsuite\b[^>]*>(.*?)<\/testsuite>/gs)].map(([, cases]) => cases).join("");

/** A report whose only suite is named after the file that was run. */
const suiteOf = (file: string, cases: string, seconds: number) =>
  `<testsuites><testsuite name="${pathOf(file)}" time="${
    seconds.toFixed(3)
  }">${cases}</testsuite></testsuites>\n`;

/** One report of many. */
export function mergeReports(reports: readonly string[]): string {
  const suites = reports.flatMap((xml) => xml.match(/<testsuite\b[^>]*>.*?<\/testsuite>/gs) ?? []);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="deno test">\n${
    suites.join("\n")
  }\n</testsuites>\n`;
}
