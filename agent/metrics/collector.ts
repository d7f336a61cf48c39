/**
 * Takes what is kept of one host: at each slot of time one round of the sampler, whose figures go to the store. What
 * cannot be read is a gap.
 */
import type { Inventory } from "../hosts/inventory/inventory.ts";
import { type FigureSource, MetricSampler, type Reading } from "../../lib/metrics/metric_sampler.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { log } from "../log.ts";
import { hostLayout, HostReader, hostSources, readPools } from "./host_reading.ts";
import type { FigureFeed, TakenFigures } from "./figure_feed.ts";
import type { MetricStore } from "./metric_store.ts";
import type { Sampler, SamplerRound } from "./sampler.ts";
import { VmFigures } from "./vm_figures.ts";
import { answered } from "./vm_stats.ts";
import type { SimulatedMachine } from "../libvirt/simulation.ts";
import type { LocalMachine } from "../machine/machine.ts";

/** Intervals that may lie between two readings of a counter: after more, what it rose by says nothing of now. */
const MOST_INTERVALS = 4;

/** Subjects whose series are made known at once: those of a thousand VMs together would fill the memory for good. */
const REGISTERED_AT_ONCE = 50;

/** Places of the halves of a number of 64 bits in memory. */
const [LOW, HIGH] = new Uint32Array(BigUint64Array.of(1n).buffer)[0] === 1
  ? [0, 1] as const
  : [1, 0] as const;

/** Data of a VM, or of the host itself. */
interface Subject {
  /** Those that the ids are of. */
  sources?: readonly FigureSource[];
  ids: Uint32Array;
}

/** The last round that was kept. */
export interface TakenRound extends SamplerRound {
  /** Milliseconds since 1970. */
  readonly takenAt: number;
}

/** Services of a host that a collector needs. */
export interface CollectedHost {
  readonly id: string;
  /** Machine whose kernel's files report more than libvirt does; null if those are not here. */
  readonly machine: LocalMachine | null;
  /** Whether somebody may ask for the last round: it takes up memory. */
  readonly keepsLatest?: () => boolean;
  readonly inventory: Pick<Inventory, "vm" | "counts"> & {
    readonly storage: Pick<Inventory["storage"], "records">;
  };
  readonly sampler: Pick<Sampler, "takeAll">;
  /** The machine of a host that is not real. */
  readonly simulated?: SimulatedMachine | undefined;
  /** Last reading of a VM's agent. */
  readonly guestReading?: (vmId: string) => Reading | undefined;
}

export class Collector {
  readonly #host: CollectedHost;
  readonly #store: Pick<MetricStore, "ask" | "generation">;
  readonly #interval: number;
  readonly #clock: { now(): number };
  readonly #feed: Pick<FigureFeed, "tell"> | undefined;
  readonly #reader = new HostReader();
  readonly #vms = new Map<string, VmFigures>();
  readonly #subjects = new Map<string, Subject>();
  #generation = 0;
  #hostTaker: MetricSampler | undefined;
  #hostLayout = "";
  #slot = NaN;
  #latest: TakenRound | undefined;

  /**
   * @param interval seconds from one reading to the next
   * @param clock milliseconds since 1970
   * @param feed told of what was taken, before it is written
   */
  constructor(
    host: CollectedHost,
    store: Pick<MetricStore, "ask" | "generation">,
    interval: number,
    clock: { now(): number } = { now: () => Date.now() },
    feed?: Pick<FigureFeed, "tell">,
  ) {
    this.#host = host;
    this.#store = store;
    this.#interval = interval;
    this.#clock = clock;
    this.#feed = feed;
  }

  /** The last round; undefined before the first, and once nothing was taken for so long that it says nothing of now. */
  get latest(): TakenRound | undefined {
    const age = this.#latest && this.#clock.now() - this.#latest.takenAt;
    return age !== undefined && age <= this.#interval * MOST_INTERVALS * 1000 ? this.#latest : undefined;
  }

  /** The slot of time that goes on: readings are written with its beginning, so that VMs and hosts line up. */
  get #current(): number {
    return Math.floor(this.#clock.now() / 1000 / this.#interval);
  }

  /** Whether nothing was taken in the slot of time that goes on. */
  get isDue(): boolean {
    return this.#current !== this.#slot;
  }

  /** Takes everything once, and writes it. What the store cannot take is a gap; it has told why. */
  async tick(): Promise<void> {
    this.#slot = this.#current;
    const time = this.#slot * this.#interval;
    const round = await this.#host.sampler.takeAll();
    if (round === undefined) return;
    if (this.#host.keepsLatest?.()) this.#latest = { ...round, takenAt: this.#clock.now() };
    const taken = [await this.#takeHost(round), ...this.#takeVms(round)];
    this.#feed?.tell(this.#host.id, taken);
    try {
      await this.#write(time, taken);
    } catch (error) {
      if (!(error instanceof ContractError)) throw error;
      log.debug("figures were not stored", { host: this.#host.id, error });
    }
  }

  #takeVms({ records, at }: SamplerRound): TakenFigures[] {
    const most = this.#interval * MOST_INTERVALS, running = new Set<string>(), taken: TakenFigures[] = [];
    for (const record of records) {
      const vm = this.#host.inventory.vm(record.uuid);
      if (!vm) continue;
      running.add(record.uuid);
      if (!answered(record)) continue; // its QEMU hangs: a gap, and its counters stay known
      let figures = this.#vms.get(record.uuid);
      if (!figures) this.#vms.set(record.uuid, figures = new VmFigures());
      const macOf = (device: string) => vm.networkInterfaces.find(({ target }) => target === device)?.mac;
      const reading = { ...this.#host.guestReading?.(record.uuid), ...record.params };
      const values = figures.take(reading, at, most, vm.cpuCount, macOf);
      taken.push({ subject: record.uuid, sources: figures.sources, figures: values });
    }
    for (const uuid of this.#vms.keys()) {
      if (running.has(uuid)) continue;
      this.#vms.delete(uuid);
      this.#subjects.delete(uuid);
    }
    return taken;
  }

  async #takeHost({ node, at }: SamplerRound): Promise<TakenFigures> {
    const { inventory, machine } = this.#host;
    const reading: Reading = {
      // libvirt's figures of any host; the kernel's of this one are finer, and counts
      ...nodeReading(node),
      ...(machine !== null && await this.#reader.read()),
      ...this.#host.simulated?.reading(),
      ...readPools(inventory.storage.records()),
      "vms.running": inventory.counts().active,
    };
    const layout = hostLayout(reading);
    if (!this.#hostTaker || layout !== this.#hostLayout) {
      this.#hostTaker = new MetricSampler(hostSources(reading));
      this.#hostLayout = layout;
    }
    const { sources } = this.#hostTaker;
    return {
      subject: "",
      sources,
      figures: this.#hostTaker.take(reading, at, this.#interval * MOST_INTERVALS),
    };
  }

  /** @throws {ContractError} MetricsUnavailable */
  async #write(time: number, taken: readonly TakenFigures[]): Promise<void> {
    await this.#register(taken);
    await this.#store.ask("write", {
      time,
      generation: this.#generation,
      ...this.#byId(taken),
    });
  }

  /** All figures that are known, by the ids of their series. Of two parts with the same label one counts. */
  #byId(taken: readonly TakenFigures[]): { ids: Uint32Array; figures: Float32Array } {
    const most = taken.reduce((sum, { figures }) => sum + figures.length, 0);
    // An id and its figure are one number of 64 bits: a map of all would be garbage of megabytes each time
    const pairs = new BigUint64Array(most),
      bits = new Uint32Array(pairs.buffer),
      floats = new Float32Array(pairs.buffer);
    let count = 0;
    for (const { subject, figures } of taken) {
      const { ids } = this.#subjects.get(subject)!;
      for (let index = 0; index < figures.length; index++) {
        if (Number.isNaN(figures[index])) continue;
        floats[2 * count + LOW] = figures[index]!;
        bits[2 * count++ + HIGH] = ids[index]!;
      }
    }
    pairs.subarray(0, count).sort();
    const ids = new Uint32Array(count), known = new Float32Array(count);
    let kept = 0;
    for (let index = 0; index < count; index++) {
      const id = bits[2 * index + HIGH]!;
      if (kept > 0 && ids[kept - 1] === id) continue;
      ids[kept] = id;
      known[kept++] = floats[2 * index + LOW]!;
    }
    return { ids: ids.slice(0, kept), figures: known.slice(0, kept) };
  }

  /** Has an id for every series. @throws {ContractError} MetricsUnavailable */
  async #register(taken: readonly TakenFigures[]): Promise<void> {
    if (this.#generation !== this.#store.generation) this.#subjects.clear();
    const fresh = taken.filter(({ subject, sources }) => this.#subjects.get(subject)?.sources !== sources);
    for (let first = 0; first < fresh.length; first += REGISTERED_AT_ONCE) {
      const part = fresh.slice(first, first + REGISTERED_AT_ONCE);
      if (await this.#registerPart(part)) continue;
      // Begun again meanwhile: the ids of the others are good no more
      this.#subjects.clear();
      return await this.#register(taken);
    }
  }

  /** @returns whether the ids that were given before are good still @throws {ContractError} MetricsUnavailable */
  async #registerPart(fresh: readonly TakenFigures[]): Promise<boolean> {
    const keys = fresh.flatMap(({ subject, sources }) =>
      sources.map(({ name, label }) => ({ host: this.#host.id, subject, name, label }))
    );
    const ids = await this.#store.ask("register", { keys });
    if (this.#subjects.size > 0 && this.#generation !== this.#store.generation) return false;
    this.#generation = this.#store.generation;
    let at = 0;
    for (const { subject, sources } of fresh) {
      this.#subjects.set(subject, { sources, ids: ids.slice(at, at + sources.length) });
      at += sources.length;
    }
    return true;
  }
}

/** libvirt's own counters of a host, for one that is elsewhere. */
function nodeReading({ cpu, memory }: SamplerRound["node"]): Reading {
  const { user, kernel, idle, iowait = 0 } = cpu;
  const busy = (user ?? NaN) + (kernel ?? NaN), free = memory.free;
  return {
    "cpu.busy": busy,
    "cpu.iowait": iowait,
    "cpu.all": busy + (idle ?? NaN) + iowait,
    "memory.total": memory.total * 1024,
    "memory.used": free === undefined
      ? NaN
      : (memory.total - free - (memory.cached ?? 0) - (memory.buffers ?? 0)) * 1024,
  };
}
