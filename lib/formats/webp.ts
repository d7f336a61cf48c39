/** The head of a WebP file. Source: RFC 9649. */

/** Width and height of a picture in pixels. */
export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Bytes of a file that {@link webpSize} needs. */
const WEBP_HEAD = 30;

const latin1 = new TextDecoder("latin1");

/** The size that an extended WebP (`VP8X`, as browsers write it) says of itself; null for any other file. */
export function webpSize(head: Uint8Array): PictureSize | null {
  if (head.length < WEBP_HEAD) return null;
  const isExtended = latin1.decode(head.subarray(0, 4)) === "RIFF" &&
    latin1.decode(head.subarray(8, 16)) === "WEBPVP8X";
  if (!isExtended) return null;
  const uint24 = (at: number) => head[at]! | head[at + 1]! << 8 | head[at + 2]! << 16;
  return { width: uint24(24) + 1, height: uint24(27) + 1 };
}
