/** Texts of activities. */
import type { Activity } from "../contract/mod.ts";
import { activity as texts } from "../i18n/en/activity.ts";
import { type PlainKeyOf, textsOf } from "../i18n/mod.ts";
import type { MarkKinds } from "../metrics/marks.ts";
import { oneLine } from "../text/text.ts";

const own = textsOf(texts);

/** The key of what a command or an event is called. */
type NameKey = Extract<PlainKeyOf<typeof texts>, `activity.${"command" | "event"}.${string}`>;
const isKey = (key: string): key is NameKey =>
  /^activity\.(command|event)\./.test(key) && Object.hasOwn(texts, key);

/** Text of an activity, from the command's name or the event's. A batch has the text of its single command. */
export function activityText({ action }: Pick<Activity, "action">): string {
  const name = action.replace(/^batch_(\w+)s$/, "$1");
  const key = [`activity.command.${name}`, `activity.event.${name}`].find(isKey);
  return key ? own.t(key) : oneLine(action.replaceAll("_", " "), 80);
}

/** Words of marks on a time line, by their names: a page gets them from its server, in place of all there are. */
export const markWords = (kinds: MarkKinds): Readonly<Record<string, string>> =>
  Object.fromEntries([...kinds.keys()].map((action) => [action, activityText({ action })]));

/** Everything that has a word, by its word: to choose from. */
export function knownActions(): { readonly action: string; readonly text: string }[] {
  return Object.keys(texts).filter(isKey).map((key) => ({
    action: key.replace(/^activity\.(command|event)\./, ""),
    text: own.t(key),
  })).filter(({ action }, index, all) => all.findIndex((each) => each.action === action) === index)
    .sort((a, b) => a.text < b.text ? -1 : a.text > b.text ? 1 : a.action < b.action ? -1 : 1);
}

/** Without the consoles that somebody opened: who looks knows of that, and it would fill the list. @param name who looks */
export const withoutOwnConsoles = (entries: readonly Activity[], name: string): Activity[] =>
  entries.filter(({ action, actor, result }) =>
    action !== "open_console" || actor !== name || result === "error"
  );

/** Merges the page's list with events, newest first, each entry once. */
export function mergeActivity(
  newer: readonly Activity[],
  older: readonly Activity[],
  limit: number,
): Activity[] {
  const byId = new Map([...older, ...newer].map((entry) => [entry.id, entry]));
  return [...byId.values()].sort((a, b) => b.timestamp - a.timestamp || b.id - a.id).slice(0, limit);
}
