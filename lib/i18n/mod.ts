/** Texts for people: `t("key", { place })` and `plural("key", n)`. Keys and their places are checked by the compiler. */
import { en } from "./en.ts";

type Texts = typeof en;

/** Key of a text. */
export type Key = keyof Texts;

type Places<S extends string> = S extends `${string}{${infer P}}${infer Rest}` ? P | Places<Rest> : never;
type Vars<S extends string> = Record<Places<S>, string | number>;
type Args<K extends Key> = [Places<Texts[K]>] extends [never] ? [] : [vars: Vars<Texts[K]>];

/** Key of a text without places: what data tables may refer to. */
export type PlainKey = { [K in Key]: [Places<Texts[K]>] extends [never] ? K : never }[Key];

/** Key of a text that depends on a count: `base.one` and `base.other` exist. */
export type PluralKey = Key extends infer K ? K extends `${infer Base}.other` ? Base : never : never;

function fill(text: string, vars: Record<string, string | number> | undefined): string {
  if (vars === undefined) return text;
  return text.replace(/\{(\w+)\}/g, (place, name: string) => name in vars ? String(vars[name]) : place);
}

/** The text of a key, its `{places}` filled. */
export function t<K extends Key>(key: K, ...[vars]: Args<K>): string {
  return fill(en[key], vars);
}

/** The language of the texts, for `<html lang>` and for number formats. */
export const LANGUAGE = "en";

const numbers = new Intl.NumberFormat(LANGUAGE);
const pluralRules = new Intl.PluralRules(LANGUAGE);

/** The text for a count; `{n}` is the count, written the language's way. */
export function plural(
  base: PluralKey,
  count: number,
  vars: Record<string, string | number> = {},
): string {
  const form = pluralRules.select(count) === "one" ? "one" : "other";
  const texts: Record<string, string> = en;
  return fill(texts[`${base}.${form}`] ?? base, { ...vars, n: numbers.format(count) });
}

/** A whole number, written the language's way. */
export function number(value: number): string {
  return numbers.format(value);
}
