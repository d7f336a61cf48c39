/**
 * Messages that are made into text where somebody reads them: a text with `{places}`, and what fills these. VMs stand in them
 * by their ids, so that a reader's rights decide what is told of them, and the reader's language how. Plain data: what is
 * stored is the message, not the text.
 */
import { fill } from "./fill.ts";
import { translated, translation } from "./locale.ts";
import { amountHere } from "./numbers.ts";
import { isPhraseAt, isSentenceIn } from "./phrases.ts";

/** A VM, by the name that it has or had. */
export interface VmReference {
  readonly $vm: string;
  readonly name: string;
}

/** How many VMs there are of something. */
export interface VmCount {
  readonly $vms: number;
}

/** Text of another program, or a name of a file, and the ids of the VMs that are named in it. */
export interface ForeignText {
  readonly $foreign: string;
  readonly vmIds: readonly string[];
}

/** A text with what fills its places. The text is English, and the key of its translations. */
export interface Message {
  readonly $text: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** A message, or a text that names no VM; a VM's name alone. A plain text that is ours is English, and the key of its translations. */
export type Sentence = string | Message | ForeignText | VmReference;

/** Fields of answers, events and records that are sentences. */
type SentenceField =
  | "advice"
  | "hindrance"
  | "message"
  | "notes"
  | "reason"
  | "subject"
  | "text"
  | "title"
  | "usedBy"
  | "waitsFor"
  | "warnings"
  | "what";
type Sentences<T> = T extends string ? Sentence
  : T extends readonly string[] ? Sentence[]
  : Unrendered<T>;

/** The same with messages where sentences are. */
export type Unrendered<T> = T extends object ? {
    [K in keyof T]: K extends SentenceField ? Sentences<T[K]> : Unrendered<T[K]>;
  }
  : T;

const has = <K extends string>(value: unknown, key: K): value is Readonly<Record<K, unknown>> =>
  typeof value === "object" && value !== null && Object.hasOwn(value, key);

export const isVmName = (value: unknown): value is VmReference => has(value, "$vm");
export const isVmCount = (value: unknown): value is VmCount => has(value, "$vms");
export const isForeignText = (value: unknown): value is ForeignText => has(value, "$foreign");
export const isMessage = (value: unknown): value is Message => has(value, "$text");
/** Whether it is one of the above, which a reader is told as text. */
export const isRenderable = (value: unknown): boolean =>
  isVmName(value) || isVmCount(value) || isForeignText(value) || isMessage(value) ||
  Array.isArray(value) && value.some(isRenderable);

/** A VM for a message. */
export function vmName(
  vm: ({ readonly id: string } | { readonly vmId: string }) & { readonly name: string },
): VmReference {
  return { $vm: "vmId" in vm ? vm.vmId : vm.id, name: vm.name };
}

/** Name of a user of an object, for a message: a VM, or a user without an id. */
export const userName = (user: { readonly vmId: string; readonly name: string }): VmReference | string =>
  user.vmId === "" ? user.name : vmName(user);

/** A message from a template: its values fill the places `{0}`, `{1}` … */
export function message(texts: TemplateStringsArray, ...values: readonly unknown[]): Message {
  return {
    $text: texts.reduce((text, part, at) => `${text}{${at - 1}}${part}`),
    args: Object.fromEntries(values.entries()),
  };
}

/** Names in a list that are written out. */
const MOST_LISTED = 8;

/** Ending of a list whose further names are not written out. */
export const LISTED_MORE = "{shown} and {more} more";

function listed(values: readonly unknown[], one: (value: unknown) => string): string {
  const shown = values.slice(0, MOST_LISTED).map(one).join(", ");
  const more = values.length - MOST_LISTED;
  return more > 0 ? one({ $text: LISTED_MORE, args: { shown, more } }) : shown;
}

/** A text's translation; undefined where there is none. */
type Translate = (text: string) => string | undefined;

/** The text of a value of a message. @param translate a text's translation; undefined where there is none */
function renderWith(value: unknown, translate: Translate, amount: (text: string) => string): string {
  const one = (each: unknown) => renderWith(each, translate, amount);
  if (isVmName(value)) return value.name;
  if (isVmCount(value)) return String(value.$vms);
  if (isForeignText(value)) return value.$foreign;
  if (isMessage(value)) {
    const args = Object.entries(value.args).map(([place, each]) => [
      place,
      typeof each === "string" && isPhraseAt(place, each) ? translate(each) ?? one(each) : one(each),
    ]);
    return fill(translate(value.$text) ?? value.$text, Object.fromEntries(args));
  }
  return Array.isArray(value) && isRenderable(value) ? listed(value, one) : amount(String(value));
}

/** A value of a message as text, in the language of what is done now. A plain string with a blank is a sentence. */
export const render = (value: unknown): string =>
  typeof value === "string" && value.includes(" ")
    ? translated(value)
    : renderWith(value, translation, amountHere);

/** The same in English, for what programs read. Counts stay numbers, and what is no message stays what it is. */
export function renderPlain(value: unknown): unknown {
  if (isVmCount(value)) return value.$vms;
  return isRenderable(value) ? renderWith(value, () => undefined, (text) => text) : value;
}

/** Ids of the VMs that a value names, however deep. */
export function vmIdsIn(value: unknown): Set<string> {
  const found = new Set<string>();
  const look = (each: unknown): void => {
    if (isVmName(each)) found.add(each.$vm);
    else if (isForeignText(each)) each.vmIds.forEach((id) => found.add(id));
    else if (Array.isArray(each)) each.forEach(look);
    else if (isMessage(each)) Object.values(each.args).forEach(look);
  };
  look(value);
  return found;
}

/** An answer as it goes out: with the texts of its messages, and its sentences translated. What has none is given back as it is. */
export function rendered<T>(value: Unrendered<T> | T): T;
export function rendered(value: unknown): unknown {
  return renderedIn("", value);
}

/** The same for the value of a field. @param field "" where it is in none */
function renderedIn(field: string, value: unknown): unknown {
  if (typeof value === "string") return isSentenceIn(field, value) ? translated(value) : value;
  if (isVmName(value) || isMessage(value) || isForeignText(value)) return render(value);
  if (Array.isArray(value)) return value.map((each) => renderedIn(field, each));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, renderedIn(name, each)]));
}
