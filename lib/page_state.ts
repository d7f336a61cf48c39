/** State of every page (Fresh's `ctx.state`), set by `routes/_middleware.ts`. */
import { createDefine } from "fresh";
import type { Offers } from "./access/looking.ts";
import type { ProjectObject, VmObject } from "./access/rights.ts";
import type { Api } from "./contract/api.ts";
import type { CommandName, ConnectionStatus } from "./contract/mod.ts";
import type { Notice } from "./text/notice.ts";
import type { RefusedForm } from "./text/refused_form.ts";

/** Colour themes a person can choose; `system` follows the device. Kept in the cookie `theme`. */
export const THEMES = ["system", "light", "dark"] as const;
export type Theme = typeof THEMES[number];

/** User of a page. */
export interface PageUser {
  readonly name: string;
  readonly displayName: string;
  /** Has an account of their own: there is something to sign out of. */
  readonly hasAccount: boolean;
  readonly administrator: boolean;
  /** Their account has a password. */
  readonly hasPassword: boolean;
  readonly hasPasskeys: boolean;
  /** The time zone they chose: `host`, `browser` or a name; missing while they did not. */
  readonly timeZone?: string;
  /** The language they chose, by its tag, or `browser`; missing while they did not. */
  readonly language?: string;
  /** They need not show now that it is them: they just did, or are not asked. */
  readonly confirmed: boolean;
}

export interface PageState {
  /** Signed-in user; null before sign-in, when `api` can only sign in. */
  user: PageUser | null;
  /**
   * The contract's commands, called in-process as the signed-in user: the same dispatch as every other door. They are
   * about the page's host.
   */
  api: Api;
  /**
   * Whether they may call a command: on that VM of the page's host, on that project, or on that host where none is named.
   * Pages offer nothing else.
   */
  may(command: CommandName, on?: Omit<VmObject, "hostId"> | ProjectObject): boolean;
  /** Commands that pages offer the user; null: all. */
  offers: Offers | null;
  /** The first administrator: whether no account can sign in yet, and whether a key of the link lets one be made. */
  setup: { readonly isEmpty: boolean; fits(key: string): boolean };
  /** Id of the newest event when the page was rendered; the browser's event stream resumes from it. */
  eventId: string;
  /** Refused form of this page, which is shown again; null for none. */
  refused: RefusedForm | null;
  /** Result of the form that led to this page, to be shown once; null for none. */
  notice: Notice | null;
  /** Has the next page say what was done. */
  notify(notice: Notice): void;
  /** The name of what the page is about where its address has an id alone; its handler says so. */
  subject?: string;
  theme: Theme;
  /** The time zone that all moments of the page are shown in: an IANA name. */
  zone: string;
  /** Id of the host that the page is about: the one its address names, or that of its VM; else the local one. */
  host: string;
  /** Whether that host has a KVM Manager of its own, which carries its commands out. */
  isLinked: boolean;
  /** The connection to that host's libvirt. */
  connection: ConnectionStatus;
  /** That host's name, as libvirt says it. */
  hostname: string;
  /** `serve --demo`: nothing is real. */
  demo: boolean;
  /** KVM Manager's own version. */
  version: string;
  /** Path below which a reverse proxy serves the pages; empty for none. Addresses are written without it. */
  base: string;
}

/** Fresh's typed helpers for our state. */
export const define = createDefine<PageState>();
