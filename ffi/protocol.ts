/** Messages between the main thread and the call workers. Plain data only. */
import type { LibvirtAddress } from "./address.ts";
import type { CallName } from "./calls/mod.ts";
import type { LibvirtFailure } from "./error.ts";

/**
 * State of a call worker's connection for its call, in memory that both sides share: a libvirtd that hangs answers
 * neither the worker nor its messages. `NONE`: the worker has not taken the call up. The first side to change the state
 * next decides: `BEGUN` is the worker, which has a connection and goes on; `ABANDONED` is the pool, and the call is not
 * made, however late libvirtd answers.
 */
export const OPENING_STATE = { NONE: 0, OPENING: 1, BEGUN: 2, ABANDONED: 3 } as const;

/** To a call worker. The first message names the libvirt, and a later one gives the connection to the one before back; `close` gives it back and ends the worker. */
export type ToWorker =
  | { type: "open"; address: LibvirtAddress; opening: Int32Array<SharedArrayBuffer> }
  | { type: "call"; id: number; name: CallName; args: unknown }
  | { type: "close" };

/** From a call worker. */
export type FromWorker =
  | { type: "ready" }
  | { type: "result"; id: number; value: unknown }
  | { type: "failure"; id: number; failure: LibvirtFailure };
