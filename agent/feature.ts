/** What one noun brings to the agent. `app.ts` lists the features, and knows nothing else of them. */
import type { CommandName } from "../lib/contract/mod.ts";
import type { App } from "./app.ts";
import type { Handlers } from "./dispatch.ts";
import type { Host } from "./hosts/host.ts";
import type { DomainChange } from "./hosts/inventory/inventory.ts";
import type { StepRules } from "./operations/settlement.ts";
import type { StepKind } from "./operations/step.ts";
import type { PeriodicJob } from "./periodic.ts";
import type { Migration } from "./store/migrations.ts";

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

/** A feature that was opened. */
export interface OpenFeature<A extends CommandName = never, H extends CommandName = never> extends Part<A> {
  /** Begins on a host. */
  host?(host: Host): HostPart<H>;
  /** What is kept of a host and would be forgotten with it, each as a noun with its name. */
  keptOf?(hostId: string): readonly string[];
  /** A host was removed, and is no longer served: forgets what is kept of it. @throws {ContractError} StoreUnavailable */
  forgetHost?(hostId: string): void;
}

/** A noun: its tables, its commands, its work in the background. */
export interface Feature<
  A extends CommandName = never,
  H extends CommandName = never,
  S extends StepKind = never,
> {
  readonly name: string;
  /** Steps of its tables in order, by `name`; a released one is never changed (`store/database.ts`). */
  readonly migrations?: readonly Migration[];
  /** How its steps of operations are settled. */
  readonly steps?: Pick<StepRules, S>;
  /** Makes what all hosts share, and tells what it does once and on each host. */
  open(app: App): OpenFeature<A, H>;
}

/** Declares a feature: an identity that keeps the names of its commands and steps. */
export function feature<
  A extends CommandName = never,
  H extends CommandName = never,
  S extends StepKind = never,
>(definition: Feature<A, H, S>): Feature<A, H, S> {
  return definition;
}
