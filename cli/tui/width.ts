/** Texts from anywhere in columns of a terminal. Pure. */
import stringWidth from "string-width";
import { escapeControlCharacters } from "../verb/cells.ts";
import type { Glyphs } from "./glyphs.ts";

/** All of ASCII that is printed. */
const PLAIN = /^[\x20-\x7e]*$/;
const OTHER = /[^\x20-\x7e]/gu;
/** Code points that may be one character: more of them are a heap of marks that covers the lines around it. */
const MOST_MARKS = 8;
/** Characters of a text that are looked at: no terminal is wider. */
const LOOKED_AT = 2000;

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" });

/** A character as it is shown, and its columns. */
interface Shown {
  readonly text: string;
  readonly columns: number;
}

/** A character as it may be shown: one without width, or with too many marks, is replaced. */
function shownOf(character: string, glyphs: Glyphs): Shown {
  const columns = stringWidth(character);
  if (columns < 1 || columns > 2 || [...character].length > MOST_MARKS) {
    return { text: glyphs.unshown, columns: 1 };
  }
  return { text: character, columns };
}

/** The characters of a text, escaped. */
function* characters(text: string, glyphs: Glyphs): Generator<Shown> {
  const escaped = escapeControlCharacters(text.slice(0, LOOKED_AT));
  if (!glyphs.unicode) {
    for (const each of escaped.replace(OTHER, glyphs.unshown)) yield { text: each, columns: 1 };
    return;
  }
  for (const { segment } of segmenter.segment(escaped)) yield shownOf(segment, glyphs);
}

/** A text that fits, and the columns that it takes. */
export interface Fitted {
  readonly text: string;
  readonly columns: number;
}

/** A text in at most so many columns; a sign tells where it is cut. */
export function fit(text: string, most: number, glyphs: Glyphs): Fitted {
  if (most <= 0) return { text: "", columns: 0 };
  if (text.length <= most && PLAIN.test(text)) return { text, columns: text.length };
  const found: Shown[] = [];
  let columns = 0;
  for (const each of characters(text, glyphs)) {
    found.push(each);
    columns += each.columns;
    if (columns <= most) continue;
    while (columns > most - 1) columns -= found.pop()!.columns;
    return { text: found.map((one) => one.text).join("") + glyphs.cut, columns: columns + 1 };
  }
  return { text: found.map((one) => one.text).join(""), columns };
}

/** Columns that a text takes where it is not cut. */
export function columnsOf(text: string, glyphs: Glyphs): number {
  if (PLAIN.test(text)) return text.length;
  let columns = 0;
  for (const each of characters(text, glyphs)) columns += each.columns;
  return columns;
}

/** Lines of a text that are no wider than may be; words are kept whole where they fit. */
export function folded(text: string, most: number, glyphs: Glyphs): string[] {
  const lines: string[] = [];
  for (const paragraph of text.split("\n")) {
    let current = "", taken = 0;
    for (const word of paragraph.split(/(?<=\s)/)) {
      let left = word;
      const columns = columnsOf(word.trimEnd(), glyphs);
      if (taken > 0 && taken + columns > most) {
        lines.push(current.trimEnd());
        [current, taken] = ["", 0];
      }
      while (columnsOf(left.trimEnd(), glyphs) > most) {
        const part = fit(left, most, glyphs);
        const kept = [...left].slice(0, Math.max(1, [...part.text].length - 1)).join("");
        lines.push(kept);
        left = left.slice(kept.length);
      }
      current += left;
      taken = columnsOf(current, glyphs);
    }
    lines.push(current.trimEnd());
  }
  return lines;
}
