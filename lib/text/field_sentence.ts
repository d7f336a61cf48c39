/** What a validator says of a value, in words for a person at a form. */
import { number, t } from "../i18n/mod.ts";

/** A number in a validator's text, written the language's way. */
const figure = (digits: string) => number(Number(digits));

/** A validator's phrase → ours. */
const PHRASES: readonly { raw: RegExp; said: (n: string) => string }[] = [
  { raw: /must not have fewer than 1 (?:characters|items)/, said: () => t("field.empty") },
  { raw: /must not have fewer than (\d+) characters/, said: (n) => t("field.too_short", { n: figure(n) }) },
  { raw: /must not have more than (\d+) characters/, said: (n) => t("field.too_long", { n: figure(n) }) },
  { raw: /must not have fewer than (\d+) items/, said: (n) => t("field.too_few", { n: figure(n) }) },
  { raw: /must not have more than (\d+) items/, said: (n) => t("field.too_many", { n: figure(n) }) },
  { raw: /must be >= (-?\d+)/, said: (n) => t("field.too_small", { n: figure(n) }) },
  { raw: /must be <= (-?\d+)/, said: (n) => t("field.too_large", { n: figure(n) }) },
  { raw: /must be (?:integer|number)/, said: () => t("field.no_number") },
  { raw: /must match pattern "[^]*"$/, said: () => t("field.pattern") },
];

/** The same text with a validator's phrase in words. */
export function plainBounds(text: string): string {
  for (const { raw, said } of PHRASES) {
    const found = raw.exec(text);
    if (found) return text.replace(raw, () => said(found[1] ?? ""));
  }
  return text;
}

const PREFIX = "Invalid input: ";

/** What is wrong with a field, as a sentence beside it: its own name is not said again. */
export function fieldSentence(field: string, message: string): string {
  if (!message.startsWith(PREFIX)) return message;
  const reason = message.slice(PREFIX.length);
  const plain = plainBounds(reason.startsWith(`${field} `) ? reason.slice(field.length + 1) : reason);
  return `${plain.charAt(0).toUpperCase()}${plain.slice(1)}.`.replace(/\.\.$/, ".");
}
