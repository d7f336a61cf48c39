/**
 * One host: its libvirt, what is known of it, and what may be done on it. Whatever a feature does on a host begins
 * here; two hosts share nothing but the application (`app.ts`).
 */
import type { LibvirtLogin } from "../../ffi/address.ts";
import type { DomainRecord, GuestAddress } from "../../ffi/calls/mod.ts";
import { LibvirtError } from "../../ffi/error.ts";
import {
  type CommandName,
  type ConnectionStatus,
  ContractError,
  type HostInfo,
  type HostStats,
  type Input,
  type Output,
  type VM,
} from "../../lib/contract/mod.ts";
import type { Handler, Handlers } from "../dispatch.ts";
import type { ActivityEntry } from "../store/activity.ts";
import { type Principal, settlingPrincipal } from "../access.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import type { Hang } from "../../lib/contract/host.ts";
import { hangEndText, hangText } from "../../lib/hangs/message.ts";
import { hostField } from "../../lib/contract/on_host.ts";
import type { HostPart, Portable } from "../feature_part.ts";
import { HostCapabilities } from "./capabilities.ts";
import { isHang } from "../libvirt/failure.ts";
import { connectionUri, uriOfFurtherHost } from "../libvirt/uri.ts";
import { localHostname } from "../machine/local.ts";
import type { LocalMachine } from "../machine/machine.ts";
import { HangReports } from "./hang_reports.ts";
import { HostHangs } from "./hangs.ts";
import { libvirtHang } from "./libvirt_hang.ts";
import { LostVms } from "./lost_vms.ts";
import { NodeInfo } from "./node_info.ts";
import { Passt } from "./passt.ts";
import type { VmStorage } from "../machine/vm_storage.ts";
import { type HostGuests, NO_GUESTS } from "./guests.ts";
import type { HostMedia } from "./media.ts";
import type { HostOverlays } from "./unused_overlays.ts";
import type { HostParts } from "./kept_parts.ts";
import { Addresses } from "./inventory/addresses.ts";
import { DiskSizes } from "./inventory/disk_sizes.ts";
import { type DomainChange, Inventory } from "./inventory/inventory.ts";
import { findPending } from "./inventory/pending.ts";
import { watchLibvirtFiles } from "./inventory/watch.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { type LibvirtCaller, LibvirtLink } from "../libvirt/link.ts";
import { sameLibvirt } from "./same_libvirt.ts";
import { SshConnection } from "./ssh/connection.ts";
import { log } from "../log.ts";
import { Sampler } from "../metrics/sampler.ts";
import { Operations } from "../operations/operations.ts";
import { keyOf } from "../operations/step.ts";
import { PacedJobs, type PeriodicJob } from "../periodic.ts";
import { FormatRecords } from "../storage/format_records.ts";
import { isTestDriver } from "../storage/disk_images/reader.ts";
import { StorageLocks } from "../storage/locks.ts";
import { Reservations } from "./reservations.ts";
import { VolumeKeepers } from "../storage/volume_keepers.ts";
import { volumeOf } from "../storage/volumes.ts";
import { HostEvents } from "./events.ts";
import { hostJobs } from "./host_jobs.ts";
import { within } from "../within.ts";
import type { Clock } from "../clock.ts";
import type { BinRecords } from "../storage/bin/records.ts";
import type { LeftDisks } from "../storage/images/left_disks.ts";
import type { ClosedPlaces } from "./closed_places.ts";
import { type HostLabels, NO_HOST_LABELS } from "./labels.ts";
import { type HostMaintenance, NO_MAINTENANCE } from "./maintenance.ts";
import { type HostProjects, NO_PROJECTS, type VmAdmissions } from "./projects.ts";
import { isSameLogin } from "./login.ts";
import type { ManagedHost } from "./managed_host.ts";
import type { HostServices } from "./services.ts";
import type { IncomingState } from "../../lib/host/migration_protocol.ts";

/** Which libvirt it is. */
export interface HostConfig {
  /** Name of the host in commands, events and rows. */
  readonly id: string;
  /** What people call it; its id when left out. */
  readonly label?: string;
  /** libvirt's connection URI. */
  readonly uri: string;
  /** Whom its libvirt is signed in to as, where it asks. */
  readonly login?: LibvirtLogin;
}

/** Milliseconds between two looks which jobs are due: what is not looked at may wait, a new listener must not. */
const CHECK_MS = 500;
/** Milliseconds the first calls after the start wait for libvirt: they would fail for no reason a person knows of. */
const SETTLE_MS = 5000;
/** Milliseconds the stop waits for what still runs. */
const STOP_MS = 2000;
/** Milliseconds for which a change of a host waits until its libvirt has let another user in, or has refused it. */
const SIGN_IN_MS = 5000;
/** Workers of a host that is reached by SSH: sshd takes ten sessions of one connection (`MaxSessions`). */
const MOST_BY_SSH = 8;
/** Of another machine's load libvirt does not tell these. */
const NO_LOAD = { loadAverage: null, uptimeSeconds: null } as const;
/** What is said while a large or busy host is read for the first time. */
const READING = "KVM Manager is still reading this host. Try again in a moment.";

export class LibvirtHost implements ManagedHost {
  readonly id: string;
  readonly isLinked = false;
  #label: string | undefined;
  readonly clock: Clock;
  /** The SSH connection that its libvirt is reached by. */
  readonly ssh: SshConnection | undefined;
  readonly events: HostEvents;
  readonly link: LibvirtLink;
  readonly inventory: Inventory;
  readonly make: NodeInfo;
  readonly capabilities: HostCapabilities;
  /** What the last examination of the host found; undefined before the first one. */
  health: HostInfo["health"];
  readonly sampler: Sampler;
  readonly sizes: DiskSizes;
  readonly jobs: Pick<Jobs, "open" | "run" | "list">;
  readonly operations: Operations;
  readonly formats: FormatRecords;
  /** Who works on which pool, volume or image. */
  readonly locks: StorageLocks;
  /** What was deleted on any host, and can come back. */
  readonly bin: BinRecords;
  /** Disks that VMs which were deleted have left. */
  readonly leftDisks: LeftDisks;
  /** What VMs will have in a moment. */
  readonly reservations = new Reservations();
  readonly keepers: VolumeKeepers;
  /** Who owned media before VMs had them; undefined for another machine's. Set by the feature of VMs. */
  mediaOwners: HostMedia | undefined;
  /** Images that snapshots which were cut short have left; undefined on another machine. Set by the feature of VMs. */
  unusedOverlays: HostOverlays | undefined;
  /** Disks that were on their way here when their import was cut; undefined on another machine. Set by the feature of VMs. */
  keptParts: HostParts | undefined;
  /** What is told of the tags and groups that its VMs get. Set by the feature of VMs. */
  labels: HostLabels = NO_HOST_LABELS;
  /** Folders that are never shared with guests: of KVM Manager itself, and of backups. Set by the feature of VMs. */
  closedPlaces: () => ClosedPlaces = () => {
    throw new Error("the feature of VMs has not said what is closed");
  };
  /** The agents in its guests. Set by their feature. */
  guests: HostGuests = NO_GUESTS;
  /** Where a VM is on a linked host that it was to move to. Set by the feature of VMs. @throws while that host does not answer */
  stateOn: (hostId: string, vmId: string) => Promise<IncomingState> = () =>
    Promise.reject(new Error("no host is linked"));
  /** Whether it takes VMs. Set by the feature of maintenance. */
  maintenance: HostMaintenance = NO_MAINTENANCE;
  /** VMs that come to it at once. Set by the feature of VMs. */
  arrivals: { take(): Disposable } = { take: () => ({ [Symbol.dispose]: () => {} }) };
  /** The host that a VM was switched over to, or may have been. Set by the feature of replication. */
  switchedOverTo: (vmId: string) => string | undefined = () => undefined;
  readonly passt: Passt;
  /** The host's name as libvirt tells it; undefined until it has. */
  fullName: string | undefined;
  /** What does not respond. */
  readonly hangs: HostHangs;
  /** What of it was written down, and people are alerted of. */
  readonly reports: HangReports;
  /** The mounts of this host that VMs' disks are on; nothing of another. */
  readonly storageMounts: VmStorage | undefined;
  #projects: HostProjects & VmAdmissions = NO_PROJECTS;
  readonly #services: HostServices;
  readonly #lost: LostVms;
  readonly #addresses: Addresses;
  readonly #parts: readonly HostPart<CommandName>[];
  readonly #handlers: Partial<Handlers>;
  readonly #periodic: PacedJobs;
  readonly #stopping = new AbortController();
  /** A connection was made whose state is not wholly read yet. */
  #unread = false;
  /** Resolved once the first attempt to connect has succeeded or failed, or takes too long to wait for. */
  readonly #attempted = Promise.withResolvers<void>();
  #isSettled = false;
  /** The host whose libvirt its connection leads to as well; it is not served then. */
  sameAs: string | undefined;
  /** libvirt was there, and did not answer, when its status changed last. */
  #isSilent = false;
  #reading: Promise<void> = Promise.resolve();

  constructor(services: HostServices, { id, label, uri: given, login }: HostConfig) {
    this.#services = services;
    this.clock = services.clock;
    this.bin = services.bin;
    this.leftDisks = services.leftDisks;
    this.id = id;
    this.#label = label;
    const uri = id === LOCAL_HOST ? given : uriOfFurtherHost(given);
    const { clock, jobs, store } = services;
    this.events = new HostEvents(services.hub, id);
    this.ssh = SshConnection.of(services.ssh, uri);
    this.link = new LibvirtLink(
      uri,
      {
        status: (status) => this.#onStatus(status),
        refusal: (call) => this.#refusal(call),
        connected: () => {
          this.#reading = this.#onConnected();
          this.#attempted.resolve();
        },
        events: (events) => this.inventory.onEvents(events),
        volumeMade: (record) => {
          const volume = volumeOf(record);
          this.inventory.storage.put(volume);
          this.formats.forget(volume.path);
        },
        volumeGone: (path) => {
          this.inventory.storage.removeAt(path);
          this.formats.forget(path);
        },
        recheck: (uuid) => this.sampler.recheck(uuid),
        pools: () => this.inventory.storage.isKnown ? this.inventory.storage.records() : undefined,
        poolOf: (path) => this.inventory.storage.poolOf(path),
      },
      this.ssh === undefined ? {} : { most: MOST_BY_SSH },
      { uri: this.ssh?.libvirtUri(uri) ?? connectionUri(uri), ...(login && { login }) },
      services.simulationOf(uri),
    );
    this.locks = new StorageLocks(this.machine !== null);
    this.keepers = new VolumeKeepers(this.machine, () => this.#onSameMachine().map(({ keepers }) => keepers));
    this.inventory = new Inventory(
      this.link,
      this.events,
      id === LOCAL_HOST ? localHostname() : id,
      (change) => this.#onChange(change),
      {
        isForeign: (vmId) => services.hosts.isForeign(id, vmId),
        placed: (vmId) => services.hosts.placed(vmId),
        membershipOf: (vmId) => services.membershipOf(vmId),
      },
    );
    this.storageMounts = this.machine?.mountsOf(this.inventory, () => this.#onHangs());
    this.hangs = new HostHangs(
      this.link.gate,
      this.inventory,
      () => this.#onHangs(),
      () => this.storageMounts?.list() ?? [],
    );
    this.reports = new HangReports(clock, {
      began: (hang) => this.#recordHang("not-responding", hang, hangText(hang)),
      ended: (hang, ms) => this.#recordHang("responds-again", hang, hangEndText(hang, ms)),
      changed: () => {
        for (const part of this.#parts) part.hangsChanged?.();
      },
    });
    this.#lost = new LostVms(this.link, this.inventory);
    this.make = new NodeInfo(this.link);
    this.capabilities = new HostCapabilities(this.link, this.make, clock);
    this.sizes = new DiskSizes(this.link, this.inventory, clock);
    this.sampler = new Sampler(
      this.link,
      this.inventory,
      this.events,
      () => (this.machine ?? this.link.simulation?.machine)?.load() ?? NO_LOAD,
      clock,
      {
        ...(this.machine && { processes: this.machine.processes }),
        take: (record) => this.sizes.take(record),
        onSilentStorage: async (uuids, ms) => {
          const vms = uuids.map((uuid) => this.inventory.anyVm(uuid)).filter((vm) => vm !== undefined);
          return new Set((await this.storageMounts?.unanswered(vms, ms) ?? []).map(({ id }) => id));
        },
      },
    );
    this.jobs = {
      open: (spec) => jobs.open({ ...spec, ...hostField(id) }),
      list: (...which) => jobs.list(...which),
      run: (spec, work) => jobs.run({ ...spec, ...hostField(id) }, work),
    };
    this.operations = new Operations({
      ...{ store, jobs },
      record: (entry) => this.record(entry),
      host: id,
      link: this.link,
    });
    this.formats = new FormatRecords(store, this.machine === null ? id : undefined);
    this.passt = new Passt(this.link);
    this.#addresses = new Addresses(this.link, this.inventory, {
      isWatched: () => this.events.listeners > 0,
      ask: (vm) => this.guests.addresses(vm),
    }, clock);
    this.#parts = services.partsOn(this);
    this.#handlers = Object.assign({}, ...this.#parts.map(({ handlers }) => handlers));
    this.operations.settleWith({
      vms: this,
      rules: services.stepRules,
      run: (command, input, actor) => this.run(command, input, settlingPrincipal(actor)),
    });
    this.#periodic = new PacedJobs(this.#jobs(), {
      clock,
      checkMs: CHECK_MS,
      isReady: () => this.link.status.connected,
    });
  }

  /** Other hosts whose libvirts have the same files. */
  #onSameMachine(): LibvirtHost[] {
    return this.machine === null
      ? []
      : this.#services.hosts.all().filter((other) => other !== this && other.machine !== null);
  }

  /** The machine it is, where that is the one we run on: of another nothing is dialled or opened here. */
  get machine(): LocalMachine | null {
    return this.link.machine;
  }

  /** What people call it. */
  get label(): string {
    return this.#label ?? this.inventory.hostname;
  }

  set label(label: string) {
    this.#label = label;
  }

  /** The host's name, as its libvirt says it. */
  get shownName(): string {
    return this.inventory.hostname;
  }

  get address(): string {
    return connectionUri(this.link.uri);
  }

  get status(): ConnectionStatus {
    return this.link.status;
  }

  get isRead(): boolean {
    return this.inventory.filled;
  }

  get heardAt(): number {
    return this.link.status.since;
  }

  get stats(): HostStats | undefined {
    return this.sampler.host;
  }

  /** The projects that its VMs are in. Set by their feature. */
  get projects(): HostProjects {
    return this.#projects;
  }

  set projects(projects: HostProjects & VmAdmissions) {
    this.#projects = projects;
  }

  /**
   * The one way for a VM onto this host: nothing else admits one, and while the host takes none, nothing does.
   *
   * @throws {ContractError} HostInMaintenance
   */
  requireAdmissions(): VmAdmissions {
    this.maintenance.requireInService();
    return this.#projects;
  }

  vms(): readonly VM[] {
    return this.inventory.vms();
  }

  vm(vmId: string): VM | undefined {
    return this.inventory.vm(vmId);
  }

  reshow(vmId: string): void {
    this.inventory.update(vmId, {});
  }

  /** Its handler for a command; undefined where hosts have none. */
  handler<N extends CommandName>(command: N): Handler<N> | undefined {
    return this.#handlers[command] as Handler<N> | undefined;
  }

  /** A guest's agent has told its addresses to somebody. */
  toldAddresses(vmId: string, addresses: readonly GuestAddress[]): void {
    this.#addresses.told(vmId, addresses);
  }

  /** Connects, and goes on trying. Returns at once: libvirt may come later. */
  start(): void {
    void this.#startLink();
    setTimeout(this.#attempted.resolve, SETTLE_MS);
    void this.settled().then(() => {
      this.#isSettled = true;
      if (!this.#stopping.signal.aborted) this.#services.hosts.wasRead();
    });
    this.#periodic.start();
    if (this.machine?.isSystem) void watchLibvirtFiles(this.inventory, this.#stopping.signal);
  }

  async #startLink(): Promise<void> {
    try {
      if (this.ssh !== undefined) await this.#services.ssh.ready();
    } catch (error) {
      log.error("the files for SSH cannot be made", { host: this.id, error });
    }
    if (!this.#stopping.signal.aborted) this.link.start();
  }

  /** Stops within a few seconds. VMs run on. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.reports.stop();
    const late = await this.#periodic.stop(STOP_MS);
    if (late.length > 0) log.warn("still running at the stop", { host: this.id, jobs: late });
    for (const part of this.#parts) await part.stop?.();
    this.storageMounts?.stop();
    this.operations.stop();
    this.formats[Symbol.dispose]();
    await this.link.stop();
    await this.ssh?.close();
  }

  async retire(): Promise<void> {
    await this.stop();
    this.operations.forget();
  }

  async adopt({ label, login }: Pick<HostConfig, "login"> & { readonly label: string }): Promise<void> {
    this.label = label;
    if (!isSameLogin(this.link.login, login)) await within(SIGN_IN_MS, this.link.signInAs(login));
  }

  /** Writes down what was done, or happened, on this host. */
  record(entry: ActivityEntry): void {
    this.#services.activity.record({ ...entry, ...hostField(this.id) });
  }

  /** Carries a command out on this host as somebody: with their rights, and with a row of its own in the audit. */
  async run<N extends CommandName>(command: N, input: Input<N>, principal: Principal): Promise<Output<N>> {
    return await this.#services.dispatch(command, { ...input, ...hostField(this.id) }, principal) as Output<
      N
    >;
  }

  /**
   * Tells the features that another VM has the id of one that was deleted: each of them, also where one fails.
   *
   * @returns what no longer goes by that id, and what features failed with: they are to be told again
   */
  vmReplaced(vmId: string): { readonly released: readonly string[]; readonly errors: readonly unknown[] } {
    const released: string[] = [], errors: unknown[] = [];
    for (const part of this.#parts) {
      try {
        released.push(...part.replaced?.(vmId) ?? []);
      } catch (error) {
        errors.push(error);
      }
    }
    return { released, errors };
  }

  /** What is kept of a VM, and can go with it to another host. */
  portable(vm: VM): readonly Portable[] {
    return this.#parts.flatMap((part) => [...part.portable?.(vm) ?? []]);
  }

  /** Tells the features that each host was read, or cannot be. */
  hostsSettled(): void {
    for (const part of this.#parts) part.hostsSettled?.();
  }

  /** Tells the features that a command deleted a network. */
  async networkDeleted(name: string): Promise<void> {
    for (const part of this.#parts) await part.networkDeleted?.(name);
  }

  /** Whether it was read since the start, or is known not to answer. */
  get isSettled(): boolean {
    return this.#isSettled || this.inventory.filled;
  }

  /** Waits, a bounded time, until the host was read for the first time, or it is known that it cannot be. */
  async settled(): Promise<void> {
    await this.#attempted.promise;
    if (this.inventory.filled) return;
    await within(SETTLE_MS, this.#reading);
  }

  /**
   * The VM with this id.
   *
   * @throws {ContractError} VmNotFound; LibvirtUnavailable while nothing is known of the host yet
   */
  requireVm(vmId: string): VM {
    const vm = this.inventory.vm(vmId);
    if (vm) return vm;
    this.requireFilled();
    throw new ContractError("VmNotFound", { vmId });
  }

  /** The VM with this id, on this host or another; undefined where none is known to have it. */
  vmAnywhere(vmId: string): VM | undefined {
    return this.inventory.anyVm(vmId) ?? this.#services.hosts.vm(vmId);
  }

  /** @throws {ContractError} LibvirtUnavailable while the host was never read: "unknown" must not look like "none" */
  requireFilled(): this {
    if (this.inventory.filled) return this;
    const { connected, error } = this.link.status;
    const message = error ?? (connected ? READING : undefined);
    throw new ContractError("LibvirtUnavailable", undefined, { ...(message !== undefined && { message }) });
  }

  /**
   * Runs an operation on a VM: shows its label meanwhile, and reads the VM again at the end, so that
   * whoever gets the answer sees what it did.
   *
   * @param run gives the VM as it read it last, where it did that itself
   * @param always run at the same time as another operation
   * @throws {ContractError} VmBusy, OperationUnsettled
   */
  async operate(
    vm: VM,
    label: string,
    run: () => Promise<DomainRecord | null | void>,
    always = false,
  ): Promise<void> {
    // What was cut short by a VM that does not respond is settled once it does, or is off
    const isWayOut = always && this.link.gate.hangOf(`vm:${vm.id}`) !== undefined;
    if (this.operations.unsettled > 0 && !isWayOut) await this.operations.ready([keyOf.vm(vm.id)]);
    const isBeside = always && this.inventory.vm(vm.id)?.operation !== undefined;
    using _claim = isBeside ? undefined : this.claim(vm, label);
    const record = await run();
    if (!isBeside) this.inventory.endOperation(vm.id);
    if (record) this.inventory.take(record);
    else await this.reread(vm);
  }

  /**
   * Keeps other operations off a VM until disposed of; its label is shown meanwhile.
   *
   * @throws {ContractError} VmBusy
   */
  claim({ id }: VM, label: string): Disposable {
    const lost = this.#lost.pidOf(id);
    if (lost !== undefined) {
      const operation = `it runs as process ${lost} of the host, which libvirt has lost`;
      throw new ContractError("VmBusy", { operation });
    }
    const running = this.inventory.vm(id)?.operation;
    if (running !== undefined) throw new ContractError("VmBusy", { operation: running });
    this.inventory.update(id, { operation: label });
    return { [Symbol.dispose]: () => void this.inventory.update(id, { operation: undefined }) };
  }

  /** The process that runs a VM which libvirt takes for off; undefined where there is none. */
  lostProcess(vmId: string): number | undefined {
    return this.#lost.pidOf(vmId);
  }

  /** Reads a VM again. What cannot be read now, the reconcile reads later: what was done is done. */
  async reread(vm: VM): Promise<void> {
    try {
      await this.inventory.refresh(vm.id);
    } catch (error) {
      log.debug("a domain could not be read again", { vm: vm.name, error });
    }
  }

  /** What does not respond, longest first; libvirt itself, which says more than its parts, before all. */
  get silent(): readonly Hang[] {
    const whole = libvirtHang(this.link.status), told = this.hangs.told();
    return whole.length === 0 ? told : [...whole, ...told.filter(({ about }) => about !== "host")];
  }

  #onHangs(): void {
    this.events.publish("hangs-changed", {});
    this.reports.update(this.silent);
  }

  #recordHang(action: string, { vmId, name }: Hang, message: string): void {
    this.record({
      ...{ actor: "libvirt", door: "agent", action, result: "event", message },
      ...(vmId !== undefined && { vmId, vmName: name }),
    });
  }

  #onStatus(status: ConnectionStatus): void {
    this.events.publish("connection-status-changed", { status });
    const silent = libvirtHang(status);
    if (silent.length > 0 || this.#isSilent) this.#onHangs();
    this.#isSilent = silent.length > 0;
    if (status.connected) return;
    this.#attempted.resolve();
    this.sampler.forget();
    this.make.forget();
    this.capabilities.forget();
    for (const part of this.#parts) part.disconnected?.();
  }

  /** Other hosts that answer. */
  #others(): { readonly id: string; readonly label: string; readonly call: LibvirtCaller }[] {
    return this.#services.hosts.all().filter((other) => other !== this && other.link.status.connected)
      .map(({ id, label, link }) => ({ id, label, call: (name, ...args) => link.call(name, ...args) }));
  }

  /** Whether a host with this id is read by this KVM Manager itself. */
  isServed(hostId: string): boolean {
    return this.#services.hosts.served(hostId) !== undefined;
  }

  /** Refuses a libvirt that is another host's: what is deleted there would be gone for that one. */
  async #refusal(call: LibvirtCaller): Promise<string | undefined> {
    if (this.id === LOCAL_HOST) return undefined;
    const same = await sameLibvirt(call, this.#others());
    this.sameAs = same?.label;
    return same &&
      `This connection leads to the libvirt of ${same.label}. Remove this host, or change its connection.`;
  }

  /** Compares its libvirt with those of the others once more: the host that was added later gives way. */
  async #compareOthers(): Promise<void> {
    const same = await sameLibvirt((name, ...args) => this.link.call(name, ...args), this.#others());
    if (same === undefined) return;
    const later = this.#services.hosts.all().findLast(({ id }) => id === this.id || id === same.id);
    await later?.link.reconnect("It is compared with the other hosts.");
  }

  /** Reads everything of a fresh connection. What fails is tried again by the reconcile. */
  async #onConnected(): Promise<void> {
    this.#unread = true;
    // Two that connect at the same time do not see each other before
    this.#compareOthers().catch((error) =>
      log.error("hosts could not be compared", { host: this.id, error })
    );
    try {
      await this.inventory.resync();
      // Before anything is done with the disks of VMs that are off
      await this.#lost.look();
      this.#unread = false;
      this.#services.hosts.wasRead();
    } catch (error) {
      log.warn("the host could not be read", { host: this.id, error });
      return;
    }
    this.operations.settle().catch((error) =>
      log.error("what was cut short could not be settled", { host: this.id, error })
    );
    this.sizes.forget();
    this.#details().catch((error) => log.warn("the VMs could not be read whole", { host: this.id, error }));
  }

  /** Learns the host's full name, for which libvirt asks a resolver that may be away: nothing waits for it. */
  async #learnName(): Promise<void> {
    try {
      this.fullName = await this.link.call("hostName");
      // Other hosts are called by their id
      if (this.id === LOCAL_HOST) this.inventory.hostname = this.fullName;
    } catch (error) {
      if (!(error instanceof LibvirtError)) throw error;
      log.info("the host's full name is not known", { host: this.id, error });
    }
  }

  /** What is found out after the list: nothing waits for it. */
  async #details(): Promise<void> {
    await this.#uptimes();
    await Promise.all([
      this.#learnName(),
      // Lists of hosts tell the version
      this.id === LOCAL_HOST ? undefined : this.make.get(),
      ...this.#parts.map((part) => part.connected?.()),
      this.sizes.update(),
      this.#addresses.update(),
      this.sampler.tick(),
      findPending(this.link, this.inventory),
    ]);
  }

  /** Finds out since when VMs run that were started before us. */
  async #uptimes(): Promise<void> {
    const { machine } = this;
    if (!machine?.isSystem) return;
    for (const uuid of this.inventory.active()) {
      const vm = this.inventory.vm(uuid);
      if (!vm || vm.startedAt !== undefined) continue;
      const startedAt = await machine.startedAt(vm.name);
      if (startedAt !== undefined) this.inventory.update(uuid, { startedAt });
    }
  }

  #onChange(change: DomainChange): void {
    for (const part of this.#parts) part.changed?.(change);
  }

  /**
   * Records in which formats VMs have their disks: regularly, and `again` for a VM that starts with them, or is about to
   * have them no more. Made-up VMs have no files.
   */
  async observeFormats(vms: readonly VM[] = this.inventory.vms(), again = false): Promise<void> {
    if (!isTestDriver(this.link.uri)) await this.formats.observe(this.link, vms, again);
  }

  async #reconcile(): Promise<void> {
    if (this.#unread) return await this.#onConnected();
    await this.inventory.networks.reconcile();
    try {
      const missed = this.inventory.reconcile(await this.link.call("domainListStates"));
      if (missed > 0) log.info("found what events did not tell", { host: this.id, vms: missed });
    } catch (error) {
      // libvirt's list waits for each VM; the others are read one by one below
      if (!isHang(error)) throw error;
      log.debug("the list of all VMs waits for one that does not respond", { host: this.id, error });
    }
    await this.inventory.rereadOldest();
  }

  /** Everything periodic on this host, in one list. */
  #jobs(): PeriodicJob[] {
    const own = hostJobs(this, {
      addresses: this.#addresses,
      lost: this.#lost,
      reconcile: () => this.#reconcile(),
    });
    return [...own, ...this.#parts.flatMap(({ periodic = [] }) => periodic)];
  }
}
