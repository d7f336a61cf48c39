/** How content becomes what a store keeps: as it is, or encrypted (`sealed_codec.ts`). */
import { digestOf } from "./digest.ts";

type Bytes = Uint8Array<ArrayBuffer>;

export interface Codec {
  readonly isEncrypted: boolean;
  /** The name of a chunk with that content: 64 hexadecimal digits. */
  chunkName(content: Bytes): Promise<string>;
  /** The name of a copy's file in the store. */
  fileName(copyId: string, name: string): string;
  /** What is kept at a place of the store. */
  seal(place: string, bytes: Bytes): Promise<Bytes>;
  /** What was kept there. @throws {ManifestError} where it is not what was put there */
  unseal(place: string, bytes: Bytes): Promise<Bytes>;
  /** Bytes that what is kept may be larger. */
  readonly overhead: number;
}

/** Everything as it is, chunks by the SHA-256 of their content. */
export const plainCodec: Codec = {
  isEncrypted: false,
  chunkName: digestOf,
  fileName: (_copyId, name) => name,
  seal: (_place, bytes) => Promise.resolve(bytes),
  unseal: (_place, bytes) => Promise.resolve(bytes),
  overhead: 0,
};
