/**
 * Readings of the demo's hosts that do not come from libvirt: their loads, their counters and their network
 * devices.
 */
import type { HealthFinding, TopologyDevice } from "../../../lib/contract/mod.ts";
import type { Reading } from "../../../lib/metrics/metric_sampler.ts";
import { GIB, KIB } from "../../../lib/text/byte_units.ts";
import type { SimulatedMachine } from "../../libvirt/simulation.ts";
import { SECTION } from "../../metrics/host_reading.ts";
import { hash } from "../world/chance.ts";
import type { DemoHost } from "../world/hosts.ts";
import { type HostFigures, hostFiguresOf } from "../world/host_figures.ts";
import type { DemoVm } from "../world/vms.ts";

/** Microseconds and milliseconds in a second; bytes of an operation and of a packet. */
const MICROS = 1e6, MILLIS = 1000, OPERATION = 32 * KIB, PACKET = 900;
const UP_DAYS = 88, DAY = 86_400;

/** Rates that are added up to counters. */
const COUNTED = ["read", "written", "received", "sent", "busy", "pressureCpu", "pressureIo"] as const;
type Counted = Record<typeof COUNTED[number], number>;

const NONE: Counted = { read: 0, written: 0, received: 0, sent: 0, busy: 0, pressureCpu: 0, pressureIo: 0 };

export class DemoMachine implements SimulatedMachine {
  #at: number;
  #counted: Counted = NONE;

  /**
   * @param now milliseconds since 1970
   * @param isRunning whether one of its VMs runs
   */
  constructor(
    private readonly host: DemoHost,
    private readonly now: () => number,
    private readonly isRunning: (vm: DemoVm) => boolean,
  ) {
    this.#at = now() / 1000;
  }

  #figures(): HostFigures {
    return hostFiguresOf(this.host, this.now() / 1000, this.isRunning);
  }

  load() {
    const { load } = this.#figures();
    return { loadAverage: [load, load * 0.95, load * 0.91], uptimeSeconds: UP_DAYS * DAY + this.#at % DAY };
  }

  reading(): Reading {
    const figures = this.#figures(), at = this.now() / 1000, step = Math.max(0, at - this.#at);
    this.#at = at;
    this.#counted = Object.fromEntries(
      COUNTED.map((name) => [name, this.#counted[name] + figures[name] * step]),
    ) as Counted;
    const { read, written, received, sent, busy, pressureCpu, pressureIo } = this.#counted;
    const disk = `disk${SECTION}nvme0n1${SECTION}`, card = `nic${SECTION}eno1${SECTION}`;
    return {
      "load.1": figures.load,
      "load.5": figures.load * 0.95,
      "load.15": figures.load * 0.91,
      "swap.total": 8 * GIB,
      "swap.used": 0.2 * GIB,
      "pressure.cpu.some": pressureCpu * MICROS,
      "pressure.memory.some": 0,
      "pressure.memory.full": 0,
      "pressure.io.some": pressureIo * MICROS,
      "pressure.io.full": pressureIo * MICROS * 0.4,
      [`${disk}rd.reqs`]: read / OPERATION,
      [`${disk}rd.bytes`]: read,
      [`${disk}rd.ms`]: read / OPERATION * 0.18,
      [`${disk}wr.reqs`]: written / OPERATION,
      [`${disk}wr.bytes`]: written,
      [`${disk}wr.ms`]: written / OPERATION * 0.41,
      [`${disk}busy`]: busy * MILLIS,
      [`${card}rxBytes`]: received,
      [`${card}txBytes`]: sent,
      [`${card}rxPackets`]: received / PACKET,
      [`${card}txPackets`]: sent / PACKET,
      [`${card}rxDrops`]: 0,
      [`${card}txDrops`]: 0,
      [`${card}rxErrors`]: 0,
      [`${card}txErrors`]: 0,
      [`sensor${SECTION}CPU Package${SECTION}milli`]: figures.temperature * 1000,
    };
  }

  health(): HealthFinding[] {
    return [
      { area: "libvirt", level: "ok", what: "libvirt 9.0.0 answers" },
      { area: "kvm", level: "ok", what: "KVM works: this is what the demo says, no machine was looked at" },
      { area: "storage", level: "ok", what: "All storage pools can be used" },
      { area: "clock", level: "ok", what: "chronyd keeps the clock" },
    ];
  }

  networkDevices(): TopologyDevice[] {
    const mac = (name: string) => {
      const hex = hash(`${this.host.id} ${name}`).toString(16).padStart(8, "0").slice(0, 6);
      return `b8:59:9f:${hex.match(/../g)!.join(":")}`;
    };
    const device = (name: string, kind: TopologyDevice["kind"], more: Partial<TopologyDevice> = {}) => ({
      name,
      kind,
      up: true,
      mac: mac(name),
      mtu: 1500,
      addresses: [],
      over: [],
      hasDefaultRoute: false,
      ...more,
    });
    const own = this.host.networks.filter(({ mode }) => mode !== "bridge").map(({ bridge, subnet }) =>
      device(bridge, "bridge", { addresses: subnet === undefined ? [] : [`${subnet}.1/24`] })
    );
    const last = 10 + hash(this.host.id) % 40;
    return [
      device("eno1", "physical", { speedMbps: 25_000 }),
      device("eno2", "physical", { speedMbps: 25_000 }),
      device("bond0", "bond", { over: ["eno1", "eno2"], speedMbps: 50_000 }),
      device("br0", "bridge", {
        over: ["bond0"],
        addresses: [`10.10.0.${last}/24`],
        hasDefaultRoute: true,
      }),
      ...own,
    ];
  }
}
