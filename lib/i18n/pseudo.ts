/**
 * A language for tests: every text of ours in it differs from the English one, is longer, has letters beyond ASCII, and shows where it
 * begins and ends. What is not in it on a page was not taken from the texts, and a sentence that is made of pieces shows them.
 */
import { addTexts } from "./locale.ts";

/** As the Unicode CLDR names it: English with accents. */
export const PSEUDO_LOCALE = "en-XA";
/** The same, written from right to left. */
export const PSEUDO_RTL_LOCALE = "ar-XB";

const ACCENTS: Readonly<Record<string, string>> = {
  a: "á",
  e: "é",
  i: "í",
  o: "ó",
  u: "ú",
  y: "ý",
  c: "ç",
  n: "ñ",
  s: "š",
  z: "ž",
  A: "Á",
  E: "É",
  I: "Í",
  O: "Ó",
  U: "Ú",
  Y: "Ý",
  C: "Ç",
  N: "Ñ",
  S: "Š",
  Z: "Ž",
};

/** By how much a text in it is longer than the English one. */
const LONGER = 0.4;

/** A text in it: its `{places}` stay. */
export function pseudoText(text: string): string {
  const accented = text.replace(/\{\w+\}|[A-Za-z]/g, (part) => ACCENTS[part] ?? part);
  return `⟦${accented}${"~".repeat(Math.ceil(text.length * LONGER))}⟧`;
}

/** Adds texts to the language. @param texts key → English text */
export const addPseudoTexts = (texts: Readonly<Record<string, string>>): void =>
  addTexts(
    PSEUDO_LOCALE,
    Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, pseudoText(text)])),
  );
