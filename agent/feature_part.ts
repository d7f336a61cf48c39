/** What a feature does: commands, work that repeats, and what it is told of a host. */
import type { CommandName } from "../lib/contract/mod.ts";
import type { Handlers } from "./dispatch.ts";
import type { DomainChange } from "./hosts/inventory/inventory.ts";
import type { PeriodicJob } from "./periodic.ts";

/** What a feature does once, or on one host. */
export interface Part<C extends CommandName = never> {
  /** A handler for each of its commands. */
  readonly handlers?: Pick<Handlers, C>;
  /** Work that repeats. On a host it runs only while libvirt answers. */
  readonly periodic?: readonly PeriodicJob[];
  /** Ends what the feature began; called once, before the store is closed. */
  stop?(): void | Promise<void>;
}

/** What a feature does on one host. */
export interface HostPart<C extends CommandName = never> extends Part<C> {
  /** A fresh connection was read: the rest is found out now. Nobody waits for it. */
  connected?(): Promise<void>;
  /** Each host was read since the start, or cannot be: which VM belongs to which is known as far as it can be. */
  hostsSettled?(): void;
  /** The connection was lost: what was read from it is no longer known. */
  disconnected?(): void;
  /** libvirt told of a change of a VM. */
  changed?(change: DomainChange): void;
  /**
   * Another VM has the id of one that was deleted: what was kept for that one must not go over to it.
   *
   * @returns what of this feature no longer goes by that id, each as a noun with its name
   */
  replaced?(vmId: string): readonly string[];
  /** Something does not respond any more, or does so again: see `Host.reports`. */
  hangsChanged?(): void;
  /** A network of libvirt was deleted by a command. Its answer waits for this. */
  networkDeleted?(name: string): Promise<void>;
}
