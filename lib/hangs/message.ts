/** That something does not respond, and does so again, in the activity and in alerts. Pure. */
import type { Hang } from "../contract/host.ts";
import { hangCause } from "./words.ts";
import { oneLine } from "../text/text.ts";
import { formatSpan } from "../text/time.ts";

/** Longest name in a sentence. */
const LONGEST = 64;

const WORDS: Readonly<Record<Exclude<Hang["about"], "vm">, string>> = {
  pool: "Storage pool",
  network: "Network",
  storage: "File system",
  host: "libvirt",
};

/**
 * Kind and name of what does not respond; empty for a VM, which is named next to the sentence. Parts of libvirt are one: where
 * one hangs, others follow.
 */
export function hangSubject({ about, name }: Pick<Hang, "about" | "name">): string {
  if (about === "vm") return "";
  if (about === "host") return WORDS.host;
  return `${WORDS[about]} ${oneLine(name, LONGEST)}`;
}

const withSubject = (hang: Hang, text: string) => {
  const subject = hangSubject(hang);
  return subject === "" ? text : `${subject}: ${text}`;
};

/** Why something does not respond. */
export const hangText = (hang: Hang): string => withSubject(hang, hangCause(hang.call));

/** For how long something has not responded. @param ms milliseconds */
export function hangEndText(hang: Hang, ms: number): string {
  const span = ms < 60_000 ? `${Math.round(ms / 1000)} s` : formatSpan(ms);
  return withSubject(hang, `it did not respond for ${span}`);
}

/** Date and time to the second, in UTC: alerts are read anywhere. */
const utc = (at: number) => new Date(at).toISOString().replace("T", " ").replace(/\.\d+Z$/, " UTC");

/** Why something does not respond as an alert says it, which names it itself: since when, and what helps. Without a full stop. */
export function hangAlertText(hang: Hang): string {
  const text = `${hangCause(hang.call)}, since ${utc(hang.since)}. ${oneLine(hang.remedy, 300)}`;
  return text.replace(/\.$/, "");
}
