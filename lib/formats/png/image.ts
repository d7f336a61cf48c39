/** Pictures as bytes: three a pixel (red, green, blue), rows from the top. Pure. */

/** A picture. */
export interface Bitmap {
  readonly width: number;
  readonly height: number;
  /** `width * height * 3` bytes. */
  readonly rgb: Uint8Array<ArrayBuffer>;
}

/** A file that is no picture we can read. */
export class PngError extends Error {
  override readonly name = "ImageError";
}

/** Most pixels taken on: twice 4K. */
export const MOST_PIXELS = 2 * 4096 * 2160;

/** @throws {PngError} for a size that no screen has */
export function checkSize(width: number, height: number): void {
  const fits = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!fits || width * height > MOST_PIXELS) throw new PngError(`a picture of ${width} × ${height} pixels`);
}

/** Whitespace and `# comments` between the numbers of a PPM's head. */
const PPM_HEAD = /^P6(?:\s+(?:#[^\n]*\n\s*)*)(\d{1,5})\s+(?:#[^\n]*\n\s*)*(\d{1,5})\s+(?:#[^\n]*\n\s*)*255\s/;

/** Reads a binary PPM (P6, 8 bits a colour), as QEMU before 7.1 writes it. @throws {PngError} Source: ppm(5). */
export function decodePpm(file: Uint8Array): Bitmap {
  const head = PPM_HEAD.exec(new TextDecoder("latin1").decode(file.subarray(0, 256)));
  if (head === null) throw new PngError("not a binary PPM of 8 bits a colour");
  const [width, height] = [Number(head[1]), Number(head[2])];
  checkSize(width, height);
  const rgb = file.slice(head[0].length, head[0].length + width * height * 3);
  if (rgb.length < width * height * 3) throw new PngError("the PPM ends early");
  return { width, height, rgb };
}

/** Makes a picture narrower, each pixel the mean of those it stands for. One that is narrow enough stays as it is. */
export function shrink(image: Bitmap, mostWidth: number): Bitmap {
  if (image.width <= mostWidth) return image;
  const width = mostWidth;
  const height = Math.max(1, Math.round(image.height * mostWidth / image.width));
  const rgb = new Uint8Array(width * height * 3);
  // First and behind-last source pixel of each place, the same for every row.
  const edges = Array.from({ length: width + 1 }, (_, x) => Math.floor(x * image.width / width));
  let out = 0;
  for (let y = 0; y < height; y++) {
    const top = Math.floor(y * image.height / height);
    const bottom = Math.max(top + 1, Math.floor((y + 1) * image.height / height));
    for (let x = 0; x < width; x++) {
      const left = edges[x]!, right = edges[x + 1]!;
      let red = 0, green = 0, blue = 0;
      for (let row = top; row < bottom; row++) {
        let at = (row * image.width + left) * 3;
        for (let column = left; column < right; column++) {
          red += image.rgb[at++]!;
          green += image.rgb[at++]!;
          blue += image.rgb[at++]!;
        }
      }
      const count = (bottom - top) * (right - left);
      rgb[out++] = red / count;
      rgb[out++] = green / count;
      rgb[out++] = blue / count;
    }
  }
  return { width, height, rgb };
}
