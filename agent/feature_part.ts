/** Parts of a feature: commands, periodic work, and callbacks for events of a host. */
import type { Api } from "../lib/contract/api.ts";
import type { CommandName, VM } from "../lib/contract/mod.ts";
import type { Handlers } from "./dispatch.ts";
import type { DomainChange } from "./hosts/inventory/domain_change.ts";
import type { PeriodicJob } from "./periodic.ts";

/** A part of a feature, for the application or for one host. */
export interface Part<C extends CommandName = never> {
  /** A handler for each of its commands. */
  readonly handlers?: Pick<Handlers, C>;
  /** Work that repeats. On a host it runs only while libvirt answers. */
  readonly periodic?: readonly PeriodicJob[];
  /** Ends what the feature began; called once, before the store is closed. */
  stop?(): void | Promise<void>;
}

/** Something that is kept of a VM, and that the KVM Manager of another host can keep, too. */
export interface Portable {
  /** A noun with its name. */
  readonly name: string;
  /** Permission for this record: users without it do not learn of the record, and do not take it along. */
  readonly needs: CommandName;
  /** Creates it there, as the user who moves the VM. @throws {ContractError} refusals of that host */
  put(there: Api): Promise<unknown>;
  /** It is kept there now: here it no longer goes by the VM. @throws {ContractError} StoreUnavailable */
  release(): void;
}

/** A feature's part for one host. */
export interface HostPart<C extends CommandName = never> extends Part<C> {
  /** A fresh connection was read: the rest is found out now. It is not waited for. */
  connected?(): Promise<void>;
  /** Each host was read since the start, or cannot be: which VM belongs to which is known as far as it can be. */
  hostsSettled?(): void;
  /** The connection was lost: what was read from it is no longer known. */
  disconnected?(): void;
  /** libvirt told of a change of a VM. */
  changed?(change: DomainChange): void;
  /**
   * Another VM has the id of one that was deleted: records of that one must not go over to it.
   *
   * @returns records of this feature that no longer go by that id, each as a noun with its name
   */
  replaced?(vmId: string): readonly string[];
  /** Records of a VM that can move with it to another host. */
  portable?(vm: VM): readonly Portable[];
  /** Something does not respond any more, or does so again: see `HangWatch.reports`. */
  hangsChanged?(): void;
  /** A network of libvirt was deleted by a command. Its answer waits for this. */
  networkDeleted?(name: string): Promise<void>;
}
