/** Numbers, written the language's way. Pure. */
import { locale, perLocale, SOURCE_LOCALE } from "./locale.ts";

const signs = perLocale((language) =>
  new Intl.NumberFormat(language).formatToParts(1.5).find(({ type }) => type === "decimal")?.value ?? "."
);

/**
 * A number in digits with the language's decimal sign: `1.5` is `1,5` in German. Nothing is read for English: the
 * runtime reads a language's data for longer than a verb of the command line takes.
 *
 * @param digits as `String(number)` and `toFixed()` give them
 */
export const withDecimalSign = (digits: string): string =>
  locale() === SOURCE_LOCALE ? digits : digits.replace(".", () => signs());

/** A number with so many decimals: `1.46` with one is `1,5` in German. */
export const fixed = (value: number, decimals: number): string => withDecimalSign(value.toFixed(decimals));

// Made when it is needed: the runtime reads a language's data for several milliseconds.
const formats = perLocale((language) => new Intl.NumberFormat(language));

/** A whole number: `3600` is `3,600` in English and `3.600` in German. */
export const number = (value: number): string => formats().format(value);

/** Amounts as texts have them, with the decimal sign of whatever language they were written in. */
const AMOUNT = /^(-?\d+)[.,](\d+)(?= (?:%|ms|°C|(?:[KMGTP]i)?B(?:\/s)?|[kMG]bit\/s)$)/;

/** An amount that fills a place of a message, with the decimal sign of the language that it is read in; other texts as they are. */
export const amountHere = (text: string): string =>
  text.replace(AMOUNT, (_amount, whole: string, rest: string) => withDecimalSign(`${whole}.${rest}`));
