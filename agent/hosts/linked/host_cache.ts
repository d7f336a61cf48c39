/** VMs and tasks of a linked host: read once per connection, then kept by its events. All of it is checked. */
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
import { endText } from "../../../lib/projects/end_date.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { notUnderstoodText } from "../../../lib/vm/not_responding.ts";
import { readAs } from "../../../lib/typebox/tolerant.ts";
import type { Published } from "../../events/hub.ts";
import type { Membership } from "../projects.ts";
import type { EventFrame } from "./event_lines.ts";
import type { VmOwners } from "./vm_owners.ts";

/** VMs and tasks of one host; what is beyond them is left out. */
const MOST_VMS = 20_000, MOST_JOBS = 500;
/** Characters of a VM, and of all of one host, as JSON; what is longer, or beyond them, is left out. */
const LONGEST_VM = 256 * 1024, MOST_KEPT = 32 * 1024 * 1024;
/** Characters of a task, as JSON. */
export const LONGEST_JOB = 16 * 1024;
/** Characters of an id. */
const LONGEST_ID = 128;
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

/** Value of a frame; undefined for events that are not relayed, and for another program's text. */
function valueOf({ name, data }: EventFrame): unknown {
  if (!RELAYED.has(name)) return undefined;
  try {
    return parseJson(data);
  } catch {
    return undefined; // it is as if it had not been sent
  }
}

/** Events that tell a VM whole. */
const OF_VMS: ReadonlySet<string> = new Set<EventName>(["vm-created", "vm-updated"]);

/** The id that something says is its own. */
function idIn(value: unknown): string | undefined {
  const { id } = (value ?? {}) as { readonly id?: unknown };
  return typeof id === "string" && id !== "" && id.length <= LONGEST_ID ? id : undefined;
}

/** Services that the cache needs of its host and of the application. */
export interface HostCacheOptions {
  /** Host id of its rows and events. */
  readonly hostId: string;
  /** The host's name as it told it; undefined until it has. */
  readonly hostname: () => string | undefined;
  /** Whether a VM's id is another host's. */
  readonly isTaken: (vmId: string) => boolean;
  /** Is told which VMs it has. */
  readonly owners: Pick<VmOwners, "claim" | "release" | "reconcile">;
  /** The host's value with times by the clock here. */
  readonly toHere: <T>(schema: TSchema, value: T) => T;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Project and end date here of a VM: those that it has there are of the other KVM Manager. */
  readonly membershipOf: (vmId: string) => Membership;
}

export class HostCache {
  readonly #vms = new Map<string, VM>();
  readonly #jobs = new Map<string, Job>();
  /** Characters of what is kept, by what they are about. */
  readonly #kept = new Map<string, number>();
  #keptLength = 0;
  stats: HostStats | undefined;
  /** VMs of its list that were left out: this version does not understand them, or they have no room. */
  #leftOut = 0;
  /** VMs that were left out since, by their ids. */
  readonly #leftOutSince = new Set<string>();
  #libvirt: ConnectionStatus | undefined;
  /** Host names of the VMs in its list. */
  #ownNames: ReadonlySet<string> = new Set();
  #isBehind = false;
  readonly #options: HostCacheOptions;

  constructor(options: HostCacheOptions) {
    this.#options = options;
  }

  /** VMs that are left out because this version does not understand them. */
  get unknownVms(): number {
    return this.#leftOut + this.#leftOutSince.size;
  }

  /** Whether it told of a VM that may be its own or not, which its list says. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  private isTaken(vmId: string): boolean {
    return this.#options.isTaken(vmId);
  }

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
    const known = this.#readEach(COMMANDS.get_vms.output.items, vms, LONGEST_VM);
    if (vms.length > 0 && known.length === 0) return false;
    const before = new Map(this.#vms), read = new Set(known.map(({ item }) => item.id));
    this.#ownNames = new Set(known.map(({ item }) => item.host));
    this.#isBehind = false;
    this.#vms.clear();
    this.#jobs.clear();
    this.#kept.clear();
    this.#keptLength = 0;
    for (const { item, length } of known.slice(0, MOST_VMS)) {
      if (this.#hasRoom(item.id, length)) this.#vms.set(item.id, this.#own(item));
    }
    // One that was understood before is shown as it was then
    for (const id of vms.map(idIn)) {
      const vm = id === undefined || read.has(id) ? undefined : before.get(id);
      if (vm !== undefined && this.#hasRoom(vm.id, JSON.stringify(vm).length)) {
        this.#vms.set(vm.id, this.#stale(vm));
      }
    }
    this.#leftOut = vms.length - this.#vms.size;
    this.#leftOutSince.clear();
    this.#options.owners.reconcile(this.#options.hostId, new Set(this.#vms.keys()));
    const tasks = this.#readEach(COMMANDS.list_jobs.output.items, jobs.slice(0, MOST_JOBS), LONGEST_JOB);
    for (const { item, length } of tasks.toReversed()) if (this.#hasRoom(item.id, length)) this.#putJob(item);
    return true;
  }

  /** Takes events in. @returns those to hand on here */
  take(frames: readonly EventFrame[]): Published[] {
    return frames.flatMap((frame) => {
      const value = valueOf(frame);
      if (value === undefined) return [];
      const { data: schema } = EVENTS[frame.name as EventName], known = readAs(schema, value);
      if (known === undefined) return this.#notUnderstood(frame.name, value);
      const event = { name: frame.name, data: this.#options.toHere(schema, known) } as AnyEvent;
      if ("vm" in event.data && !this.#isOwn(event.data.vm)) return [];
      if (!this.#isRoomFor(event, frame.data.length)) return [];
      const handed = this.#apply(event);
      return handed === undefined ? [] : [handed];
    });
  }

  /** The items of a list that can be read and are not longer than they may be. */
  #readEach<S extends TSchema>(
    schema: S,
    values: readonly unknown[],
    longest: number,
  ): { readonly item: Static<S>; readonly length: number }[] {
    return values.flatMap((value) => {
      const known = readAs(schema, value);
      if (known === undefined) return [];
      const item = this.#options.toHere(schema, known), { length } = JSON.stringify(item);
      return length > longest ? [] : [{ item, length }];
    });
  }

  /** A VM as it was before its host told of it what this version does not understand; undefined for one that is not known. */
  stale(vmId: string): VM | undefined {
    const vm = this.vm(vmId);
    return vm && this.#stale(vm);
  }

  /** A VM as it was before its host told more of it than this version understands. */
  #stale(vm: VM): VM {
    if (vm.notUnderstoodSince !== undefined) return vm;
    const notUnderstoodSince = this.#options.now();
    return { ...vm, notUnderstoodSince, attention: [notUnderstoodText(notUnderstoodSince), ...vm.attention] };
  }

  /** Marks a VM whose update this version does not understand; one that was not known before is counted. */
  #notUnderstood(name: string, value: unknown): Published[] {
    const { vm: told } = (value ?? {}) as { readonly vm?: unknown },
      id = OF_VMS.has(name) ? idIn(told) : undefined;
    if (id === undefined) return [];
    const vm = this.#vms.get(id);
    if (vm === undefined) {
      if (this.#leftOutSince.size < MOST_VMS) this.#leftOutSince.add(id);
      return [];
    }
    if (vm.notUnderstoodSince !== undefined) return [];
    const stale = this.#stale(vm);
    this.#vms.set(id, stale);
    return this.isTaken(id) ? [] : [["vm-updated", { vm: stale }]];
  }

  /**
   * Whether a VM that it lists is on it. KVM Managers of earlier versions tell those of hosts that they read, too: these have
   * the id there as their host, not its name.
   */
  #isOwn({ id, host }: VM): boolean {
    if (this.#vms.has(id) || this.#ownNames.has(host)) return true;
    const hostname = this.#options.hostname();
    if (hostname !== undefined && (host === hostname || host.startsWith(`${hostname}.`))) return true;
    if (this.#ownNames.size === 0) this.#isBehind = true;
    return false;
  }

  /** Whether what is kept of an event may be so long, and has room. */
  #isRoomFor({ name, data }: AnyEvent, length: number): boolean {
    if (name === "vm-deleted") return true;
    if ("vm" in data) return length <= LONGEST_VM && this.#hasRoom(data.vm.id, length);
    if ("job" in data) return length <= LONGEST_JOB && this.#hasRoom(data.job.id, length);
    return length <= LONGEST_VM && (!("vmId" in data) || this.#hasRoom(`${data.vmId} ${name}`, length));
  }

  /** Takes note of how long something is that is kept. @returns false where it has no room */
  #hasRoom(key: string, length: number): boolean {
    const after = this.#keptLength - (this.#kept.get(key) ?? 0) + length;
    if (after > MOST_KEPT) return false;
    this.#kept.set(key, length);
    this.#keptLength = after;
    return true;
  }

  #forget(...keys: readonly string[]): void {
    for (const key of keys) {
      this.#keptLength -= this.#kept.get(key) ?? 0;
      this.#kept.delete(key);
    }
  }

  #forgetVm(vmId: string): void {
    this.#forget(vmId, `${vmId} vm-state-changed`, `${vmId} vm-stats-updated`);
  }

  #own = ({ notUnderstoodSince: _theirs, project: _project, endsAt: _end, ...vm }: VM): VM => {
    const { endText, ...membership } = this.#options.membershipOf(vm.id);
    const attention = endText === undefined ? vm.attention : [...vm.attention, endText];
    return { ...vm, ...membership, attention, host: this.#options.hostId };
  };

  /** The project or the end date of a VM has changed. @returns the events to publish */
  reshow(vmId: string): Published[] {
    const vm = this.#vms.get(vmId);
    if (vm === undefined) return [];
    const { endsAt = 0 } = vm,
      texts = (["week", "day", "over"] as const).map((stage) => endText(endsAt, stage));
    const attention = vm.attention.filter((each) => !texts.includes(each));
    const shown = this.#own({ ...vm, attention });
    this.#vms.set(vmId, shown);
    return this.isTaken(vmId) ? [] : [["vm-updated", { vm: shown }]];
  }

  #putJob(job: Job): Job | undefined {
    // Of a host that is linked to that one, or read by it
    if (job.host !== undefined) return undefined;
    const own = { ...job, host: this.#options.hostId };
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
        this.#leftOutSince.delete(vm.id);
        if (isNew) this.#options.owners.claim(vm.id, this.#options.hostId);
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
        this.#leftOutSince.delete(data.vmId);
        this.#options.owners.release(data.vmId, this.#options.hostId);
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
        return [name, { status: this.setLibvirt(data.status), host: this.#options.hostId }];
      case "host-stats-updated":
        this.stats = data;
        return [name, { ...data, host: this.#options.hostId }];
      case "bin-changed":
        return [name, {}];
      default:
        return [name, { ...data, host: this.#options.hostId }] as Published;
    }
  }
}
