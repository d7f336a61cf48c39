/** Draws pictures of screens: rectangles, courses of colour, and text. Pure but for zlib. */
import { inflateRawSync } from "node:zlib";
import type { Bitmap } from "../../../lib/formats/png/image.ts";
import { GLYPHS } from "./glyphs.ts";

/** Pixels of a letter. */
export const LETTER = { width: 8, height: 16 } as const;
/** The first letter, and how many there are. */
const FIRST = 32, COUNT = 95;

export type Colour = readonly [red: number, green: number, blue: number];

let levels: Uint8Array | undefined;

/** Grey of a pixel of a letter, 0 to 15. */
function levelOf(letter: number, x: number, y: number): number {
  levels ??= inflateRawSync(Uint8Array.fromBase64(GLYPHS));
  const at = (letter * LETTER.height + y) * LETTER.width + x, pair = levels[at >> 1]!;
  return at & 1 ? pair & 15 : pair >> 4;
}

/** Grey between pixels, 0 to 1: letters that are drawn larger have no steps. */
function smoothLevel(letter: number, x: number, y: number): number {
  const left = Math.floor(x), top = Math.floor(y), right = x - left, down = y - top;
  const at = (column: number, row: number) =>
    column < 0 || row < 0 || column >= LETTER.width || row >= LETTER.height
      ? 0
      : levelOf(letter, column, row) / 15;
  if (right === 0 && down === 0) return at(left, top);
  return (at(left, top) * (1 - right) + at(left + 1, top) * right) * (1 - down) +
    (at(left, top + 1) * (1 - right) + at(left + 1, top + 1) * right) * down;
}

/** An edge that is no wider than it was before it was drawn larger. */
function sharp(part: number): number {
  const edge = Math.min(1, Math.max(0, (part - 0.3) / 0.3));
  return edge * edge * (3 - 2 * edge);
}

export class Canvas implements Bitmap {
  readonly rgb: Uint8Array<ArrayBuffer>;

  constructor(readonly width: number, readonly height: number) {
    this.rgb = new Uint8Array(width * height * 3);
  }

  #mix(x: number, y: number, [red, green, blue]: Colour, part: number): void {
    if (x < 0 || y < 0 || x >= this.width || y >= this.height) return;
    const at = (y * this.width + x) * 3, { rgb } = this;
    rgb[at] = rgb[at]! + (red - rgb[at]!) * part;
    rgb[at + 1] = rgb[at + 1]! + (green - rgb[at + 1]!) * part;
    rgb[at + 2] = rgb[at + 2]! + (blue - rgb[at + 2]!) * part;
  }

  /** Fills a rectangle. @param part how much of the colour covers what is there, 0 to 1 */
  fill(x: number, y: number, width: number, height: number, colour: Colour, part = 1): void {
    for (let row = y; row < y + height; row++) {
      for (let column = x; column < x + width; column++) this.#mix(column, row, colour, part);
    }
  }

  /** Fills everything with a course from one colour, at the top left, to another. */
  course(from: Colour, to: Colour): void {
    const last = this.width + this.height, { rgb } = this;
    for (let at = 0, y = 0; y < this.height; y++) {
      for (let x = 0; x < this.width; x++) {
        const part = (x + y) / last;
        for (let colour = 0; colour < 3; colour++) {
          rgb[at++] = from[colour]! + (to[colour]! - from[colour]!) * part;
        }
      }
    }
  }

  /** Fills a disc. */
  disc(x: number, y: number, radius: number, colour: Colour, part = 1): void {
    for (let row = -radius; row <= radius; row++) {
      for (let column = -radius; column <= radius; column++) {
        const edge = Math.min(1, Math.max(0, radius - Math.hypot(column, row)));
        this.#mix(x + column, y + row, colour, part * edge);
      }
    }
  }

  /** Writes a line of text. Letters that there are none of become blanks. @param scale pixels of a pixel */
  text(x: number, y: number, text: string, colour: Colour, scale = 1): void {
    for (let index = 0; index < text.length; index++) {
      const letter = text.charCodeAt(index) - FIRST;
      if (letter <= 0 || letter >= COUNT) continue;
      const left = x + index * LETTER.width * scale;
      for (let row = 0; row < LETTER.height * scale; row++) {
        for (let column = 0; column < LETTER.width * scale; column++) {
          const part = smoothLevel(letter, (column + 0.5) / scale - 0.5, (row + 0.5) / scale - 0.5);
          if (part > 0) this.#mix(left + column, y + row, colour, scale === 1 ? part : sharp(part));
        }
      }
    }
  }
}
