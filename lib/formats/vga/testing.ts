/** Screens of letters, for tests. */
import type { Bitmap } from "../png/image.ts";
import { CELL, LETTERS } from "./font.ts";

/** A screen that says something, in light grey on black. @param cellWidth 9 in text mode, 8 on a frame buffer */
export function screenOf(lines: readonly string[], { columns = 80, rows = 25, cellWidth = 9 } = {}): Bitmap {
  const width = columns * cellWidth, height = rows * CELL.height;
  const rgb = new Uint8Array(width * height * 3);
  const dots = new Map([...LETTERS].map(([hex, letter]) => [letter, hex]));
  for (const [row, line] of lines.entries()) {
    for (const [column, letter] of [...line].entries()) {
      const hex = dots.get(letter);
      if (hex === undefined) continue;
      for (let y = 0; y < CELL.height; y++) {
        const bits = parseInt(hex.slice(y * 2, y * 2 + 2), 16);
        for (let x = 0; x < CELL.width; x++) {
          const at = ((row * CELL.height + y) * width + column * cellWidth + x) * 3;
          if (bits & 0x80 >> x) rgb.fill(170, at, at + 3);
        }
      }
    }
  }
  return { width, height, rgb };
}
