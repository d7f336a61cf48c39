/** What every page is given (Fresh's `ctx.state`), set by `routes/_middleware.ts`. */
import { createDefine } from "fresh";
import type { Api } from "./client/api.ts";
import type { ConnectionStatus } from "./contract/mod.ts";

/** Colour themes a person can choose; `system` follows the device. Kept in the cookie `theme`. */
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = typeof THEMES[number];

/** Who looks at a page. */
export interface PageUser {
  readonly name: string;
  readonly displayName: string;
  /** Has an account of their own: there is something to sign out of. */
  readonly hasAccount: boolean;
  readonly administrator: boolean;
}

export interface PageState {
  /** Who looks; null before sign-in, where there is no `api` but for signing in. */
  user: PageUser | null;
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
  /** Path below which a reverse proxy serves the pages; empty for none. Addresses are written without it. */
  base: string;
}

/** Fresh's typed helpers for our state. */
export const define = createDefine<PageState>();
