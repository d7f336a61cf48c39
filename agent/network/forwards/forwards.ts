/**
 * Port forwards in force: what is kept is compared with what the host is like, and the kernel is made to match. That
 * happens whenever a network or a VM changes, and every few seconds, for whatever no event reports: leases, and
 * somebody who empties the packet filter.
 */
import type { Sentence } from "../../../lib/i18n/message.ts";
import type { ForwardState, Network } from "../../../lib/contract/mod.ts";
import {
  type ForwardFacts,
  type KnownLease,
  planForwards,
  type PlannedForward,
  type StoredForward,
} from "../../../lib/network/forwards/plan.ts";
import { messageOf } from "../../../lib/text/message.ts";
import type { ForwardRule } from "../../../lib/formats/nft/forwards.ts";
import type { Published } from "../../events/hub.ts";
import { LOCAL_HOST } from "../../../lib/contract/local_host.ts";
import { DEVICES } from "../../machine/network_devices.ts";
import { log } from "../../log.ts";
import { networksOf } from "../view.ts";
import type { ForwardRecords } from "./records.ts";
import { Mutex } from "../../../lib/mutex.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { ForwardKernel } from "./kernel.ts";
import { hostSockets } from "./sockets.ts";
import { leasesOn } from "../../hosts/leases.ts";

/** Milliseconds to wait for the rest of a change. */
const SETTLE_MS = 100;
/** Milliseconds between looks whether the kernel still has our rules. */
const DRIFT_MS = 10_000;

/** Present state of a forward. */
export interface ForwardOutcome {
  readonly state: ForwardState;
  readonly reason?: Sentence;
  readonly targetAddress?: string;
}

/** Events after which a forward may lead elsewhere. */
const MATTERS = new Set<Published[0]>(["network-changed", "vm-created", "vm-updated", "vm-deleted"]);
/** Subject of our own `network-changed` events. */
const OWN_EVENT = "forwards";

/** The plan, when the kernel refused its rules. */
function asFailed(planned: readonly PlannedForward[], reason: string): PlannedForward[] {
  return planned.map((each) => each.rule === undefined ? each : { id: each.id, state: "failed", reason });
}

export class Forwards implements Disposable {
  readonly #outcomes = new Map<string, ForwardOutcome>();
  /** Forwards the kernel has. */
  #standing: ReadonlySet<string> = new Set();
  /** The rules the kernel was made to match last; undefined while that is unknown. */
  #applied: readonly ForwardRule[] | undefined;
  /** Rules the kernel refused: they are not tried again at once. */
  #refused: { readonly wanted: string; readonly reason: string } | undefined;
  #lookedAt = -Infinity;
  /** Runs one change of forwards after the other. */
  readonly turns = new Mutex();
  #cancel: (() => void) | undefined;
  readonly #following: Disposable;

  constructor(
    readonly host: LibvirtHost,
    readonly records: ForwardRecords,
    readonly kernel: ForwardKernel,
  ) {
    this.#following = host.events.follow((events) => {
      const isOwn = ([name, data]: Published) => name === "network-changed" && data.event === OWN_EVENT;
      if (events.some((event) => MATTERS.has(event[0]) && !isOwn(event))) this.#soon();
    });
  }

  [Symbol.dispose](): void {
    this.#following[Symbol.dispose]();
    this.#cancel?.();
  }

  /** Those of this host, the oldest first. The kernel that forwards is that of KVM Manager's own machine, for its own libvirt. */
  all(): readonly StoredForward[] {
    return this.#isOwner ? this.records.all() : [];
  }

  get #isOwner(): boolean {
    return this.host.id === LOCAL_HOST;
  }

  /** State of a forward; one that was not checked yet waits. */
  outcome({ id, enabled }: StoredForward): ForwardOutcome {
    if (!enabled) return { state: "disabled" };
    return this.#outcomes.get(id) ?? { state: "waiting", reason: "KVM Manager is still reading this host" };
  }

  /** Why this host cannot forward; undefined when it can. */
  async unavailable(): Promise<string | undefined> {
    if (!this.#isOwner || !this.host.machine?.isSystem) {
      return "only to networks of the QEMU on this host";
    }
    return await this.kernel.unavailable();
  }

  /** Makes the kernel match. Without effect while libvirt is away: what stands, stays. */
  sync(): Promise<void> {
    return this.turns.run(() => this.syncNow());
  }

  /** The same, for who has the turn already. */
  async syncNow(): Promise<void> {
    if (!this.#isOwner || !this.records.known) return;
    const forwards = this.all();
    if (!forwards.some(({ enabled }) => enabled)) return await this.#clear(forwards);
    if (!this.host.inventory.filled || !this.host.link.status.connected) {
      return await this.#withdraw(forwards);
    }
    const planned = planForwards(forwards, await this.#facts(forwards));
    this.#take(forwards, await this.#enforce(planned));
  }

  /** Whether anything is to be looked after. */
  get any(): boolean {
    return this.#standing.size > 0 || this.all().some(({ enabled }) => enabled);
  }

  #soon(): void {
    if (!this.any) return;
    this.#cancel?.();
    this.#cancel = this.host.clock.after(SETTLE_MS, () => {
      this.sync().catch((error) => log.warn("port forwards could not be looked after", { error }));
    });
  }

  /** Nothing is wanted: nothing of ours stays behind, also of what an earlier run left. */
  async #clear(forwards: readonly StoredForward[]): Promise<void> {
    // What was cleared once is not looked for again
    if (this.#applied?.length !== 0 && await this.kernel.present()) await this.kernel.clear();
    this.#applied = [];
    this.#standing = new Set();
    this.#take(forwards, forwards.map(({ id }) => ({ id, state: "disabled" })));
  }

  /** Without libvirt it is not known where to lead anything again, but what was removed is led nowhere any more. */
  async #withdraw(forwards: readonly StoredForward[]): Promise<void> {
    const enabled = new Set(forwards.filter((each) => each.enabled).map(({ id }) => id));
    const left = this.#applied?.filter(({ id }) => enabled.has(id));
    if (left === undefined || left.length === this.#applied?.length) return;
    if (left.length > 0) await this.kernel.apply(left);
    else await this.kernel.clear();
    this.#applied = left;
    this.#standing = new Set(left.map(({ id }) => id));
  }

  async #facts(forwards: readonly StoredForward[]): Promise<ForwardFacts> {
    const { inventory } = this.host;
    const enabled = forwards.filter((each) => each.enabled);
    const networks = new Map(networksOf(this.host).map((network) => [network.name, network]));
    const isNew = enabled.some(({ id }) => !this.#standing.has(id));
    const [leases, sockets, devices, unavailable] = await Promise.all([
      this.#leases(enabled, networks),
      isNew ? hostSockets() : [],
      Array.fromAsync(Deno.readDir(DEVICES)),
      this.unavailable(),
    ]);
    const present = new Set(devices.map(({ name }) => name));
    return {
      network: (name) => networks.get(name),
      vm: (vmId) => inventory.vm(vmId),
      leases: (name) => leases.get(name) ?? [],
      hasDevice: (name) => present.has(name),
      sockets,
      standing: this.#standing,
      unavailable,
    };
  }

  async #leases(
    forwards: readonly StoredForward[],
    networks: ReadonlyMap<string, Network>,
  ): Promise<Map<string, KnownLease[]>> {
    const followed = new Set(forwards.map(({ network }) => network));
    const names = [...followed].filter((name) => networks.get(name)?.active);
    const seconds = this.host.clock.now() / 1000;
    const lists = await Promise.all(names.map(async (name) => {
      const { link, inventory } = this.host;
      const leases = await leasesOn({ link, networks: inventory.networks }, name);
      return [name, leases.filter(({ expires }) => expires === 0 || expires > seconds)] as const;
    }));
    return new Map(lists);
  }

  /** Brings the planned rules into the kernel, where it does not have them; says what came of it. */
  async #enforce(planned: readonly PlannedForward[]): Promise<readonly PlannedForward[]> {
    if (planned.some(({ state }) => state === "unavailable")) return planned;
    const ruled = planned.filter(({ rule }) => rule !== undefined);
    const rules = ruled.map(({ rule }) => rule!);
    const wanted = JSON.stringify(rules);
    const isSame = wanted === JSON.stringify(this.#applied);
    const isRecent = this.host.clock.monotonic() - this.#lookedAt < DRIFT_MS;
    if (isSame && isRecent) return planned;
    if (isRecent && this.#refused?.wanted === wanted) return asFailed(planned, this.#refused.reason);
    this.#lookedAt = this.host.clock.monotonic();
    if (isSame && (rules.length === 0 || await this.kernel.stands())) return planned;
    if (isSame) log.warn("the rules of port forwards were gone or changed: they are put back");
    this.#refused = undefined;
    try {
      if (rules.length > 0) await this.kernel.apply(rules);
      else if (await this.kernel.present()) await this.kernel.clear();
    } catch (error) {
      const reason = messageOf(error);
      log.warn("ports could not be forwarded", { error });
      this.#applied = undefined;
      this.#refused = { wanted, reason };
      return asFailed(planned, reason);
    }
    this.#applied = rules;
    this.#standing = new Set(ruled.map(({ id }) => id));
    return planned;
  }

  /** Remembers the outcomes, and tells pages of the networks where one is new. */
  #take(forwards: readonly StoredForward[], planned: readonly PlannedForward[]): void {
    const networks = new Map(forwards.map(({ id, network }) => [id, network]));
    const changed = new Set<string>();
    const found = new Map(planned.map(({ id, state, reason, rule }): [string, ForwardOutcome] => [id, {
      state,
      ...(reason !== undefined && { reason }),
      ...(rule !== undefined && { targetAddress: rule.target }),
    }]));
    for (const [id, outcome] of found) {
      if (JSON.stringify(outcome) !== JSON.stringify(this.#outcomes.get(id))) changed.add(networks.get(id)!);
    }
    this.#outcomes.clear();
    for (const [id, outcome] of found) this.#outcomes.set(id, outcome);
    for (const name of changed) this.host.events.publish("network-changed", { name, event: OWN_EVENT });
  }
}
