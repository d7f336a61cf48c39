/** The warnings of a command's answer, as they are shown with what was done. Pure. */
import { plural } from "../i18n/mod.ts";
import { oneLine } from "./text.ts";

/** Sentences that are shown; of more their number is said. */
const MOST = 3;
/** Characters of a sentence. */
export const LONGEST_WARNING = 300;

/** A warning: a sentence, or a finding with one. */
const sentenceOf = (warning: unknown): string | undefined => {
  const sentence = typeof warning === "object" && warning !== null && "message" in warning
    ? warning.message
    : warning;
  return typeof sentence === "string" && sentence !== "" ? oneLine(sentence, LONGEST_WARNING) : undefined;
};

/**
 * What a person should know of what a command did: few sentences of bounded length, safe to lay out; undefined where the
 * answer has no warnings.
 */
export function answerWarnings(answer: unknown): readonly string[] | undefined {
  if (typeof answer !== "object" || answer === null || !("warnings" in answer)) return undefined;
  if (!Array.isArray(answer.warnings)) return undefined;
  const all = answer.warnings.map(sentenceOf).filter((sentence) => sentence !== undefined);
  if (all.length === 0) return undefined;
  if (all.length <= MOST) return all;
  return [...all.slice(0, MOST), plural("warnings.more", all.length - MOST)];
}
