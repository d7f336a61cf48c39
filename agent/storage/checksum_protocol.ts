/** Messages between checksums and their worker. */

/**
 * A step of one checksum: count a piece, return the sum of all pieces, or forget it. Each is answered once,
 * in order.
 */
export interface ToChecksumWorker {
  readonly id: number;
  readonly step: { readonly count: Uint8Array<SharedArrayBuffer> } | "sum" | "forget";
}

/** Answer to a step: for `sum` the checksum, in hexadecimal. */
export interface FromChecksumWorker {
  readonly sha256?: string;
}
