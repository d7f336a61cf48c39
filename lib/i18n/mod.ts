/**
 * Texts for people: `t("key", { place })` and `plural("key", n)`, in the language of what is done now (`locale.ts`). Keys
 * and their places are checked by the compiler.
 *
 * Texts of every page are in `en.ts`. Those of one area are in `en/<area>.ts`, so that only its pages load them:
 * `const { t } = textsOf(console)`.
 */
import { fill } from "./fill.ts";
import { en } from "./en.ts";
import { perLocale, translation } from "./locale.ts";
import { number } from "./numbers.ts";

export { number };

/** The texts of an area: key → text with `{places}`. */
type Texts = Readonly<Record<string, string>>;

type KeyOf<T extends Texts> = Extract<keyof T, string>;
type Places<S extends string> = S extends `${string}{${infer P}}${infer Rest}` ? P | Places<Rest> : never;
type Vars<S extends string> = Record<Places<S>, string | number>;
type Args<S extends string> = [Places<S>] extends [never] ? [] : [vars: Vars<S>];

/** Key of an area's text without places: what data tables may refer to. */
export type PlainKeyOf<T extends Texts> = {
  [K in KeyOf<T>]: [Places<T[K]>] extends [never] ? K : never;
}[KeyOf<T>];

/** Key of an area's text that depends on a count: `base.one` and `base.other` exist. */
export type PluralKeyOf<T extends Texts> = KeyOf<T> extends infer K
  ? K extends `${infer Base}.other` ? Base : never
  : never;

/** Key of a text every page has. */
export type Key = KeyOf<typeof en>;
/** Key of such a text without places. */
export type PlainKey = PlainKeyOf<typeof en>;
/** Key of such a text that depends on a count. */
export type PluralKey = PluralKeyOf<typeof en>;

// Made when they are needed: the runtime reads a language's data for several milliseconds.
const pluralRules = perLocale((language) => new Intl.PluralRules(language));

/** `t` and `plural` over the texts of an area. */
export function textsOf<T extends Texts>(texts: T) {
  return {
    /** The text of a key, its `{places}` filled. */
    t<K extends KeyOf<T>>(key: K, ...[vars]: Args<T[K]>): string {
      return fill(translation(key) ?? texts[key]!, vars ?? {});
    },
    /** The text for a count; `{n}` is the count, written the language's way. */
    plural(base: PluralKeyOf<T>, count: number, vars: Record<string, string | number> = {}): string {
      const form = pluralRules().select(count);
      const text = translation(`${base}.${form}`) ?? translation(`${base}.other`) ??
        texts[`${base}.${form}`] ?? texts[`${base}.other`] ?? base;
      return fill(text, { ...vars, n: number(count) });
    },
  };
}

export const { t, plural } = textsOf(en);
