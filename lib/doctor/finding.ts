/** What a check of the host finds: how bad it is, what is wrong, and what to do about it. */

/** How bad: nothing, something that may bite, something that does. */
export const LEVELS = ["ok", "warning", "problem"] as const;
export type Level = typeof LEVELS[number];

/** Areas that are looked at, in the order they are shown. */
export const AREAS = [
  "libvirt",
  "kvm",
  "qemu",
  "modules",
  "groups",
  "firewall",
  "storage",
  "clock",
  "names",
  "ports",
  "state",
  "certificate",
] as const;

/** One thing that was found. */
export interface Finding {
  readonly level: Level;
  /** What is so, in a sentence. */
  readonly what: string;
  /** What to do about it, in a sentence. */
  readonly advice?: string;
  /** The command that does it, for this distribution; run as root. */
  readonly command?: string;
}

/** Something about the host: known, or why it is not. Unknown is never taken for well. */
export type Fact<T> = { readonly value: T } | { readonly unknown: string };

export const ok = (what: string): Finding => ({ level: "ok", what });

/** A finding with its advice. */
export function found(level: "warning" | "problem", what: string, advice: string, command?: string): Finding {
  return { level, what, advice, ...(command !== undefined && { command }) };
}

/** Judges a fact where it is known; says what could not be looked at where it is not. */
export function judged<T>(fact: Fact<T>, of: string, judge: (value: T) => Finding[]): Finding[] {
  if ("value" in fact) return judge(fact.value);
  return [
    found("warning", `${of} could not be looked at: ${fact.unknown}`, "Run kvm-manager doctor as root."),
  ];
}

/** The worst of some findings. */
export function worst(findings: readonly Pick<Finding, "level">[]): Level {
  return LEVELS[Math.max(0, ...findings.map(({ level }) => LEVELS.indexOf(level)))]!;
}

/** A word as a shell takes it, for commands that are shown. */
export function shellWord(word: string): string {
  return /^[\w./@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
