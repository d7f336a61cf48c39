/** What every page is given (Fresh's `ctx.state`), set by `routes/_middleware.ts`. */
import { createDefine } from "fresh";
import type { Api } from "./client/api.ts";
import type { ConnectionStatus } from "./contract/mod.ts";

/** Colour themes a person can choose; `system` follows the device. Kept in the cookie `theme`. */
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = typeof THEMES[number];

export interface PageState {
  /** The contract's commands, called in-process as the signed-in user: the same dispatch as every other door. */
  api: Api;
  /** Id of the newest event when the page was rendered; the browser's event stream resumes from it. */
  eventId: string;
  theme: Theme;
  connection: ConnectionStatus;
  /** Hostname of the managed host. */
  hostname: string;
  /** `serve --demo`: libvirt's built-in test driver, nothing real. */
  demo: boolean;
  /** KVM Manager's own version. */
  version: string;
}

/** Fresh's typed helpers for our state. */
export const define = createDefine<PageState>();
