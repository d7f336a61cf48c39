/** Messages between checksums and their worker. */

/** What to do for one checksum: count a piece, give the sum of all pieces, or forget it. Each is answered once, in order. */
export interface ToChecksumWorker {
  readonly id: number;
  readonly step: { readonly count: Uint8Array<SharedArrayBuffer> } | "sum" | "forget";
}

/** What came of it: of `sum` the checksum, in hexadecimal. */
export interface FromChecksumWorker {
  readonly sha256?: string;
}
