/** Messages between the owner of consoles and channels, the worker that reads and writes them, and their openers: plain data. */
import type { LibvirtAddress } from "./address.ts";
import type { LibvirtFailure } from "./error.ts";

/** A console or channel of a domain, and whether another session that holds it is ended. */
export interface ConsoleTarget {
  readonly uuid: string;
  /** Name of a virtio channel; the first console when left out. */
  readonly channel?: string;
  /** libvirt's name of a console: `serial1`; the first if left out. */
  readonly device?: string;
  /** Ends another's session instead of being refused. */
  readonly force: boolean;
}

/** An open stream that passes from thread to thread: addresses of libvirt's objects. Whoever holds it last closes it. */
export interface HeldStream {
  readonly connection: bigint;
  readonly stream: bigint;
}

/** To an opener: each message is answered once, and the next is sent after that. `opening` is in the states of `OPENING_STATE`. */
export type ToStreamOpener =
  | { type: "open"; address: LibvirtAddress; target: ConsoleTarget; opening: Int32Array<SharedArrayBuffer> }
  | { type: "close"; held: HeldStream };

/** From an opener. `answered`: libvirtd was there until the end. */
export type FromStreamOpener =
  | { type: "opened"; held: HeldStream }
  | { type: "refused"; failure: LibvirtFailure }
  | { type: "closed"; answered: boolean };

/**
 * To the stream worker. `id` names a stream; `watch` is answered by `watching` or `refused`, `unwatch` by `unwatched` once
 * nothing of the stream is touched there any more. `took` tells how many bytes the owner has worked on.
 */
export type ToStreamWorker =
  | { type: "watch"; id: number; stream: bigint }
  | { type: "write"; id: number; bytes: Uint8Array }
  | { type: "took"; id: number; bytes: number }
  | { type: "unwatch"; id: number }
  | { type: "close" };

/** From the stream worker. After `ended` – null: its end, else why it broke – no data of that stream comes any more. */
export type FromStreamWorker =
  | { type: "watching"; id: number }
  | { type: "refused"; id: number; failure: LibvirtFailure }
  | { type: "data"; id: number; bytes: Uint8Array<ArrayBuffer> }
  | { type: "ended"; id: number; failure: LibvirtFailure | null }
  | { type: "unwatched"; id: number }
  | { type: "closed" };
