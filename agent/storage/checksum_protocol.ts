/** Messages between a checksum and its worker. */

/** A piece to count, or none: the end. Each is answered once, in order. */
export interface ToChecksumWorker {
  readonly bytes?: Uint8Array<SharedArrayBuffer>;
}

/** What came of it; at the end the checksum, in hexadecimal. */
export interface FromChecksumWorker {
  readonly sha256?: string;
}
