/** Messages between the owner of consoles and channels and their worker: plain data. */
import type { LibvirtFailure } from "./error.ts";

/** Which console or channel of a domain, and what to do when another holds it. */
export interface ConsoleTarget {
  readonly uuid: string;
  /** Name of a virtio channel; the first console when left out. */
  readonly channel?: string;
  /** Ends another's session instead of being refused. */
  readonly force: boolean;
}

/**
 * To the worker. `id` names a console; `shut` is answered by `shut` once libvirt has let go of it. `took` tells how many
 * bytes the owner has worked on.
 */
export type ToStreamWorker =
  | { type: "open"; id: number; uri: string; target: ConsoleTarget }
  | { type: "write"; id: number; bytes: Uint8Array }
  | { type: "took"; id: number; bytes: number }
  | { type: "shut"; id: number }
  | { type: "close" };

/** From the worker. After `ended` – null: its end, else why it broke – nothing of that console comes any more. */
export type FromStreamWorker =
  | { type: "opened"; id: number }
  | { type: "refused"; id: number; failure: LibvirtFailure }
  | { type: "data"; id: number; bytes: Uint8Array<ArrayBuffer> }
  | { type: "ended"; id: number; failure: LibvirtFailure | null }
  | { type: "shut"; id: number }
  | { type: "closed" };
