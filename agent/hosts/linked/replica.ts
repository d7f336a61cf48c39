/** What is known of a linked host's VMs and tasks: read once per connection, then kept by its events. What it says is checked. */
import type { Static, TSchema } from "typebox";
import {
  type AnyEvent,
  COMMANDS,
  type ConnectionStatus,
  type HostStats,
  type Job,
  type VM,
} from "../../../lib/contract/mod.ts";
import { type EventName, EVENTS } from "../../../lib/contract/events.ts";
import { parseJson } from "../../../lib/text/json.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { readAs } from "../../../lib/typebox/tolerant.ts";
import type { Published } from "../../events/hub.ts";
import type { EventFrame } from "./event_lines.ts";

/** VMs and tasks of one host; what is beyond them is left out. */
const MOST_VMS = 20_000, MOST_JOBS = 500;
/** Characters of them that came by events, as JSON; what is beyond them is left out. */
const MOST_TOLD = 128 * 1024 * 1024;
/** Characters of why its libvirt does not answer. */
const LONGEST_FAULT = 400;

/** The events that are handed on. Alerts, and what was done there, are asked for where they are looked at. */
const RELAYED: ReadonlySet<string> = new Set<EventName>([
  "vm-state-changed",
  "vm-created",
  "vm-updated",
  "vm-deleted",
  "vm-stats-updated",
  "host-stats-updated",
  "hangs-changed",
  "connection-status-changed",
  "network-changed",
  "pool-changed",
  "device-changed",
  "job-changed",
  "job-progress",
  "bin-changed",
]);

/** What a frame tells; undefined for what is not handed on, and for what is not as the contract says. */
function eventOf({ name, data }: EventFrame): AnyEvent | undefined {
  if (!RELAYED.has(name)) return undefined;
  let value: unknown;
  try {
    value = parseJson(data);
  } catch {
    return undefined; // another program's text: it is as if it had not been sent
  }
  const known = readAs(EVENTS[name as EventName].data, value);
  return known === undefined ? undefined : { name, data: known } as AnyEvent;
}

/** The items of a list that can be read. */
function readEach<S extends TSchema>(schema: S, values: readonly unknown[]): Static<S>[] {
  return values.flatMap((value) => {
    const known = readAs(schema, value);
    return known === undefined ? [] : [known];
  });
}

export class Replica {
  readonly #vms = new Map<string, VM>();
  readonly #jobs = new Map<string, Job>();
  /** Characters that came by events, by what they are about. */
  readonly #told = new Map<string, number>();
  #toldLength = 0;
  stats: HostStats | undefined;
  /** VMs that were left out because this version does not understand them. */
  unknownVms = 0;
  #libvirt: ConnectionStatus | undefined;

  /**
   * @param hostId what its rows and events are given as their host
   * @param isTaken whether a VM's id is another host's
   */
  constructor(private readonly hostId: string, private readonly isTaken: (vmId: string) => boolean) {}

  /** Its connection to its libvirt. */
  get libvirt(): ConnectionStatus | undefined {
    return this.#libvirt;
  }

  /** Takes that, whose text is shown in lists of hosts. */
  setLibvirt({ error, ...status }: ConnectionStatus): ConnectionStatus {
    return this.#libvirt = { ...status, error: error === null ? null : oneLine(error, LONGEST_FAULT) };
  }

  /** Its VMs, without those whose ids are other hosts'. */
  vms(): VM[] {
    return [...this.#vms.values()].filter(({ id }) => !this.isTaken(id));
  }

  /** Its VMs whose ids are other hosts'. */
  foreign(): VM[] {
    return [...this.#vms.values()].filter(({ id }) => this.isTaken(id));
  }

  has(vmId: string): boolean {
    return this.#vms.has(vmId);
  }

  vm(vmId: string): VM | undefined {
    const vm = this.#vms.get(vmId);
    return vm === undefined || this.isTaken(vmId) ? undefined : vm;
  }

  jobs(): Job[] {
    return [...this.#jobs.values()];
  }

  job(jobId: string): Job | undefined {
    return this.#jobs.get(jobId);
  }

  /**
   * Takes the list of its VMs, and of its tasks. Those that are not as the contract of this version says are left out, and counted.
   *
   * @returns false for what is no list, and where none of its VMs can be read
   */
  fill(vms: unknown, jobs: unknown): boolean {
    if (!Array.isArray(vms) || !Array.isArray(jobs)) return false;
    const known = readEach(COMMANDS.get_vms.output.items, vms);
    if (vms.length > 0 && known.length === 0) return false;
    this.unknownVms = vms.length - known.length;
    this.#vms.clear();
    this.#jobs.clear();
    this.#told.clear();
    this.#toldLength = 0;
    for (const vm of known.slice(0, MOST_VMS)) this.#vms.set(vm.id, this.#own(vm));
    const tasks = readEach(COMMANDS.list_jobs.output.items, jobs.slice(0, MOST_JOBS));
    for (const job of tasks.toReversed()) this.#putJob(job);
    return true;
  }

  /** Takes events in. @returns those to hand on here */
  take(frames: readonly EventFrame[]): Published[] {
    return frames.flatMap((frame) => {
      const event = eventOf(frame);
      if (event === undefined || !this.#hasRoom(event, frame.data.length)) return [];
      const handed = this.#apply(event);
      return handed === undefined ? [] : [handed];
    });
  }

  /** Whether what is kept of an event has room. */
  #hasRoom({ name, data }: AnyEvent, length: number): boolean {
    if (name === "vm-deleted") return true;
    const key = "vm" in data
      ? data.vm.id
      : "vmId" in data
      ? `${data.vmId} ${name}`
      : "job" in data
      ? data.job.id
      : undefined;
    if (key === undefined) return true;
    const after = this.#toldLength - (this.#told.get(key) ?? 0) + length;
    if (after > MOST_TOLD) return false;
    this.#told.set(key, length);
    this.#toldLength = after;
    return true;
  }

  #forget(...keys: readonly string[]): void {
    for (const key of keys) {
      this.#toldLength -= this.#told.get(key) ?? 0;
      this.#told.delete(key);
    }
  }

  #forgetVm(vmId: string): void {
    this.#forget(vmId, `${vmId} vm-state-changed`, `${vmId} vm-stats-updated`);
  }

  #own = (vm: VM): VM => ({ ...vm, host: this.hostId });

  #putJob(job: Job): Job | undefined {
    // Of a host that is linked to that one, or read by it
    if (job.host !== undefined) return undefined;
    const own = { ...job, host: this.hostId };
    this.#jobs.delete(job.id);
    this.#jobs.set(job.id, own);
    if (this.#jobs.size > MOST_JOBS) {
      const [oldest] = this.#jobs.keys();
      this.#jobs.delete(oldest!);
      this.#forget(oldest!);
    }
    return own;
  }

  #apply({ name, data }: AnyEvent): Published | undefined {
    if ("host" in data && data.host !== undefined) return undefined;
    switch (name) {
      case "vm-created":
      case "vm-updated": {
        const vm = this.#own(data.vm), isNew = !this.#vms.has(vm.id);
        if (isNew && this.#vms.size >= MOST_VMS) return undefined;
        this.#vms.set(vm.id, vm);
        return this.isTaken(vm.id) ? undefined : [isNew ? "vm-created" : name, { vm }];
      }
      case "vm-state-changed": {
        const vm = this.vm(data.vmId);
        if (vm === undefined) return undefined;
        this.#vms.set(vm.id, { ...vm, state: data.state });
        return [name, data];
      }
      case "vm-deleted": {
        const isShown = this.vm(data.vmId) !== undefined;
        this.#vms.delete(data.vmId);
        this.#forgetVm(data.vmId);
        return isShown ? [name, data] : undefined;
      }
      case "vm-stats-updated": {
        const vm = this.vm(data.vmId);
        if (vm === undefined) return undefined;
        this.#vms.set(vm.id, { ...vm, stats: data.stats });
        return [name, data];
      }
      case "job-changed":
      case "job-progress": {
        const job = this.#putJob(data.job);
        return job && [name, { job }];
      }
      case "connection-status-changed":
        return [name, { status: this.setLibvirt(data.status), host: this.hostId }];
      case "host-stats-updated":
        this.stats = data;
        return [name, { ...data, host: this.hostId }];
      case "bin-changed":
        return [name, {}];
      default:
        return [name, { ...data, host: this.hostId }] as Published;
    }
  }
}
