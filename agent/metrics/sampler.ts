/**
 * Takes the loads: one bulk call for all active machines and one for the host per tick, however many browsers look.
 * When nobody looks it ticks slowly; a machine asked about in between is read alone.
 */
import type { NodeCounters, StatsGroup } from "../../ffi/calls/mod.ts";
import { LibvirtError } from "../../ffi/error.ts";
import type { HostStats } from "../../lib/contract/host.ts";
import type { VmStats } from "../../lib/contract/vm.ts";
import type { EventHub, Published } from "../events/hub.ts";
import type { HostMake } from "../host/make.ts";
import type { Inventory } from "../inventory/inventory.ts";
import type { LibvirtLink } from "../libvirt/link.ts";
import { log } from "../log.ts";
import { hostStats, type LocalLoad } from "./host_stats.ts";
import { answered, noStats, type Reading, vmStats } from "./vm_stats.ts";

/** Groups our pages show. */
const GROUPS: readonly StatsGroup[] = ["cpu", "balloon", "interface", "block"];
/** A reading older than this is not current: who asks for one machine gets a new one. */
const FRESH_MS = 3000;
/** Readings without QEMU's part, in a row, after which a machine counts as not responding. */
const UNANSWERED = 2;

export interface Clock {
  /** Milliseconds, monotonic. */
  now(): number;
  /** Milliseconds since 1970. */
  date(): number;
}

const CLOCK: Clock = { now: () => performance.now(), date: () => Date.now() };

export class Sampler {
  readonly #readings = new Map<string, Reading>();
  readonly #unanswered = new Map<string, number>();
  #node: NodeCounters | undefined;
  #host: HostStats | undefined;
  #running: Promise<void> | undefined;

  constructor(
    readonly link: LibvirtLink,
    readonly inventory: Inventory,
    readonly hub: EventHub,
    readonly make: HostMake,
    readonly local: () => LocalLoad,
    readonly clock: Clock = CLOCK,
  ) {}

  /** The latest reading of the host; undefined before the first. */
  get host(): HostStats | undefined {
    return this.#host;
  }

  /** Starts anew after a lost connection. The last reading of the host stays; its timestamp tells its age. */
  forget(): void {
    this.#readings.clear();
    this.#unanswered.clear();
    this.#node = undefined;
  }

  /** One round for everything. Who asks during one gets that one, so a slow libvirt is not asked twice. */
  tick(): Promise<void> {
    return this.#running ??= this.#round().finally(() => this.#running = undefined);
  }

  async #round(): Promise<void> {
    try {
      await Promise.all([this.#sampleHost(), this.#sampleMachines()]);
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      log.debug("loads could not be read", { error });
    }
  }

  async #sampleHost(): Promise<void> {
    const [counters, { memoryKib }] = await Promise.all([this.link.call("nodeCounters"), this.make.get()]);
    this.#host = hostStats(this.#node, counters, memoryKib, this.local(), this.clock.date());
    this.#node = counters;
    this.hub.publish("host-stats-updated", this.#host);
  }

  async #sampleMachines(): Promise<void> {
    if (this.inventory.counts().active === 0) {
      this.#readings.clear();
      return;
    }
    const records = await this.link.call("domainStats", { groups: GROUPS });
    const events: Published[] = [];
    const seen = new Set<string>();
    for (const record of records) {
      seen.add(record.uuid);
      if (Object.keys(record.params).length === 0) continue; // a driver without statistics (test:///)
      this.#noteAnswer(record.uuid, answered(record));
      if (!answered(record) && this.#readings.has(record.uuid)) continue; // keep the last whole reading
      const stats = this.#take(record.uuid, record.params);
      if (stats) events.push(["vm-stats-updated", { vmId: record.uuid, stats }]);
    }
    for (const uuid of this.#readings.keys()) if (!seen.has(uuid)) this.#readings.delete(uuid);
    this.hub.publishAll(events);
  }

  #take(uuid: string, params: Reading["params"]): VmStats | undefined {
    const vm = this.inventory.vm(uuid);
    if (!vm) return undefined;
    const reading: Reading = { params, at: this.clock.now() };
    const stats = vmStats(uuid, this.#readings.get(uuid), reading, vm.cpuCount, this.clock.date());
    this.#readings.set(uuid, reading);
    this.inventory.setStats(uuid, stats);
    return stats;
  }

  #noteAnswer(uuid: string, yes: boolean): void {
    const misses = yes ? 0 : (this.#unanswered.get(uuid) ?? 0) + 1;
    if (misses === 0) this.#unanswered.delete(uuid);
    else this.#unanswered.set(uuid, misses);
    const responsive = misses < UNANSWERED;
    if (this.inventory.vm(uuid)?.responsive !== responsive) this.inventory.update(uuid, { responsive });
  }

  /**
   * One machine's load, at most a few seconds old. Zeros for a stopped one.
   *
   * @throws {LibvirtError}
   */
  async of(uuid: string): Promise<VmStats> {
    const vm = this.inventory.vm(uuid);
    const known = vm?.stats;
    if (known && this.clock.date() - known.timestamp < FRESH_MS) return known;
    if (!this.inventory.active().includes(uuid)) return noStats(uuid, this.clock.date());
    const record = await this.link.call("domainStatsOne", { uuid, groups: GROUPS });
    return (record && this.#take(uuid, record.params)) ?? noStats(uuid, this.clock.date());
  }
}
