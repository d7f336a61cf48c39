/** Counters of the demo's VMs and hosts, as QEMU and the kernel would count: they rise with the loads, and never fall. */
import type { DomainStats, NodeCounters, StatsGroup } from "../../../ffi/calls/mod.ts";
import type { Params } from "../../../ffi/typed_params.ts";
import { GIB, KIB } from "../../../lib/text/byte_units.ts";
import { hostLoadOf, type LoadNow, simulatedLoad, usedOf } from "../world/load.ts";
import type { DemoHost } from "../world/hosts.ts";
import type { DemoVm } from "../world/vms.ts";
import type { SimulatedSubject } from "./subjects.ts";

/** Nanoseconds in a second; bytes of a packet and of an operation on a disk, as they are mostly. */
const NS = 1e9, PACKET = 900, OPERATION = 24 * KIB;
/** Nanoseconds that an operation on a disk takes. */
const READ_NS = 310_000, WRITE_NS = 720_000;
/** Seconds that are added at once at most: the machine may have slept. */
const MOST_STEP = 3600;
const DAY = 86_400;

/** The figures of a load that are counted. */
type Counted = Readonly<Record<"cpu" | "received" | "sent" | "read" | "written", number>>;

/** Adds a load up over time. */
class Sum {
  #at: number;
  #total: Counted;

  /** @param seconds for which it was that busy before */
  constructor(at: number, { cpu, received, sent, read, written }: LoadNow, seconds: number) {
    this.#at = at;
    this.#total = {
      cpu: cpu * seconds,
      received: received * seconds,
      sent: sent * seconds,
      read: read * seconds,
      written: written * seconds,
    };
  }

  /** @param at seconds */
  to(at: number, load: LoadNow, isPaused: boolean): Counted {
    const step = Math.min(MOST_STEP, Math.max(0, at - this.#at));
    this.#at = at;
    if (!isPaused) {
      const { cpu, received, sent, read, written } = this.#total;
      this.#total = {
        cpu: cpu + load.cpu * step,
        received: received + load.received * step,
        sent: sent + load.sent * step,
        read: read + load.read * step,
        written: written + load.written * step,
      };
    }
    return this.#total;
  }
}

function balloon({ memoryGib }: DemoVm, { memoryUsed }: LoadNow): Params {
  const all = memoryGib * GIB / KIB, used = memoryUsed / KIB;
  return {
    "balloon.current": all,
    "balloon.maximum": all,
    "balloon.available": Math.round(all * 0.985),
    "balloon.unused": Math.round((all - used) * 0.4),
    "balloon.usable": Math.round(all * 0.985 - used),
    "balloon.rss": Math.round(Math.min(all, used * 1.08)),
    "balloon.swap_in": 0,
    "balloon.swap_out": 0,
    "balloon.major_fault": 12_000,
  };
}

function vcpus({ vcpus: count }: DemoVm, { cpu }: Counted): Params {
  const params: Params = { "vcpu.current": count, "vcpu.maximum": count };
  for (let index = 0; index < count; index++) {
    // The first ones do a little more
    const part = 1 + (count / 2 - index - 0.5) / count / 2;
    params[`vcpu.${index}.time`] = Math.round(cpu * NS * part);
    params[`vcpu.${index}.delay`] = Math.round(cpu * NS * 0.004);
  }
  return params;
}

/** Most of the traffic is that of the first card, and of the last disk. */
const partOf = (index: number, count: number, first: number): number =>
  count === 1 ? 1 : index === 0 ? first : (1 - first) / (count - 1);

function cards({ interfaces }: SimulatedSubject["summary"], { received, sent }: Counted): Params {
  const params: Params = { "net.count": interfaces.length };
  interfaces.forEach(({ target = "" }, index) => {
    const at = `net.${index}.`, part = partOf(index, interfaces.length, 0.7);
    params[`${at}name`] = target;
    for (const [way, bytes] of [["rx", received], ["tx", sent]] as const) {
      params[`${at}${way}.bytes`] = Math.round(bytes * part);
      params[`${at}${way}.pkts`] = Math.round(bytes * part / PACKET);
      params[`${at}${way}.errs`] = 0;
      params[`${at}${way}.drop`] = 0;
    }
  });
  return params;
}

function disks({ vm, summary }: SimulatedSubject, { read, written }: Counted, now: number): Params {
  const shown = summary.disks.filter(({ device }) => device === "disk");
  const params: Params = { "block.count": shown.length };
  shown.forEach(({ target }, index) => {
    const at = `block.${index}.`, part = partOf(index, shown.length, 0.25);
    const disk = vm.disks[index] ?? { pool: "", gib: 20, usedGib: 1 };
    const reads = read * part / OPERATION, writes = written * part / OPERATION;
    Object.assign(params, {
      [`${at}name`]: target,
      [`${at}rd.reqs`]: Math.round(reads),
      [`${at}rd.bytes`]: Math.round(read * part),
      [`${at}rd.times`]: Math.round(reads * READ_NS),
      [`${at}wr.reqs`]: Math.round(writes),
      [`${at}wr.bytes`]: Math.round(written * part),
      [`${at}wr.times`]: Math.round(writes * WRITE_NS),
      [`${at}fl.reqs`]: Math.round(writes / 8),
      [`${at}allocation`]: usedOf(disk, now, now),
      [`${at}capacity`]: disk.gib * GIB,
      [`${at}physical`]: usedOf(disk, now, now),
    });
  });
  return params;
}

export class Counters {
  readonly #vms = new Map<string, Sum>();
  #host: { readonly at: number; readonly busy: number; readonly all: number } | undefined;

  /** @param now milliseconds since 1970 */
  constructor(private readonly host: DemoHost, private readonly now: () => number) {}

  /** Counters of a running VM since its start. */
  #countedOf(uuid: string, { vm, startedAt, isPaused }: SimulatedSubject, seconds: number): Counted {
    const now = simulatedLoad(vm, seconds), load = { ...now, cpu: now.cpu * vm.vcpus };
    const up = Math.max(1, seconds - startedAt / 1000);
    return this.#vms.getOrInsertComputed(uuid, () => new Sum(seconds, load, up)).to(seconds, load, isPaused);
  }

  /** Statistics of a running VM, by libvirt's names. */
  stats(uuid: string, subject: SimulatedSubject, groups: readonly StatsGroup[]): DomainStats {
    const seconds = this.now() / 1000, { vm, summary } = subject;
    const counted = this.#countedOf(uuid, subject, seconds);
    const of: Readonly<Partial<Record<StatsGroup, () => Params>>> = {
      cpu: () => ({ "cpu.time": Math.round(counted.cpu * NS) }),
      balloon: () => balloon(vm, simulatedLoad(vm, seconds)),
      vcpu: () => vcpus(vm, { ...counted, cpu: counted.cpu / vm.vcpus }),
      interface: () => cards(summary, counted),
      block: () => disks(subject, counted, seconds),
    };
    return { uuid, params: Object.assign({}, ...groups.map((group) => of[group]?.() ?? {})) };
  }

  /** Bytes through the cards of a running VM. */
  traffic(uuid: string, subject: SimulatedSubject, macs: readonly string[]) {
    const { received, sent } = this.#countedOf(uuid, subject, this.now() / 1000);
    const { interfaces } = subject.summary;
    return interfaces.flatMap(({ mac }, index) => {
      const part = partOf(index, interfaces.length, 0.7);
      return macs.includes(mac)
        ? [{ mac, rxBytes: Math.round(received * part), txBytes: Math.round(sent * part) }]
        : [];
    });
  }

  /** A VM was started, or is gone: its counters begin again. */
  forget(uuid: string): void {
    this.#vms.delete(uuid);
  }

  /** Counters of the host. @param isRunning whether one of its VMs runs */
  node(isRunning: (vm: DemoVm) => boolean): NodeCounters {
    const at = this.now() / 1000, { threads, memoryGib } = this.host;
    const { cpu, memoryUsed } = hostLoadOf(this.host, at, isRunning);
    const before = this.#host ?? { at: at - DAY, busy: 0, all: 0 };
    const step = Math.min(DAY, Math.max(0, at - before.at)) * threads * NS;
    this.#host = { at, busy: before.busy + cpu * step, all: before.all + step };
    const { busy, all } = this.#host, total = memoryGib * GIB / KIB;
    const iowait = Math.round(all * 0.006), cached = Math.round(total * 0.11);
    return {
      cpu: {
        user: Math.round(busy * 0.8),
        kernel: Math.round(busy * 0.2),
        idle: Math.round(all - busy - iowait),
        iowait,
      },
      memory: {
        total,
        free: Math.max(0, Math.round(total - memoryUsed / KIB - cached)),
        cached,
        buffers: 0,
      },
    };
  }
}
