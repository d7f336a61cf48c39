/** What is said of a command that a form carried out. */
import { activity } from "../i18n/en/activity.ts";
import { forms } from "../i18n/en/forms.ts";
import { textsOf } from "../i18n/mod.ts";

const own = textsOf(forms), common = textsOf(activity);

type Own = Extract<keyof typeof forms, `forms.done.${string}`>;
type Common = Extract<keyof typeof activity, `activity.command.${string}`>;

/** The word for `?done=`: the command's name, and the field that says more of what it did. */
export function doneWord(command: string, input: Readonly<Record<string, unknown>>): string {
  const words = Object.entries(input).flatMap(([field, value]) => [
    `${command}.${field}.${value}`,
    `${command}.${field}`,
  ]);
  return words.find((word) => Object.hasOwn(forms, `forms.done.${word}`)) ?? command;
}

/** What is said of a word of {@link doneWord}; undefined for any other. */
export function doneText(word: string | null): string | undefined {
  const key = `forms.done.${word}`, activityKey = `activity.command.${word}`;
  if (Object.hasOwn(forms, key)) return own.t(key as Own);
  return Object.hasOwn(activity, activityKey) ? common.t(activityKey as Common) : undefined;
}

/** What is said of a form's outcome. */
export function outcomeText({ is, word }: { readonly is: "done" | "started"; readonly word: string }) {
  return is === "done" ? doneText(word) : own.t("forms.started");
}
