/** Finding of a check of the host: severity, problem and advice. */
import { HEALTH_LEVELS, type HealthLevel } from "../../contract/health.ts";
import { message, type Sentence } from "../../i18n/message.ts";

/** One thing that was found. */
export interface Finding {
  readonly level: HealthLevel;
  /** The finding, in a sentence. */
  readonly what: Sentence;
  /** Advice, in a sentence. */
  readonly advice?: Sentence;
  /** The command that does it, for this distribution; run as root. */
  readonly command?: string;
}

/** Something about the host: known, or why it is not. Unknown is never taken for well. */
export type HostFact<T> = { readonly value: T } | { readonly unknown: string };

export const passed = (what: Sentence): Finding => ({ level: "ok", what });

/** A finding with its advice. */
export function needsAction(
  level: "warning" | "problem",
  what: Sentence,
  advice: Sentence,
  command?: string,
): Finding {
  return { level, what, advice, ...(command !== undefined && { command }) };
}

/** Judges a fact where it is known; says what could not be looked at where it is not. */
export function judged<T>(fact: HostFact<T>, of: string, judge: (value: T) => Finding[]): Finding[] {
  if ("value" in fact) return judge(fact.value);
  return [
    needsAction(
      "warning",
      message`${of} could not be looked at: ${fact.unknown}`,
      "Run kvm-manager doctor as root.",
    ),
  ];
}

/** The worst of some findings. */
export function worst(findings: readonly Pick<Finding, "level">[]): HealthLevel {
  return HEALTH_LEVELS[Math.max(0, ...findings.map(({ level }) => HEALTH_LEVELS.indexOf(level)))]!;
}

/** A word as a shell takes it, for commands that are shown. */
export function shellWord(word: string): string {
  return /^[\w./@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** How many findings are bad. */
export function countFindings(
  findings: readonly Pick<Finding, "level">[],
): { readonly problems: number; readonly warnings: number } {
  const count = (level: HealthLevel) => findings.filter((each) => each.level === level).length;
  return { problems: count("problem"), warnings: count("warning") };
}
