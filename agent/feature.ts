/** A feature: one noun's part of the agent. `app.ts` lists the features, and knows nothing else of them. */
import type { CommandName } from "../lib/contract/mod.ts";
import type { Application } from "./app.ts";
import type { LibvirtHost } from "./hosts/libvirt_host.ts";
import type { HostPart, Part } from "./feature_part.ts";
import type { StepRules } from "./operations/settlement.ts";
import type { StepKind } from "./operations/step.ts";
import type { Migration } from "./store/migrations.ts";

/** A feature that was opened. */
export interface OpenFeature<A extends CommandName = never, H extends CommandName = never> extends Part<A> {
  /** Begins on a host. */
  host?(host: LibvirtHost): HostPart<H>;
  /** Records that would be deleted with a host, each as a noun with its name. */
  keptOf?(hostId: string): readonly string[];
  /** A host was removed, and is no longer served: forgets what is kept of it. @throws {ContractError} StoreUnavailable */
  forgetHost?(hostId: string): void;
  /** A host is about to be added: forgets what is kept of one that had its id before. @throws {ContractError} StoreUnavailable */
  hostAdded?(hostId: string): void;
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
  open(app: Application): OpenFeature<A, H>;
}

/** Declares a feature: an identity that keeps the names of its commands and steps. */
export function feature<
  A extends CommandName = never,
  H extends CommandName = never,
  S extends StepKind = never,
>(definition: Feature<A, H, S>): Feature<A, H, S> {
  return definition;
}
