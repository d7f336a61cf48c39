/** Reading what a PC's screen says in text mode, or Linux's console on a frame buffer. Pure. */
import type { Bitmap } from "../png/image.ts";
import { CELL, LETTERS } from "./font.ts";

/** Dots of a cell: text mode leaves a ninth column between letters, a frame buffer none. */
const WIDTHS = [9, 8];

/** The cell's dots that differ from its background, as the font has them; undefined for a cell of one colour. */
function dotsOf({ width, rgb }: Bitmap, left: number, top: number): string | undefined {
  const at = (x: number, y: number) => {
    const pixel = ((top + y) * width + left + x) * 3;
    return rgb[pixel]! << 16 | rgb[pixel + 1]! << 8 | rgb[pixel + 2]!;
  };
  // The first row of every letter is empty.
  const ground = at(0, 0);
  let dots = "", isBlank = true;
  for (let y = 0; y < CELL.height; y++) {
    let row = 0;
    for (let x = 0; x < CELL.width; x++) if (at(x, y) !== ground) row |= 0x80 >> x;
    if (row !== 0) isBlank = false;
    dots += row.toString(16).padStart(2, "0");
  }
  return isBlank ? undefined : dots;
}

/** The lines of a screen whose cells are so wide, and how many letters of it were known. */
function linesOf(image: Bitmap, cellWidth: number): { readonly lines: string[]; readonly known: number } {
  const lines: string[] = [];
  let known = 0;
  for (let top = 0; top + CELL.height <= image.height; top += CELL.height) {
    let line = "";
    for (let left = 0; left + cellWidth <= image.width; left += cellWidth) {
      const dots = dotsOf(image, left, top);
      const letter = dots === undefined ? " " : LETTERS.get(dots);
      if (dots !== undefined && letter !== undefined) known++;
      line += letter ?? "\ufffd";
    }
    lines.push(line.trimEnd());
  }
  return { lines, known };
}

/** The text of a screen, a line each; what is no known letter is U+FFFD. Empty where no letter is known. */
export function readText(image: Bitmap): string[] {
  const best = WIDTHS.map((width) => linesOf(image, width)).reduce((a, b) => b.known > a.known ? b : a);
  return best.known === 0 ? [] : best.lines;
}
