/** Notice about the form that led to a page: kept in a cookie from one page to the next, and shown once. Pure. */
import { oneLine } from "./text.ts";

/** Result of a form. */
export interface Notice {
  readonly is: "done" | "started";
  /** The word for what was done (`doneWord`); of what was started the command's name. */
  readonly word: string;
  /** The name of what it was done to. */
  readonly name?: string | undefined;
  /** Name of the object that it was added to. */
  readonly in?: string | undefined;
  /** How many disks were deleted with a VM. */
  readonly disks?: number | undefined;
  /** The entry of the bin that brings it back. */
  readonly entryId?: string | undefined;
  /** Address of the task's page. */
  readonly task?: string | undefined;
  /** Part of it that a running VM has from its next start on. */
  readonly waits?: "all" | "part" | undefined;
  /** Warnings, as `answerWarnings` gives them. */
  readonly warnings?: readonly string[] | undefined;
}

/** The name of its cookie. */
export const NOTICE_COOKIE = "notice";
const LONGEST_NAME = 100;
/** Sentences that are shown; of more their number is said. */
const MOST_SAID = 3;
/** Characters of a sentence. */
const LONGEST_WARNING = 300;

/**
 * Warnings in the answer of a command: few sentences of bounded length, safe to lay out; undefined if the answer has
 * none.
 */
export function answerWarnings(answer: unknown): readonly string[] | undefined {
  const { warnings } = (answer ?? {}) as { readonly warnings?: readonly (string | { message: string })[] };
  if (!warnings?.length) return undefined;
  const said = warnings.slice(0, MOST_SAID).map((each) =>
    oneLine(typeof each === "string" ? each : each.message, LONGEST_WARNING)
  );
  const more = warnings.length - said.length;
  return more === 0 ? said : [...said, `… (+${more})`];
}

/** Characters of a cookie's value; browsers keep 4096 bytes with its name. */
const LONGEST_VALUE = 3900;
/** A few, and how many more there are. */
const MOST_WARNINGS = MOST_SAID + 1;
/** Seconds a notice waits for its page, which is the next one. */
const WAITS_S = 60;

/** The cookie that keeps a notice for the next page; null: the cookie that takes it away. */
export function noticeCookie(notice: Notice | null): string {
  const rest = "Path=/; SameSite=Lax";
  if (notice === null) return `${NOTICE_COOKIE}=; ${rest}; Max-Age=0`;
  const short = (text: string | undefined) => text === undefined ? undefined : oneLine(text, LONGEST_NAME);
  const kept = { ...notice, name: short(notice.name), in: short(notice.in) };
  const warnings = [...notice.warnings ?? []];
  let value: string;
  // What does not fit is left out, the last first.
  do value = encodeURIComponent(JSON.stringify({ ...kept, warnings })); while (
    value.length > LONGEST_VALUE && warnings.pop() !== undefined
  );
  return `${NOTICE_COOKIE}=${value}; ${rest}; Max-Age=${WAITS_S}`;
}

const textIn = (value: unknown): string | undefined => typeof value === "string" ? value : undefined;

/** The notice in the value of its cookie; null where there is none, or none of ours. */
export function noticeIn(value: string | undefined): Notice | null {
  if (!value) return null;
  try {
    const { is, word, name, in: into, disks, entryId, task, waits, warnings } = JSON.parse(
      decodeURIComponent(value),
    ) as Record<string, unknown>;
    if ((is !== "done" && is !== "started") || typeof word !== "string") return null;
    return {
      is,
      word,
      name: textIn(name),
      in: textIn(into),
      entryId: textIn(entryId),
      waits: waits === "all" || waits === "part" ? waits : undefined,
      disks: typeof disks === "number" ? disks : undefined,
      // Nothing but a task of this site is linked.
      task: /^\/tasks\/[\w-]+$/.test(textIn(task) ?? "") ? textIn(task) : undefined,
      warnings: Array.isArray(warnings)
        ? warnings.slice(0, MOST_WARNINGS).filter((each) => typeof each === "string")
        : undefined,
    };
  } catch {
    // It was cut off, or is another program's of the same host name.
    return null;
  }
}
