/**
 * Takes the loads: one bulk call for all active VMs and one for the host per tick, however many browsers look.
 * Without listeners it ticks slowly; a VM asked about in between is read alone.
 */
import type { DomainStats, NodeCounters, StatsGroup } from "../../ffi/calls/mod.ts";
import { LibvirtError } from "../../ffi/error.ts";
import type { HostStats } from "../../lib/contract/host.ts";
import type { VmStats } from "../../lib/contract/vm.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import type { EventHub, Published } from "../events/hub.ts";
import type { Inventory } from "../hosts/inventory/inventory.ts";
import type { ProcessTrouble, QemuProcesses } from "../machine/qemu_processes.ts";
import type { LibvirtLink } from "../libvirt/link.ts";
import { log } from "../log.ts";
import type { LocalLoad } from "../machine/local.ts";
import { hostStats } from "./host_stats.ts";
import { answered, noStats, type VmReading, vmStats } from "./vm_stats.ts";

/** Groups our pages show. */
const GROUPS: readonly StatsGroup[] = ["cpu", "balloon", "interface", "block"];
/** Groups that are kept, in addition to vCPUs. */
const KEPT_GROUPS: readonly StatsGroup[] = [...GROUPS, "vcpu"];
/** A reading older than this is not current: who asks for one VM gets a new one. */
const FRESH_MS = 3000;
/** Milliseconds of readings without QEMU's part, one after the other, after which a VM counts as not responding. */
const UNANSWERED_MS = 5000;
/** Note on such a VM: its QEMU is busy with a call that does not end, perhaps of another program. */
const NO_ANSWER = { call: "QEMU does not answer its monitor", mayBeAsked: true } as const;
/** Milliseconds that storage of other hosts and of programs has to answer before QEMU is asked for disks on it. */
const STORAGE_MS = 300;
/** Calls for statistics that hang, from which on one VM alone of which nothing is known is asked a round: each may cost a worker. */
const MOST_HANGING = 3;

/** Everything of one round. */
export interface SamplerRound {
  /** Milliseconds, monotonic: when the answers were there. */
  readonly at: number;
  readonly records: readonly DomainStats[];
  readonly node: NodeCounters;
}

/** Further checks and callbacks of the sampler. */
export interface SamplerWatch {
  /** The QEMU processes of this host; none for another. */
  readonly processes?: QemuProcesses;
  /** Told each whole reading of a VM. */
  readonly take?: (record: DomainStats) => void;
  /**
   * Finds the VMs with a disk on storage that does not answer within so many milliseconds. Asked for its
   * disks, QEMU would wait for it; and when QEMU ended then, libvirt would look into the images itself, with
   * the VM's lock held (9.0).
   */
  readonly onSilentStorage?: (uuids: readonly string[], ms: number) => Promise<ReadonlySet<string>>;
}

export class Sampler {
  readonly #readings = new Map<string, VmReading>();
  /** Since when a VM has not answered, in monotonic milliseconds. */
  readonly #unanswered = new Map<string, number>();
  /** VMs that were asked together with one that did not answer: each is asked alone before it is asked with others again. */
  readonly #unproven = new Set<string>();
  /** VMs that were asked for their disks by a call that has not returned. */
  readonly #diskCallOut = new Set<string>();
  #node: NodeCounters | undefined;
  #host: HostStats | undefined;
  #running: Promise<SamplerRound | undefined> | undefined;
  #lastAt = -Infinity;

  constructor(
    readonly link: LibvirtLink,
    readonly inventory: Inventory,
    readonly events: Pick<EventHub, "publish" | "publishAll" | "listeners">,
    readonly local: () => LocalLoad,
    readonly clock: Clock = SYSTEM_CLOCK,
    private readonly watched: SamplerWatch = {},
  ) {}

  /** The latest reading of the host; undefined before the first. */
  get host(): HostStats | undefined {
    return this.#host;
  }

  /** Starts again after a lost connection. The last reading of the host stays; its timestamp tells its age. */
  forget(): void {
    this.#readings.clear();
    this.#unanswered.clear();
    this.#unproven.clear();
    this.#diskCallOut.clear();
    this.#node = undefined;
  }

  /** One round for everything. Who asks during one gets that one, so a slow libvirt is not asked twice. */
  async tick(): Promise<void> {
    await (this.#running ??= this.#start(GROUPS));
  }

  /** One round with all that is kept. Undefined where libvirt did not answer: there is a gap then. */
  async takeAll(): Promise<SamplerRound | undefined> {
    await this.#running;
    return await (this.#running = this.#start(KEPT_GROUPS));
  }

  /** Milliseconds since the last round began. */
  get age(): number {
    return this.clock.monotonic() - this.#lastAt;
  }

  #start(groups: readonly StatsGroup[]): Promise<SamplerRound | undefined> {
    this.#lastAt = this.clock.monotonic();
    const round: Promise<SamplerRound | undefined> = this.#round(groups).finally(() => {
      if (this.#running === round) this.#running = undefined;
    });
    return round;
  }

  /**
   * Finds out which VMs answer, and nothing else: for times without listeners, when ticks are rare. It asks
   * QEMU for one group alone.
   */
  async probe(): Promise<void> {
    if (this.#running || this.#noneIsActive()) return;
    try {
      await this.#ask(["balloon"]);
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      log.debug("it could not be asked which VMs answer", { error });
    }
  }

  async #round(groups: readonly StatsGroup[]): Promise<SamplerRound | undefined> {
    try {
      // One after the other: both at once take two workers, the second of which would be started each time
      const node = await this.#sampleHost(), records = await this.#sampleVms(groups);
      return { at: this.clock.monotonic(), node, records };
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      log.debug("loads could not be read", { error });
      return undefined;
    }
  }

  async #sampleHost(): Promise<NodeCounters> {
    const counters = await this.link.call("nodeCounters");
    this.#host = hostStats(this.#node, counters, this.local(), this.clock.now());
    this.#node = counters;
    this.events.publish("host-stats-updated", this.#host);
    return counters;
  }

  async #sampleVms(groups: readonly StatsGroup[]): Promise<readonly DomainStats[]> {
    if (this.#noneIsActive()) {
      this.#readings.clear();
      return [];
    }
    const active = new Set(this.inventory.active());
    const records = await this.#ask(groups);
    const events: Published[] = [];
    for (const record of records) {
      if (Object.keys(record.params).length === 0) continue; // a driver without statistics (test:///)
      if (!answered(record) && this.#readings.has(record.uuid)) continue; // keep the last whole reading
      this.watched.take?.(record);
      const stats = this.#take(record.uuid, record.params);
      if (stats) events.push(["vm-stats-updated", { vmId: record.uuid, stats }]);
    }
    for (const uuid of this.#readings.keys()) if (!active.has(uuid)) this.#readings.delete(uuid);
    this.events.publishAll(events);
    return records;
  }

  /** Whether no VM runs; what was suspected of those that have stopped is forgotten. */
  #noneIsActive(): boolean {
    const active = new Set(this.inventory.active()), { gate } = this.link;
    for (const { key } of gate.hangs()) {
      if (key.startsWith("vm:") && !active.has(key.slice("vm:".length))) gate.suspect(key, undefined);
    }
    for (const map of [this.#unproven, this.#unanswered]) {
      for (const uuid of map.keys()) if (!active.has(uuid)) map.delete(uuid);
    }
    return active.size === 0;
  }

  /** Asks the VMs that may answer, and notes which do. @throws {LibvirtError} */
  async #ask(groups: readonly StatsGroup[]): Promise<readonly DomainStats[]> {
    const uuids = await this.#askable(this.inventory.active());
    try {
      const records = [];
      for (const [some, asked] of await this.#byGroups(uuids, groups)) {
        if (some.length === 0) continue;
        const round = this.link.call("domainStats", { uuids: some, groups: asked });
        records.push(...await this.#noteDiskCall(some, asked, round));
      }
      for (const record of records) {
        if (Object.keys(record.params).length > 0) this.#noteAnswer(record.uuid, answered(record));
      }
      return records;
    } catch (error) {
      if (error instanceof LibvirtError && error.kind === "timeout") {
        for (const id of uuids) this.#unproven.add(id);
      }
      throw error;
    }
  }

  /** Groups of VMs with the statistics that each is asked for: not for disks if QEMU would wait for one. */
  async #byGroups(
    uuids: readonly string[],
    groups: readonly StatsGroup[],
  ): Promise<[readonly string[], readonly StatsGroup[]][]> {
    if (!groups.includes("block")) return [[uuids, groups]];
    const silent = await this.watched.onSilentStorage?.(uuids, STORAGE_MS) ?? new Set();
    const others = uuids.filter((uuid) => !silent.has(uuid));
    return [[others, groups], [[...silent], groups.filter((group) => group !== "block")]];
  }

  /** Notes the VMs of a call for disks that does not return. @throws errors of the call */
  async #noteDiskCall<T>(
    uuids: readonly string[],
    groups: readonly StatsGroup[],
    call: Promise<T>,
  ): Promise<T> {
    if (this.link.gate.hangingOf("stats") === 0) this.#diskCallOut.clear();
    try {
      return await call;
    } catch (error) {
      const isOut = error instanceof LibvirtError && error.kind === "timeout" && groups.includes("block");
      if (isOut) { for (const uuid of uuids) this.#diskCallOut.add(uuid); }
      throw error;
    }
  }

  /** Whether libvirt may still wait for QEMU's answer about a VM's disks. */
  isDiskCallOut(uuid: string): boolean {
    return this.#diskCallOut.has(uuid) && this.link.gate.hangingOf("stats") > 0;
  }

  /** Those of which nothing is known that would keep them from answering. */
  async #askable(active: readonly string[]): Promise<string[]> {
    const { gate } = this.link;
    const trouble = await this.watched.processes?.look(active) ?? new Map<string, ProcessTrouble>();
    for (const uuid of active) {
      const key = `vm:${uuid}` as const, found = trouble.get(uuid), known = gate.suspicion(key);
      if (found?.isLasting) gate.suspect(key, { call: found.text, mayBeAsked: false });
      else if (found === undefined && known?.mayBeAsked === false) gate.suspect(key, undefined);
    }
    const hung = new Set<string>(gate.hangs().map(({ key }) => key));
    const askable: string[] = [];
    let trials = 0;
    for (const uuid of active) {
      const key = `vm:${uuid}` as const;
      const isUnproven = this.#unproven.has(uuid);
      if (isUnproven && trials++ > 0 && gate.hangingOf("stats") >= MOST_HANGING) continue;
      const isDoubtful = isUnproven || gate.suspicion(key)?.mayBeAsked === true;
      // Asked while its process is stopped it would only hang, however short that may be
      if (trouble.has(uuid)) continue;
      if (isDoubtful ? await this.#answersAlone(uuid) : !hung.has(key)) askable.push(uuid);
    }
    return askable;
  }

  /** Asks a VM that did not answer once more, before it is refused something for that. */
  async recheck(uuid: string): Promise<void> {
    await this.#answersAlone(uuid);
  }

  /** Asks one VM for as little as there is. */
  async #answersAlone(uuid: string): Promise<boolean> {
    const isUnproven = this.#unproven.has(uuid);
    try {
      const record = await this.link.call("domainStatsOne", { uuid, groups: ["balloon"] });
      const isSilent = record !== null && Object.keys(record.params).length > 0 && !answered(record);
      this.#unproven.delete(uuid);
      // The call that did not return has its QEMU's answer to wait for
      if (isSilent && isUnproven) this.#unanswered.set(uuid, this.clock.monotonic() - UNANSWERED_MS);
      this.#noteAnswer(uuid, !isSilent);
      return !isSilent;
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      log.debug("a VM does not answer", { vm: uuid, error });
      return false;
    }
  }

  #take(uuid: string, params: VmReading["params"]): VmStats | undefined {
    const vm = this.inventory.vm(uuid);
    if (!vm) return undefined;
    const reading: VmReading = { params, at: this.clock.monotonic() };
    const stats = vmStats(uuid, this.#readings.get(uuid), reading, vm.cpuCount, this.clock.now());
    this.#readings.set(uuid, reading);
    this.inventory.setStats(uuid, stats);
    return stats;
  }

  #noteAnswer(uuid: string, yes: boolean): void {
    const { gate } = this.link, key = `vm:${uuid}` as const;
    // A call of our own may be what QEMU is busy with
    if (!yes && gate.isChanging(key)) return;
    const now = this.clock.monotonic(), since = this.#unanswered.get(uuid) ?? now;
    if (yes) this.#unanswered.delete(uuid);
    else this.#unanswered.set(uuid, since);
    gate.suspect(key, yes || now - since < UNANSWERED_MS ? undefined : NO_ANSWER);
  }

  /**
   * One VM's load, at most a few seconds old. Zeros for a stopped one.
   *
   * @throws {LibvirtError}
   */
  async of(uuid: string): Promise<VmStats> {
    const vm = this.inventory.vm(uuid);
    const known = vm?.stats;
    if (known && this.clock.now() - known.timestamp < FRESH_MS) return known;
    if (!this.inventory.active().includes(uuid)) return noStats(uuid, this.clock.now());
    const found = (await this.#byGroups([uuid], GROUPS)).find(([uuids]) => uuids.length > 0);
    const groups = found?.[1] ?? GROUPS;
    const round = this.link.call("domainStatsOne", { uuid, groups });
    const record = await this.#noteDiskCall([uuid], groups, round);
    return (record && this.#take(uuid, record.params)) ?? noStats(uuid, this.clock.now());
  }
}
