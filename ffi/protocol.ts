/** Messages between the main thread and the call workers. Plain data only. */
import type { CallName } from "./calls/mod.ts";
import type { LibvirtFailure } from "./error.ts";

/** To a call worker. The first message names the connection; `close` gives it back and ends the worker. */
export type ToWorker =
  | { type: "open"; uri: string }
  | { type: "call"; id: number; name: CallName; args: unknown }
  | { type: "close" };

/** From a call worker. */
export type FromWorker =
  | { type: "ready" }
  | { type: "result"; id: number; value: unknown }
  | { type: "failure"; id: number; failure: LibvirtFailure };
