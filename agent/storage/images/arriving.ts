/** A file on its way in: hashed and counted as it comes, its first bytes looked at. */
import { createHash } from "node:crypto";
import type { Algorithm } from "../../../lib/image/checksums.ts";
import type { DownloadSource } from "./source.ts";
import { type PackingName, packingOf } from "../../../lib/formats/content_kind.ts";

/** Bytes that tell how something is packed. */
const MAGIC_BYTES = 10;

/** The pieces of a download, and what is known of them. */
export class Arriving {
  private constructor(
    /** All of its pieces, once. */
    readonly all: AsyncGenerator<Uint8Array>,
    /** How it is packed; undefined when it is not, or is to stay so. */
    readonly packing: PackingName | undefined,
    /** Its hash in hex, when everything has come. */
    readonly sum: () => string,
  ) {}

  /** @param onPiece called after each piece */
  static async of(
    source: DownloadSource,
    algorithm: Algorithm,
    onPiece: () => void,
    unpack: boolean,
  ): Promise<Arriving> {
    const hash = createHash(algorithm);
    const counted = async function* () {
      for await (const piece of source.content()) {
        hash.update(piece);
        yield piece;
        onPiece();
      }
    };
    const stream = counted();
    const head = await firstOf(stream);
    const all = async function* () {
      if (head.length > 0) yield head;
      yield* stream;
    };
    return new Arriving(all(), unpack ? packingOf(head) : undefined, () => hash.digest("hex"));
  }
}

/** The first bytes of a stream, taken from it. */
async function firstOf(stream: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < MAGIC_BYTES) {
    const { done, value } = await stream.next();
    if (done) break;
    pieces.push(value);
    length += value.length;
  }
  const first = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    first.set(piece, at);
    at += piece.length;
  }
  return first;
}
