/** The VMs of a host as the test driver has them now: those of the demo, and those that its visitor has made. */
import { CALLS } from "../../../ffi/calls/mod.ts";
import type { Connection } from "../../../ffi/connection.ts";
import { LibvirtError } from "../../../ffi/error.ts";
import { type DomainSummary, summarizeDomain } from "../../../lib/formats/xml/domain.ts";
import { MIB } from "../../../lib/text/byte_units.ts";
import type { DemoHost } from "../world/hosts.ts";
import { idOf } from "../world/node_xml.ts";
import { DEMO_VMS, type DemoVm } from "../world/vms.ts";
import { dressed, dressedLive } from "./dress.ts";

/** A VM. */
export interface SimulatedSubject {
  readonly vm: DemoVm;
  /** Its live XML as it is told; undefined while it is off. */
  readonly live: string | undefined;
  readonly summary: DomainSummary;
  readonly isPaused: boolean;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
}

/** `virDomainState` */
const RUNNING = 1, PAUSED = 3;
/** Milliseconds after which a guest that was just started has booted, and its agent answers. */
const BOOT_MS = 12_000;
const DAY_MS = 86_400_000;

/** A VM that a visitor created, with little simulated load. */
function idle(name: string, summary: DomainSummary, host: string): DemoVm {
  const system = summary.osType === "windows" ? "win2022" : "debian12";
  return {
    name,
    host,
    title: summary.title ?? "",
    system,
    vcpus: summary.cpuCount,
    memoryGib: summary.memoryMb / 1024,
    disks: summary.disks.filter(({ device }) => device === "disk").map(() => ({
      pool: "",
      gib: 20,
      usedGib: 2,
    })),
    networks: summary.interfaces.map(({ network }, index) => [network, 150 + index]),
    tags: [],
    group: "",
    state: "stopped",
    load: { cpu: 6, swing: 4, memory: 24, network: MIB / 30, disk: MIB / 20, peak: "even" },
    ageDays: 0,
    upDays: 0,
    agent: false,
    autostart: false,
  };
}

export class Subjects {
  readonly #known: ReadonlyMap<string, DemoVm>;
  /** When VMs were started, by id: milliseconds since 1970. */
  readonly #started = new Map<string, number>();

  constructor(
    private readonly host: DemoHost,
    private readonly connection: Connection,
    private readonly now: () => number,
  ) {
    this.#known = new Map(DEMO_VMS.filter((vm) => vm.host === host.id).map((vm) => [idOf(vm), vm]));
    for (const [id, { upDays }] of this.#known) this.#started.set(id, now() - upDays * DAY_MS);
  }

  /** The VM with an id; undefined where there is none. */
  find(uuid: string): SimulatedSubject | undefined {
    try {
      const xml = CALLS.domainXml.run(this.connection, { uuid, secure: true, inactive: false });
      const states = CALLS.domainRead.run(this.connection, { uuid });
      if (states === null) return undefined;
      return this.#subject(uuid, states.name, states.state, xml);
    } catch (error) {
      if (error instanceof LibvirtError) return undefined;
      throw error;
    }
  }

  /** The definition of a VM as it is told. @throws {LibvirtError} */
  stored(uuid: string): string {
    return dressed(CALLS.domainXml.run(this.connection, { uuid, secure: false, inactive: true }));
  }

  #subject(uuid: string, name: string, state: number, xml: string): SimulatedSubject {
    const number = Number(/^<domain\b[^>]* id=['"](\d+)/.exec(xml)?.[1] ?? NaN);
    const isOn = state === RUNNING || state === PAUSED;
    if (!isOn) this.#started.delete(uuid);
    const startedAt = isOn ? this.#started.getOrInsertComputed(uuid, this.now) : this.now();
    const known = this.#known.get(uuid), isBooted = this.now() - startedAt > BOOT_MS;
    const hasAgent = isBooted && state === RUNNING && known?.agent === true;
    const live = isOn ? dressedLive(xml, { number, hasAgent }) : undefined;
    const summary = summarizeDomain(live ?? xml);
    return {
      vm: known ?? idle(name, summary, this.host.id),
      live,
      summary,
      isPaused: state === PAUSED,
      startedAt,
    };
  }

  /** It was started just now: its uptime begins. */
  started(uuid: string): void {
    this.#started.set(uuid, this.now());
  }
}
