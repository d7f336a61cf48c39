/** Messages between the owner of a transfer and its worker: plain data. One transfer a worker. */
import type { LibvirtFailure } from "./error.ts";

/** Which bytes of which volume, and which way. */
export interface TransferTarget {
  readonly direction: "upload" | "download";
  readonly path: string;
  /** Where in the volume it begins, in bytes. */
  readonly offset: number;
  /** How many bytes; for a download 0 means all that follow. */
  readonly length: number;
  /** Counts what is sent into a SHA-256, which goes on over all uploads of the same worker. */
  readonly sha256?: boolean;
}

/** To the worker. Every message is answered once, in order. `abort` ends it in any state. */
export type ToTransferWorker =
  | { type: "open"; uri: string; target: TransferTarget }
  | { type: "send"; bytes: Uint8Array<ArrayBuffer> }
  | { type: "receive" }
  | { type: "digest" }
  | { type: "finish" }
  | { type: "abort" };

/** From the worker. Empty bytes are the end; `sent` gives the memory of what was sent back, to be used again. */
export type FromTransferWorker =
  | { type: "ok" }
  | { type: "sent"; bytes: Uint8Array<ArrayBuffer> }
  | { type: "data"; bytes: Uint8Array<ArrayBuffer> }
  | { type: "digest"; sha256: string }
  | { type: "failure"; failure: LibvirtFailure };
