/** How content becomes what a store keeps: as it is, or encrypted (`sealed_codec.ts`). */
type Bytes = Uint8Array<ArrayBuffer>;

export interface StoreCodec {
  readonly isEncrypted: boolean;
  /** Key for names of chunks (`chunkName()`), if names must not reveal content. */
  readonly nameKey: Bytes | undefined;
  /** The name of a copy's file in the store. */
  fileName(copyId: string, name: string): string;
  /** Seals a file for a place of the store. */
  seal(place: string, bytes: Bytes): Promise<Bytes>;
  /** Opens a file of a place of the store. @throws {ManifestError} if it was not sealed for that place */
  unseal(place: string, bytes: Bytes): Promise<Bytes>;
  /** Bytes that what is kept may be larger. */
  readonly overhead: number;
}

/** Everything as it is, chunks by the SHA-256 of their content. */
export const plainCodec: StoreCodec = {
  isEncrypted: false,
  nameKey: undefined,
  fileName: (_copyId, name) => name,
  seal: (_place, bytes) => Promise.resolve(bytes),
  unseal: (_place, bytes) => Promise.resolve(bytes),
  overhead: 0,
};
