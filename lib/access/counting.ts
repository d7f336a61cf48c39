/**
 * Sentences that count VMs, those out of somebody's sight among them: how many there are of these is not theirs to know.
 * Whoever writes such a sentence takes it from here, so that it is known again. Pure.
 */
import { ERRORS } from "../contract/errors.ts";

/** Lines of the logs of schedules' and backups' tasks. */
export const COUNTING_LINES = {
  meant: "{count} VMs are meant",
  meantAtOnce: "{count} VMs are meant, {parallel} at once",
  pruned: "Deleted {count} older copies",
} as const;

/** Why a run failed, with what came first. */
const COUNTING_ERRORS = ["BackupRunFailed", "ScheduleRunFailed"] as const;

/** The sentence with numbers in its places; `{first}` is a sentence of its own, which counts nothing. */
const patternOf = (text: string): RegExp => {
  const body = RegExp.escape(text).replace("\\{first\\}", "(?<first>.*)").replace(/\\\{\w+\\\}/g, "\\d+");
  return new RegExp(`^${body}$`, "s");
};

const PATTERNS = [...Object.values(COUNTING_LINES), ...COUNTING_ERRORS.map((code) => ERRORS[code].text)].map(
  patternOf,
);

/** What of a text counts no VMs: all of most, what failed first, or nothing. */
export function withoutCounts(text: string): string {
  const pattern = PATTERNS.find((each) => each.test(text));
  return pattern === undefined ? text : pattern.exec(text)!.groups?.first ?? "";
}
