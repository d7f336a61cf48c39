/**
 * PNG, as much as screens need: 8 bits a colour, with or without alpha, not interlaced. Pure: who calls brings zlib.
 * Source: PNG specification, third edition (W3C).
 */
import { type Bitmap, checkSize, MOST_PIXELS, PngError } from "./image.ts";

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Colour type → bytes a pixel: grey, RGB, grey with alpha, RGB with alpha. */
const CHANNELS: ReadonlyMap<number, number> = new Map([[0, 1], [2, 3], [4, 2], [6, 4]]);

/** zlib's compressing half (RFC 1950). */
export type Deflate = (bytes: Uint8Array) => Uint8Array;
/** The other half; refuses to give more than `most` bytes. */
export type Inflate = (bytes: Uint8Array, most: number) => Uint8Array;

/** Whether a file starts like a PNG. */
export function isPng(file: Uint8Array): boolean {
  return SIGNATURE.every((byte, index) => file[index] === byte);
}

/** Width and height of a PNG, from its head. @throws {PngError} */
export function pngSize(file: Uint8Array): { width: number; height: number } {
  if (!isPng(file) || file.length < 33) throw new PngError("not a PNG");
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  checkSize(width, height);
  return { width, height };
}

/** Reads a PNG; what is transparent is taken as if it were not. @throws {PngError} for one of another kind, or a broken one */
export function decodePng(file: Uint8Array, inflate: Inflate): Bitmap {
  const { width, height } = pngSize(file);
  const channels = CHANNELS.get(file[25]!);
  if (file[24] !== 8 || channels === undefined || file[28] !== 0) {
    throw new PngError("a PNG of another kind than 8 bits a colour, not interlaced");
  }
  const stride = width * channels;
  const lines = inflate(compressed(file), (stride + 1) * height);
  if (lines.length < (stride + 1) * height) throw new PngError("the PNG ends early");
  const pixels = unfilter(lines, stride, height, channels);
  if (channels === 3) return { width, height, rgb: pixels };
  const rgb = new Uint8Array(width * height * 3);
  const isGrey = channels < 3;
  for (let from = 0, to = 0; to < rgb.length; from += channels) {
    rgb[to++] = pixels[from]!;
    rgb[to++] = pixels[isGrey ? from : from + 1]!;
    rgb[to++] = pixels[isGrey ? from : from + 2]!;
  }
  return { width, height, rgb };
}

/** The IDAT chunks, joined. */
function compressed(file: Uint8Array): Uint8Array {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const parts: Uint8Array[] = [];
  let size = 0;
  for (let at = 8; at + 12 <= file.length;) {
    const length = view.getUint32(at);
    if (length > file.length - at - 12) throw new PngError("the PNG ends early");
    if (view.getUint32(at + 4) === 0x49444154) { // IDAT
      parts.push(file.subarray(at + 8, at + 8 + length));
      size += length;
    }
    at += 12 + length;
  }
  if (size === 0) throw new PngError("a PNG without pixels");
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Undoes the filter of each line: its first byte says which. Section 9. */
function unfilter(lines: Uint8Array, stride: number, height: number, bpp: number): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = lines[y * (stride + 1)]!;
    if (filter > 4) throw new PngError("a PNG with an unknown filter");
    const from = y * (stride + 1) + 1, to = y * stride;
    for (let x = 0; x < stride; x++) {
      const left = x >= bpp ? out[to + x - bpp]! : 0;
      const above = y > 0 ? out[to + x - stride]! : 0;
      const corner = x >= bpp && y > 0 ? out[to + x - stride - bpp]! : 0;
      const guess = filter === 0
        ? 0
        : filter === 1
        ? left
        : filter === 2
        ? above
        : filter === 3
        ? (left + above) >> 1
        : paeth(left, above, corner);
      out[to + x] = lines[from + x]! + guess;
    }
  }
  return out;
}

/** The one of three neighbours that is nearest to what they foretell. */
function paeth(left: number, above: number, corner: number): number {
  const toLeft = Math.abs(above - corner);
  const toAbove = Math.abs(left - corner);
  const toCorner = Math.abs(left + above - 2 * corner);
  return toLeft <= toAbove && toLeft <= toCorner ? left : toAbove <= toCorner ? above : corner;
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  for (let index = 0; index < 4; index++) bytes[4 + index] = type.charCodeAt(index);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
  return bytes;
}

/** Writes a PNG. Each line is kept as its difference to the one above, which screens compress well with. */
export function encodePng({ width, height, rgb }: Bitmap, deflate: Deflate): Uint8Array<ArrayBuffer> {
  if (rgb.length !== width * height * 3 || width * height > MOST_PIXELS) {
    throw new PngError("a picture whose size is not what it says");
  }
  const head = new Uint8Array(13);
  const view = new DataView(head.buffer);
  view.setUint32(0, width);
  view.setUint32(4, height);
  head.set([8, 2], 8);
  const stride = width * 3;
  const lines = new Uint8Array((stride + 1) * height);
  for (let y = 0; y < height; y++) {
    const to = y * (stride + 1);
    lines[to] = 2; // "up"
    for (let x = 0; x < stride; x++) {
      lines[to + 1 + x] = rgb[y * stride + x]! - (y > 0 ? rgb[(y - 1) * stride + x]! : 0);
    }
  }
  const parts = [
    Uint8Array.from(SIGNATURE),
    chunk("IHDR", head),
    chunk("IDAT", deflate(lines)),
    chunk("IEND", new Uint8Array()),
  ];
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}
