/** Messages between the owner of a transfer and its worker: plain data. One transfer a worker. */
import type { LibvirtAddress } from "./address.ts";
import type { VolumePlace } from "./connection.ts";
import type { LibvirtFailure } from "./error.ts";

/** Bytes of a volume to transfer, and the direction. */
export interface TransferTarget extends VolumePlace {
  readonly direction: "upload" | "download";
  /** Offset in the volume, in bytes. */
  readonly offset: number;
  /** How many bytes; for a download 0 means all that follow. */
  readonly length: number;
}

/**
 * To the worker. Every message is answered once, in order. `abort` ends it in any state. Once `givenUp` is not 0, it does
 * nothing of what it was asked, but for that.
 */
export type ToTransferWorker =
  | { type: "open"; address: LibvirtAddress; target: TransferTarget; givenUp: Int32Array<SharedArrayBuffer> }
  | { type: "send"; bytes: Uint8Array<SharedArrayBuffer> }
  | { type: "receive" }
  | { type: "finish" }
  | { type: "abort" };

/** From the worker. Empty bytes are the end. */
export type FromTransferWorker =
  | { type: "ok" }
  | { type: "data"; bytes: Uint8Array<ArrayBuffer> }
  | { type: "failure"; failure: LibvirtFailure };
