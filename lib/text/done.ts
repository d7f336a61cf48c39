/** Messages for a command that a form carried out. */
import { type CommandName, COMMANDS, type DeviceApplied } from "../contract/mod.ts";
import { activity } from "../i18n/en/activity.ts";
import { forms } from "../i18n/en/forms.ts";
import { textsOf } from "../i18n/mod.ts";
import { answerWarnings } from "./notice.ts";
import type { Notice } from "./notice.ts";

const own = textsOf(forms), common = textsOf(activity);

type Own = Extract<keyof typeof forms, `forms.done.${string}`>;
type Common = Extract<keyof typeof activity, `activity.command.${string}`>;

/** The word for what a command did: its name, and the field that says more of it. */
export function doneWord(command: string, input: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(input).flatMap(([field, value]) => [
    `${command}.${field}.${value}`,
    `${command}.${field}`,
  ]);
  return words.find((word) => Object.hasOwn(forms, `forms.done.${word}`)) ?? command;
}

/** Whether a text names what it is about. */
const NAMES = /\{name\}/;

/**
 * Message for a word of {@link doneWord}; undefined for any other.
 *
 * @param name the name of its object; without it the words are those of the activity
 * @param into the name of the object that it was added to
 */
export function doneText(word: string, name?: string, into = ""): string | undefined {
  const key = `forms.done.${word}`;
  if (Object.hasOwn(forms, key)) {
    const text = forms[key as Own];
    if (!NAMES.test(text)) return name === undefined ? text : own.t("forms.done_on", { what: text, name });
    if (name !== undefined) return own.t(key as Own, { name, in: into });
  }
  const activityKey = `activity.command.${word.split(".", 1)[0]}`;
  if (!Object.hasOwn(activity, activityKey)) return undefined;
  const what = common.t(activityKey as Common);
  return name === undefined ? what : own.t("forms.done_on", { what, name });
}

/** The fields of a deletion's answer that its notice tells. */
function deletedIn(command: CommandName, answer: unknown): Pick<Notice, "disks" | "entryId"> {
  if (!command.startsWith("delete_") || typeof answer !== "object" || answer === null) return {};
  const { bin, deletedDisks } = answer as {
    readonly bin?: { readonly entryId: string; readonly paths: readonly string[] } | null;
    readonly deletedDisks?: readonly string[];
  };
  return {
    entryId: bin?.entryId,
    disks: deletedDisks && deletedDisks.length + (bin?.paths.length ?? 0),
  };
}

/** Whether all or a part of a change of a running VM waits for its next start; undefined for none of it. */
function waitsIn(answer: unknown): Notice["waits"] {
  const { live, persistent, waiting = [] } = (answer ?? {}) as Partial<DeviceApplied> & {
    readonly waiting?: readonly string[];
  };
  return !persistent ? undefined : live === false ? "all" : waiting.length > 0 ? "part" : undefined;
}

/** The notice of a command that was carried out. @param name what it was done to @param isLive its VM runs */
export function noticeOf(
  command: CommandName,
  input: Readonly<Record<string, unknown>>,
  answer: unknown,
  name: string | undefined,
  isLive = false,
): Notice {
  const warnings = answerWarnings(answer), waits = isLive ? waitsIn(answer) : undefined;
  return {
    is: "done",
    word: doneWord(command, input),
    name,
    warnings,
    ...(waits !== undefined && { waits }),
    ...deletedIn(command, answer),
  };
}

/** A notice in words; undefined where its word is none of ours. */
export function noticeText({ is, word, name, in: into, disks = 0, waits }: Notice): string | undefined {
  if (is === "started") {
    if (!Object.hasOwn(COMMANDS, word)) return undefined;
    const what = COMMANDS[word as CommandName].summary;
    return name === undefined ? own.t("forms.started", { what }) : own.t("forms.started_on", { what, name });
  }
  if (word === "delete_vm" && disks > 0 && name !== undefined) {
    return own.plural("forms.deleted_vm", disks, { name });
  }
  const done = doneText(word, name, into);
  return done && waits ? own.t(`forms.waits_${waits}`, { done }) : done;
}
