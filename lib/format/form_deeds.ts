/** What plain forms can do to one thing: a table of words, and the call and the text that belong to each. Pure. */
import type { Api } from "../client/api.ts";

/** What a form's word does. */
export interface FormDeed<Text> {
  /** What is said when it is done. */
  readonly done: Text;
  /** @param about name of what it is done to @throws what the command failed with */
  readonly run: (api: Api, about: string, form: FormData) => Promise<unknown>;
}

/** The deed that a word from a form or an address names; undefined for a word of nobody's. */
export function deedNamed<T>(deeds: Readonly<Record<string, T>>, word: unknown): T | undefined {
  return typeof word === "string" && Object.hasOwn(deeds, word) ? deeds[word] : undefined;
}
