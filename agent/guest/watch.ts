/**
 * Looks into guests at a slow pace, one after the other: what system they are, for lists, and how full they are, for metrics
 * and alerts. Guests without an agent are never asked; one whose agent has just come is asked soon.
 */
import {
  ContractError,
  type GuestAbility,
  type GuestFacts,
  type GuestInfo,
  type VM,
} from "../../lib/contract/mod.ts";
import {
  AdmittedLabels,
  countReading,
  filesystemReading,
  type GuestReading,
  memoryReading,
} from "../../lib/guest/figures.ts";
import { toldText } from "../../lib/guest/told.ts";
import type { Clock } from "../clock.ts";
import type { Inventory } from "../hosts/inventory/inventory.ts";
import { log } from "../log.ts";
import type { GuestBackend } from "./backend.ts";
import type { GuestFactRecords } from "./fact_records.ts";
import type { OwnAgentLines } from "./own/lines.ts";
import type { GuestService } from "./service.ts";
import { DAY_MS, HOUR_MS } from "../../lib/duration.ts";

/** Milliseconds between two looks at who is due. */
export const TICK_MS = 2000;
/** Milliseconds after an agent has come: the guest is busy with its boot. */
const SOON_MS = 3000;
/** Milliseconds between two looks at one guest, however often it opens and closes its channel. */
const LEAST_MS = 30_000;
/** Milliseconds after which a guest that did not answer is tried again. */
const PROBE_MS = 60_000;
/** Milliseconds for which a list of packages is good: guests read all of it for that. */
const PACKAGES_MS = HOUR_MS;
/** Intervals for which figures are good: what is older says nothing of now. */
const GOOD_INTERVALS = 2.5;
/** Milliseconds after which what a guest told of its system is asked again, where figures are not taken. */
const FACTS_MS = DAY_MS;

interface Look {
  readonly at: number;
  readonly reading: GuestReading;
}

/** The parts of a guest's report that lists show. @param now milliseconds since 1970 */
export function factsOf({ hostname, osVersion, osId }: GuestInfo, now: number): GuestFacts {
  const id = toldText(osId, 32).toLowerCase();
  return {
    hostname: toldText(hostname, 64),
    osName: toldText(osVersion, 64),
    ...(/^[a-z0-9][a-z0-9._-]*$/.test(id) && { osId: id }),
    toldAt: now,
  };
}

const isSame = (a: GuestFacts | undefined, b: GuestFacts) =>
  a !== undefined && JSON.stringify({ ...a, toldAt: 0 }) === JSON.stringify({ ...b, toldAt: 0 });

export interface GuestWatchOptions {
  readonly inventory: Inventory;
  readonly guests: Pick<GuestService, "agentFor" | "whoCan">;
  readonly records: GuestFactRecords;
  readonly lines: Pick<OwnAgentLines, "isOpen" | "closeUnused">;
  readonly clock: Clock;
  /** Seconds from one look at a guest to the next; 0: its system alone, when its agent comes. */
  readonly interval: number;
}

export class GuestWatch {
  /** When each is due, by the monotonic clock. */
  readonly #due = new Map<string, number>();
  readonly #looked = new Map<string, number>();
  readonly #looks = new Map<string, Look>();
  readonly #packages = new Map<string, Look>();
  readonly #labels = new AdmittedLabels();
  #isProbing = false;

  constructor(private readonly options: GuestWatchOptions) {}

  /** Last reading of a running guest, for the metrics; undefined if it is too old. */
  reading(vmId: string): GuestReading | undefined {
    const { clock, interval } = this.options, look = this.#looks.get(vmId);
    const isGood = look !== undefined && clock.monotonic() - look.at < interval * 1000 * GOOD_INTERVALS;
    return isGood ? look.reading : undefined;
  }

  /** An agent has come, or may be another. */
  soon(vmId: string): void {
    const looked = this.#looked.get(vmId) ?? -Infinity;
    this.#due.set(vmId, Math.max(this.options.clock.monotonic() + SOON_MS, looked + LEAST_MS));
    this.#looks.delete(vmId);
    this.#packages.delete(vmId);
  }

  /** A VM is no more. */
  forget(vmId: string): void {
    for (const map of [this.#due, this.#looked, this.#looks, this.#packages]) map.delete(vmId);
    this.#labels.forget(vmId);
    this.options.records.delete(vmId);
  }

  /** Somebody has asked a guest what it is: the answer serves lists, too. */
  note(vmId: string, info: GuestInfo): void {
    const { records, inventory, clock } = this.options, facts = factsOf(info, clock.now());
    if (!isSame(records.get(vmId), facts)) records.put(vmId, facts);
    inventory.update(vmId, { guest: records.get(vmId) });
  }

  /** Asks who is due, as many as it takes to ask each once an interval. */
  async tick(signal: AbortSignal): Promise<void> {
    const { inventory, clock, interval, records, lines } = this.options;
    const running = inventory.vms().filter(({ state, responsive }) => state === "running" && responsive);
    this.#probe(running.filter(({ guestAgent }) => guestAgent === "silent"));
    const all = running.filter(({ guestAgent }) => guestAgent === "connected");
    for (const { id, guest } of all) {
      const kept = records.get(id);
      if (guest === undefined && kept !== undefined) inventory.update(id, { guest: kept });
    }
    const now = clock.monotonic();
    const due = all.filter(({ id }) => this.#dueAt(id, now) <= now);
    const share = interval === 0 ? 1 : Math.ceil(all.length * TICK_MS / (interval * 1000));
    for (const vm of due.slice(0, share + 1)) {
      if (signal.aborted) return;
      this.#looked.set(vm.id, clock.monotonic());
      const wasOpen = lines.isOpen(vm.id);
      const hasTold = await this.#look(vm);
      // One program can have the channel: another KVM Manager on this host may want it, which no look should make wait
      if (!wasOpen) lines.closeUnused(vm.id);
      const again = interval === 0 ? FACTS_MS : interval * 1000;
      this.#due.set(vm.id, clock.monotonic() + (hasTold ? again : Math.min(again, PROBE_MS)));
    }
  }

  /** Asks one of those that did not answer whether it does again, apart from the others: each may take its time limit. */
  #probe(silent: readonly VM[]): void {
    const { clock, guests } = this.options, now = clock.monotonic();
    const vm = silent.find(({ id }) => (this.#due.get(id) ?? now) <= now);
    if (vm === undefined || this.#isProbing) return;
    this.#isProbing = true;
    const ask = async () => {
      const answers = await guests.whoCan(vm, "info") !== undefined;
      this.#due.set(vm.id, clock.monotonic() + (answers ? 0 : PROBE_MS));
    };
    ask().catch((error) => log.warn("a silent guest could not be asked", { vm: vm.name, error }))
      .finally(() => this.#isProbing = false);
  }

  #dueAt(vmId: string, now: number): number {
    const due = this.#due.get(vmId);
    if (due !== undefined) return due;
    // At the start: those whose system is known from before wait for their turn
    const { interval, records, clock } = this.options;
    const told = records.get(vmId)?.toldAt ?? 0;
    const first = interval === 0 ? now + Math.max(0, told + FACTS_MS - clock.now()) : now;
    this.#due.set(vmId, first);
    return first;
  }

  /** @returns whether it told what system it is: a guest that is busy may not */
  async #look(vm: VM): Promise<boolean> {
    const { clock, interval } = this.options, { id } = vm;
    const info = await this.#ask(vm, "info", (agent) => agent.system(vm));
    if (info !== undefined) this.note(id, info);
    if (interval === 0) return info !== undefined;
    const parts = [
      await this.#ask(
        vm,
        "filesystems",
        async (agent) =>
          filesystemReading(await agent.filesystems(vm), (label) => this.#labels.admits(id, label)),
      ),
      await this.#ask(vm, "metrics", async (agent) => memoryReading(await agent.metrics(vm))),
      await this.#ask(vm, "services", async (agent) => {
        const failed = (await agent.services(vm)).filter(({ state }) => state === "failed");
        return countReading("guest.services.failed", failed.length);
      }),
      // At the first look the guest may be booting still, and this is much work for it.
      this.#looks.has(id) ? await this.#updates(vm) : undefined,
    ];
    this.#looks.set(id, { at: clock.monotonic(), reading: Object.assign({}, ...parts) });
    return info !== undefined;
  }

  async #updates(vm: VM): Promise<GuestReading | undefined> {
    const { clock } = this.options, kept = this.#packages.get(vm.id);
    if (kept !== undefined && clock.monotonic() - kept.at < PACKAGES_MS) return kept.reading;
    const reading = await this.#ask(vm, "packages", async (agent) => {
      const { upgrades } = await agent.packages(vm, { upgradesOnly: true, offset: 0, limit: 1 });
      return countReading("guest.updates", upgrades);
    });
    if (reading !== undefined) this.#packages.set(vm.id, { at: clock.monotonic(), reading });
    return reading;
  }

  /** Asks for one thing, where an agent can tell it. What it does not tell is a gap. */
  async #ask<T>(
    vm: VM,
    ability: GuestAbility,
    read: (agent: GuestBackend) => Promise<T>,
  ): Promise<T | undefined> {
    const { guests } = this.options;
    try {
      if (await guests.whoCan(vm, ability) === undefined) return undefined;
      return await read((await guests.agentFor(vm.id, ability)).agent);
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      log.debug("a guest did not tell", { vm: vm.name, ability, error });
      return undefined;
    }
  }
}
