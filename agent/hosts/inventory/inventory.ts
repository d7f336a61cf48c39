/**
 * The live model of a host: domains, networks and pools in memory, filled once per connection, then kept by
 * libvirt's events. Lists are answered from here; asking for one costs libvirt nothing.
 */
import type { DomainRecord, DomainState } from "../../../ffi/calls/mod.ts";
import { type LibvirtEvent, LIFECYCLE, OBJECT_LIFECYCLE } from "../../../ffi/events.ts";
import type { VM, VmStats } from "../../../lib/contract/vm.ts";
import type { EventHub, Published } from "../../events/hub.ts";
import type { LibvirtLink } from "../../libvirt/link.ts";
import { isHang } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import { scanDomains } from "./domain_scan.ts";
import { NetworkInventory } from "./networks.ts";
import { PoolInventory } from "./pools.ts";
import { isActiveState, isSeen, isStateAlone, recordAfter } from "./states.ts";
import { type Extras, vmView } from "./view.ts";
import { type KnownExtras, newVmEntry, notRespondingOf, type VmEntry } from "./entry.ts";
import { SINGLE_HOST, type VmOwnership } from "./vm_ownership.ts";
import type { DomainChange } from "./domain_change.ts";

type Events = Pick<EventHub, "publish" | "publishAll" | "listeners">;

/** How often a read is repeated because the domain changed under it, before the result is taken all the same. */
const MOST_REREADS = 3;
/** In how many rounds of `rereadOldest` every VM is read once. */
const ROUNDS_FOR_ALL = 30;
/** `VIR_DOMAIN_EVENT_STOPPED_SAVED` */
const STOPPED_SAVED = 4;
/** Milliseconds after which a VM that was saved is read again: libvirt 9.0 tells it a moment too early. */
const SAVED_AGAIN_MS = 300;
/** Milliseconds after which a guest that was asked to shut down or reboot is taken to have ignored it. */
const POWER_REQUEST_MS = 10 * 60_000;
/**
 * Milliseconds that an event waits for the operation under way to end. What most operations cause they read themselves;
 * a read at the same time would hold both up, and start a worker for it.
 */
const OPERATION_READS_MS = 1000;
/** Milliseconds after which a VM is read again whose guest has opened or closed a channel. */
const CHANNEL_READ_MS = [50, 1000];
/** Domain events that leave what we show of a domain as it was. */
const WITHOUT_READ = new Set(["reboot", "watchdog", "io-error", "control-error"]);

/** Goes on without what does not respond: it is told elsewhere, and read once it does. */
const passOver = (what: string) => (error: unknown): void => {
  if (!isHang(error)) throw error;
  log.info("something does not respond, and is read later", { what, error });
};

export class Inventory {
  readonly #link: LibvirtLink;
  readonly #events: Events;
  readonly #onChange: (change: DomainChange) => void;
  readonly #entries = new Map<string, VmEntry>();
  /**
   * VMs that are there for a while alone, for a purpose of ours (a backup's boot test): in no list, no count, no event,
   * and no command finds them. They are told beforehand, or known by what their definition says once they were read. Their
   * ids stay: libvirt's last events of one come when it is gone.
   */
  readonly #hidden = new Set<string>();
  readonly #places: VmOwnership;
  /** Result of `vms()`, until something changes; VMs of other hosts are left out each time. */
  #list: readonly VM[] | undefined;
  /** Virtual networks. */
  readonly networks: NetworkInventory;
  /** Storage pools and their volumes. */
  readonly storage: PoolInventory;
  /** Domains being read; the value counts events that arrived meanwhile. */
  readonly #reading = new Map<string, { again: boolean; done: Promise<void> }>();
  /** Pages are told of changes only once the first scan of a connection is complete. */
  #filled = false;
  #resyncing: Promise<void> | undefined;
  /** Domains that events told of while everything is being read: the scan may be older than the event. */
  #toldMeanwhile: Set<string> | undefined;
  hostname: string;

  constructor(
    link: LibvirtLink,
    events: Events,
    hostname: string,
    onChange: (change: DomainChange) => void,
    places: VmOwnership = SINGLE_HOST,
  ) {
    this.#places = places;
    this.#link = link;
    this.#events = events;
    this.hostname = hostname;
    this.storage = new PoolInventory(link, (name, event) => events.publish("pool-changed", { name, event }));
    this.networks = new NetworkInventory(
      link,
      (name, event) => events.publish("network-changed", { name, event }),
    );
    this.#onChange = onChange;
  }

  /** True once everything was read at least once since the start. */
  get filled(): boolean {
    return this.#filled;
  }

  /** Every VM, by name. */
  vms(): readonly VM[] {
    const list = this.#list ??= this.everyVm().filter(({ id }) => !this.#hidden.has(id))
      .sort((a, b) => a.name < b.name ? -1 : 1);
    return list.some(({ id }) => this.#places.isForeign(id))
      ? list.filter(({ id }) => !this.#places.isForeign(id))
      : list;
  }

  vm(vmId: string): VM | undefined {
    return this.#isHidden(vmId) ? undefined : this.anyVm(vmId);
  }

  /** Every VM, hidden ones among them: for who asks which images are in use. */
  everyVm(): VM[] {
    return [...this.#entries.values()].map((entry) => entry.view);
  }

  /** As {@link Inventory.vm}, of hidden ones, too: for what they are there for. */
  anyVm(vmId: string): VM | undefined {
    return this.#entries.get(vmId)?.view;
  }

  /** Whether a VM is left out: it is there for a purpose of ours, or its id is another host's VM's. */
  #isHidden(vmId: string): boolean {
    return this.#hidden.has(vmId) || this.#places.isForeign(vmId);
  }

  /** A VM that was another host's is this host's now: tells that it is there. */
  reveal(vmId: string): void {
    const vm = this.vm(vmId);
    if (vm !== undefined) this.#events.publish("vm-created", { vm });
  }

  /** Keeps a VM that is about to be started out of all lists, for good. */
  hide(vmId: string): void {
    this.#hidden.add(vmId);
  }

  /** libvirt's own record of a VM. */
  record(vmId: string): DomainRecord | undefined {
    return this.#entries.get(vmId)?.record;
  }

  /** The VM with this name; names are unique on a host. */
  vmByName(name: string): VM | undefined {
    for (const { view } of this.#entries.values()) if (view.name === name) return view;
  }

  counts(): { total: number; active: number } {
    let total = 0, active = 0;
    for (const { record: { uuid, state } } of this.#entries.values()) {
      if (this.#isHidden(uuid)) continue;
      total++;
      if (isActiveState(state)) active++;
    }
    return { total, active };
  }

  /** UUIDs of the VMs QEMU runs for. */
  active(): string[] {
    return [...this.#entries.values()].filter(({ record: { uuid, state } }) =>
      isActiveState(state) && !this.#isHidden(uuid)
    ).map(({ record }) => record.uuid);
  }

  /** Reads everything again and tells the differences. Runs once at a time. @throws {LibvirtError} */
  resync(): Promise<void> {
    return this.#resyncing ??= this.#resync().finally(() => {
      this.#resyncing = undefined;
      this.#toldMeanwhile = undefined;
    });
  }

  async #resync(): Promise<void> {
    const meanwhile = this.#toldMeanwhile = new Set<string>();
    const [domains] = await Promise.all([
      scanDomains(this.#link, this.#entries.keys()),
      this.networks.restart(),
      this.storage.restart().catch(passOver("the storage pools")),
    ]);
    const events: Published[] = [];
    for (const uuid of [...this.#entries.keys()]) if (!domains.has(uuid)) this.#remove(uuid, events);
    for (const [uuid, record] of domains) {
      // Of one that libvirt does not answer for, what is known is all there is
      if (record !== undefined && (record.readAt > 0 || !this.#entries.has(uuid))) this.#put(record, events);
    }
    this.#filled = true;
    this.#events.publishAll(events);
    for (const uuid of meanwhile) this.refreshSoon(uuid);
  }

  /**
   * Reads one VM again and tells what changed: what is shown afterwards is no older than the call. Reads of one
   * VM that come together become one.
   */
  refresh(uuid: string): Promise<void> {
    const entry = this.#entries.get(uuid);
    if (entry) entry.askedAt = performance.now();
    const running = this.#reading.get(uuid);
    if (running) {
      running.again = true;
      // Where the reads under way are all overtaken, only those that follow are later than this call.
      return running.done.then(() => this.#reading.get(uuid)?.done);
    }
    const reading = { again: false, done: Promise.resolve() };
    this.#reading.set(uuid, reading);
    reading.done = this.#read(uuid, reading).finally(() => {
      this.#reading.delete(uuid);
      // The last read allowed was overtaken as well: what it brought may be older than what the event told.
      if (reading.again) this.refreshSoon(uuid);
    });
    return reading.done;
  }

  async #read(uuid: string, reading: { again: boolean }): Promise<void> {
    for (let round = 0;; round++) {
      reading.again = false;
      const record = await this.#link.call("domainRead", { uuid });
      // An event arrived during the read: what was read may be older than what the event told already.
      if (reading.again && round < MOST_REREADS) continue;
      const events: Published[] = [];
      const isNew = !this.#entries.has(uuid);
      if (record) this.#put(record, events);
      else this.#remove(uuid, events);
      this.#events.publishAll(events);
      // Defined and started in one breath: it was never seen stopped.
      if (record && isNew && isActiveState(record.state)) this.update(uuid, { startedAt: Date.now() });
      return;
    }
  }

  /**
   * Takes in what a call read of a VM right after it changed it. A read under way may be older than that, and is
   * repeated; an event that comes later leads to another. What was read before what is shown is not taken: the VM is
   * read again.
   */
  take(record: DomainRecord): void {
    const running = this.#reading.get(record.uuid);
    if (running) running.again = true;
    const known = this.#entries.get(record.uuid)?.record;
    // Removed meanwhile: only a read can tell whether it is there again.
    if (known === undefined || known.readAt > record.readAt) return this.refreshSoon(record.uuid);
    const events: Published[] = [];
    this.#put(record, events);
    this.#events.publishAll(events);
  }

  /** Refreshes without waiting; a failure is logged, and the next reconcile sees to it. */
  refreshSoon(uuid: string): void {
    this.refresh(uuid).catch((error) => log.debug("a domain could not be read", { uuid, error }));
  }

  /**
   * Reads a VM again whose stored configuration changed. One that is not known yet is being read for the first
   * time, perhaps from before the change: which one it is shows only then, so all of those are read once more.
   */
  changedOnDisk(name: string): void {
    const vm = this.vmByName(name);
    if (vm) return this.refreshSoon(vm.id);
    for (const [uuid, reading] of this.#reading) if (!this.#entries.has(uuid)) reading.again = true;
  }

  /** Takes libvirt's events in. */
  onEvents(events: readonly LibvirtEvent[]): void {
    for (const event of events) {
      if (event.kind === "domain") this.#onDomainEvent(event);
      else this.#onObjectEvent(event);
    }
  }

  #onDomainEvent({ event, uuid, name, args }: LibvirtEvent & { kind: "domain" }): void {
    this.#toldMeanwhile?.add(uuid);
    const entry = this.#entries.get(uuid);
    const kind = event === "lifecycle" ? LIFECYCLE[Number(args[0])] : undefined;
    // Most often of a command of ours, which has read the VM before its event came. Had the state been another one
    // since, an event before this one would have told of that.
    const seen = entry !== undefined && kind !== undefined && !entry.isAnticipated &&
      isSeen(kind, entry.record);
    if (event === "lifecycle") {
      // libvirt tells "resumed" as a part of every start, too; only one that was paused is resumed to a person. A read
      // may have seen it running again already.
      const told = kind !== "resumed" || entry?.view.state === "paused" || entry?.toldPaused;
      if (entry) entry.toldPaused = kind === "suspended";
      if (kind && entry && !seen) this.#anticipate(entry, kind, Number(args[1]));
      if (kind && told && !this.#isHidden(uuid)) {
        this.#onChange({ vmId: uuid, vmName: name, event: kind, detail: Number(args[1]) });
      }
      // libvirt notes that there is a managed save only after it has told that the VM stopped for it.
      if (kind === "stopped" && Number(args[1]) === STOPPED_SAVED) {
        setTimeout(() => this.refreshSoon(uuid), SAVED_AGAIN_MS);
      }
    }
    // A guest that boots again has done what it was asked for, or will not do it any more.
    if (event === "reboot") this.update(uuid, { powerRequest: undefined });
    if (event === "io-error" && entry) {
      const [path, , , reason] = args;
      this.update(uuid, { trouble: `Disk error on ${path}${reason ? ` (${reason})` : ""}.` });
    }
    if ((event === "io-error" || event === "watchdog" || event === "reboot") && !this.#isHidden(uuid)) {
      this.#onChange({ vmId: uuid, vmName: name, event });
    }
    if (seen || WITHOUT_READ.has(event)) return;
    // QEMU tells it before libvirt has written it down
    if (event === "channel") {
      for (const ms of CHANNEL_READ_MS) setTimeout(() => this.refreshSoon(uuid), ms);
      return;
    }
    if (entry?.operation === undefined) this.refreshSoon(uuid);
    else this.#leaveToOperation(uuid, entry, kind);
  }

  /** Reads a VM again after the operation under way, unless that one reads it by then. */
  #leaveToOperation(uuid: string, entry: VmEntry, kind: VmEntry["toldKind"]): void {
    const isFirst = entry.toldAt === undefined, isState = kind !== undefined && isStateAlone(kind);
    if (isFirst) setTimeout(() => this.#readIfTold(uuid, entry), OPERATION_READS_MS);
    entry.toldKind = isState && (isFirst || entry.toldKind !== undefined) ? kind : undefined;
    entry.toldAt = Date.now();
  }

  #readIfTold(uuid: string, entry: VmEntry): void {
    const { toldAt, toldKind, record } = entry;
    entry.toldAt = undefined;
    entry.toldKind = undefined;
    if (toldAt === undefined || record.readAt > toldAt) return;
    // The way of an event takes longer than the read that follows the call which caused it.
    if (toldKind !== undefined && !entry.isAnticipated && isSeen(toldKind, record)) return;
    this.refreshSoon(uuid);
  }

  /** Shows what a lifecycle event means at once; the read that follows confirms it. */
  #anticipate(entry: VmEntry, kind: typeof LIFECYCLE[number], detail: number): void {
    const after = recordAfter(entry.record, kind, detail);
    if (after === undefined) return;
    const events: Published[] = [];
    this.#put(after, events);
    entry.isAnticipated = true;
    this.#events.publishAll(events);
  }

  #onObjectEvent({ kind, event, name, args }: LibvirtEvent & { kind: "network" | "pool" | "device" }): void {
    const word = event === "lifecycle" ? OBJECT_LIFECYCLE[Number(args[0])] ?? event : event;
    if (kind === "pool") this.storage.onEvent(name, word);
    else if (kind === "network") this.networks.onEvent(name, word);
    else this.#events.publish("device-changed", { name, event: word });
  }

  /** Compares with a fresh glance at all domains; reads again what events missed. Gives how many that were. */
  reconcile(glances: readonly DomainState[]): number {
    const seen = new Set<string>();
    let missed = 0;
    for (const glance of glances) {
      seen.add(glance.uuid);
      this.#forgetPowerRequest(glance.uuid);
      const record = this.#entries.get(glance.uuid)?.record;
      const same = record && record.name === glance.name && isActiveState(record.state) === glance.active &&
        record.autostart === glance.autostart && record.managedSave === glance.managedSave;
      if (same || this.#reading.has(glance.uuid)) continue;
      missed++;
      this.refreshSoon(glance.uuid);
    }
    for (const uuid of this.#entries.keys()) {
      if (seen.has(uuid)) continue;
      missed++;
      this.refreshSoon(uuid);
    }
    return missed;
  }

  /** Forgets what a guest was asked for so long ago that it has ignored it. */
  #forgetPowerRequest(uuid: string): void {
    const request = this.#entries.get(uuid)?.powerRequest;
    if (request !== undefined && Date.now() - request.requestedAt > POWER_REQUEST_MS) {
      this.update(uuid, { powerRequest: undefined });
    }
  }

  /**
   * Reads those again that were not read for the longest time: no event and no glance shows every change. One after the
   * other, so that no workers are started for it.
   *
   * @throws {LibvirtError}
   */
  async rereadOldest(): Promise<void> {
    const oldest = [...this.#entries].filter(([uuid]) => !this.#link.gate.isLocked(`vm:${uuid}`))
      .sort(([, a], [, b]) => a.askedAt - b.askedAt);
    const share = Math.ceil(oldest.length / ROUNDS_FOR_ALL);
    for (const [uuid] of oldest.slice(0, share)) {
      await this.refresh(uuid).catch(passOver("a VM"));
    }
  }

  /** Changes what is known of a VM in addition to its record, and tells it when that can be seen. */
  update(
    uuid: string,
    extras: Partial<KnownExtras>,
  ): void {
    const entry = this.#entries.get(uuid);
    if (!entry) return;
    Object.assign(entry, extras);
    const events: Published[] = [];
    this.#show(entry, events);
    this.#events.publishAll(events);
    if (entry.operation === undefined) this.#readIfTold(uuid, entry);
  }

  /** Why it would not be started here, as far as that was looked at. */
  startRisk(uuid: string): string | undefined {
    return this.#entries.get(uuid)?.startRisk;
  }

  /** Notes that the operation on a VM is over. It is told with what the operation changed, which is read next. */
  endOperation(uuid: string): void {
    const entry = this.#entries.get(uuid);
    if (entry) entry.operation = undefined;
  }

  /** Remembers a VM's latest load. Loads are told by their own event, so nothing is published here. */
  setStats(uuid: string, stats: VmStats): void {
    const entry = this.#entries.get(uuid);
    if (!entry) return;
    this.#list = undefined;
    entry.stats = stats;
    entry.view = { ...entry.view, stats };
  }

  /** Takes in how many changes wait for a VM's next boot, unless a read has brought that meanwhile. */
  setPending(uuid: string, pending: number): void {
    const entry = this.#entries.get(uuid);
    if (!entry || entry.record.pending !== undefined) return;
    entry.record = { ...entry.record, pending };
    this.update(uuid, {});
  }

  #put(record: DomainRecord, events: Published[]): void {
    const old = this.#entries.get(record.uuid);
    // Only what is not kept: a definition must not hide a VM.
    if (record.summary.throwAway && !record.persistent) this.#hidden.add(record.uuid);
    if (!old) {
      const entry = newVmEntry(record, notRespondingOf(this.#link, record.uuid));
      entry.view = vmView(record, this.#extras(entry));
      this.#entries.set(record.uuid, entry);
      this.#list = undefined;
      this.#places.placed(record.uuid);
      if (!this.#isHidden(record.uuid)) events.push(["vm-created", { vm: entry.view }]);
      return;
    }
    const wasActive = isActiveState(old.record.state), nowActive = isActiveState(record.state);
    if (old.record.state !== record.state || old.record.managedSave !== record.managedSave) {
      old.stateSince = Date.now();
    }
    if (!wasActive && nowActive) {
      old.startedAt = Date.now();
      old.trouble = undefined;
      old.isForcedOff = false;
    }
    if (!nowActive) {
      old.startedAt = undefined;
      old.addresses = [];
      old.stats = undefined;
      old.agentSilent = false;
      old.powerRequest = undefined;
    }
    old.record = record;
    old.isAnticipated = false;
    this.#show(old, events);
  }

  /** Makes an entry's view again; adds the events that tell what changed in it. */
  #show(entry: VmEntry, events: Published[]): void {
    const before = entry.view;
    const after = vmView(entry.record, this.#extras(entry));
    const { stats: _old, ...seenBefore } = before;
    const { stats: _new, ...seenAfter } = after;
    entry.view = after;
    this.#list = undefined;
    if (before.state !== after.state) this.#places.placed(after.id);
    if (this.#isHidden(after.id) || JSON.stringify(seenBefore) === JSON.stringify(seenAfter)) return;
    if (before.state !== after.state) {
      events.push(["vm-state-changed", { vmId: after.id, state: after.state }]);
    }
    events.push(["vm-updated", { vm: after }]);
  }

  #remove(uuid: string, events: Published[]): void {
    this.#list = undefined;
    const isShown = !this.#isHidden(uuid);
    if (!this.#entries.delete(uuid)) return;
    if (isShown) events.push(["vm-deleted", { vmId: uuid }]);
    this.#places.placed(uuid);
  }

  #extras(entry: VmEntry): Extras {
    return { ...entry, host: this.hostname, membership: this.#places.membershipOf(entry.record.uuid) };
  }
}
