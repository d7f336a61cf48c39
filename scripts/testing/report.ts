/** Reports of tests as `deno test --junit-path` writes them: one of many, and one for a file that could not write it. */
import { escapeXml } from "../../lib/formats/xml/tree.ts";

/** What there is to say of a file that was run. */
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
 */
export function reportOf(
  file: string,
  xml: string | undefined,
  status: number | string,
  fault: string | undefined,
): FileReport {
  const whole = xml !== undefined && xml.trimEnd().endsWith("</testsuites>") && /<testsuite\b/.test(xml);
  if (fault === undefined && whole && (status === 0 || /<(failure|error)\b/.test(xml))) {
    return { report: xml };
  }
  const why = fault ??
    `Its process ended with ${typeof status === "number" ? `exit status ${status}` : status}, ${
      whole ? "although no test failed" : "without a report"
    }`;
  return { fault: why, report: mergeReports([failedFile(file, why), ...(whole ? [xml] : [])]) };
}

/** The report of a file that failed as a whole. */
export function failedFile(file: string, why: string): string {
  const name = escapeXml(`./${file.replace(/^\.\//, "")}`);
  return `<testsuites><testsuite name="${name}"><testcase name="the file" classname="${name}" time="0">` +
    `<failure message="${escapeXml(why)}"></failure></testcase></testsuite></testsuites>\n`;
}

/** One report of many. */
export function mergeReports(reports: readonly string[]): string {
  const suites = reports.flatMap((xml) => xml.match(/<testsuite\b[^>]*>.*?<\/testsuite>/gs) ?? []);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="deno test">\n${
    suites.join("\n")
  }\n</testsuites>\n`;
}
