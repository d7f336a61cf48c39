/**
 * One host: its libvirt, what is known of it, and what may be done on it. Whatever a feature does on a host begins
 * here; two hosts share nothing but the application (`app.ts`).
 */
import type { GuestAddress } from "../../ffi/calls/mod.ts";
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
import type { Handler } from "../dispatch.ts";
import type { ActivityEntry } from "../store/activity.ts";
import { type Principal, settlingPrincipal } from "../access.ts";
import { LOCAL_HOST } from "../../lib/contract/local_host.ts";
import { hostField } from "../../lib/contract/on_host.ts";
import { HostCapabilities } from "./capabilities.ts";
import { connectionUri, uriOfFurtherHost } from "../libvirt/uri.ts";
import { localHostname } from "../machine/local.ts";
import type { LocalMachine } from "../machine/machine.ts";
import { HangWatch } from "./hang_watch.ts";
import { LostVms } from "./lost_vms.ts";
import { VmClaims } from "./vm_claims.ts";
import { NodeInfo } from "./node_info.ts";
import { Passt } from "./passt.ts";
import type { VmStorage } from "../machine/vm_storage.ts";
import { type HostGuests, NO_GUESTS } from "./guests.ts";
import type { HostMedia } from "./media.ts";
import type { HostOverlays, HostParts } from "./left_files.ts";
import { Addresses } from "./inventory/addresses.ts";
import { DiskSizes } from "./inventory/disk_sizes.ts";
import { Inventory } from "./inventory/inventory.ts";
import { watchLibvirtFiles } from "./inventory/watch.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { LibvirtLink } from "../libvirt/link.ts";
import { SshConnection } from "./ssh/connection.ts";
import { log } from "../log.ts";
import { Sampler } from "../metrics/sampler.ts";
import { Operations } from "../operations/operations.ts";
import { PacedJobs, type PeriodicJob } from "../periodic.ts";
import { FormatRecords } from "../storage/format_records.ts";
import { isTestDriver } from "../storage/disk_images/reader.ts";
import { StorageLocks } from "../storage/locks.ts";
import { Reservations } from "./reservations.ts";
import { VolumeKeepers } from "../storage/volume_keepers.ts";
import { volumeOf } from "../storage/volumes.ts";
import { HostEvents } from "./events.ts";
import { HostFeatures } from "./host_features.ts";
import { hostJobs } from "./host_jobs.ts";
import { HostReading } from "./host_reading.ts";
import { OtherLibvirts } from "./other_libvirts.ts";
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
import type { HostConfig } from "./host_config.ts";

/** Milliseconds between two looks which jobs are due: what is not looked at may wait, a new listener must not. */
const CHECK_MS = 500;
/** Milliseconds the stop waits for what still runs. */
const STOP_MS = 2000;
/** Milliseconds for which a change of a host waits until its libvirt has let another user in, or has refused it. */
const SIGN_IN_MS = 5000;
/** Workers of a host that is reached by SSH: sshd takes ten sessions of one connection (`MaxSessions`). */
const MOST_BY_SSH = 8;
/** Of another machine's load libvirt does not tell these. */
const NO_LOAD = { loadAverage: null, uptimeSeconds: null } as const;
/** Message while a large or busy host is read for the first time. */
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
  /** Findings of the last health check; undefined before the first one. */
  health: HostInfo["health"];
  readonly sampler: Sampler;
  readonly sizes: DiskSizes;
  readonly jobs: Pick<Jobs, "open" | "run" | "list">;
  readonly operations: Operations;
  readonly formats: FormatRecords;
  /** Locks on pools, volumes and images. */
  readonly locks: StorageLocks;
  /** VMs and volumes that were deleted on any host, and can be restored. */
  readonly bin: BinRecords;
  /** Disks that VMs which were deleted have left. */
  readonly leftDisks: LeftDisks;
  /** Names, addresses and devices that VMs will have soon. */
  readonly reservations = new Reservations();
  readonly keepers: VolumeKeepers;
  /** Owners of media before VMs had them; undefined for another machine's. Set by the feature of VMs. */
  mediaOwners: HostMedia | undefined;
  /** Images that snapshots which were cut short have left; undefined on another machine. Set by the feature of VMs. */
  unusedOverlays: HostOverlays | undefined;
  /** Disks that were on their way here when their import was cut; undefined on another machine. Set by the feature of VMs. */
  keptParts: HostParts | undefined;
  /** Gets the tags and groups of its VMs. Set by the feature of VMs. */
  labels: HostLabels = NO_HOST_LABELS;
  /** Folders that are never shared with guests: of KVM Manager itself, and of backups. Set by the feature of VMs. */
  closedPlaces: () => ClosedPlaces = () => {
    throw new Error("the feature of VMs has not said what is closed");
  };
  /** The agents in its guests. Set by their feature. */
  guests: HostGuests = NO_GUESTS;
  /**
   * State of a VM on a linked host that it was to move to. Set by the feature of VMs. @throws while that host
   * does not answer
   */
  stateOn: (hostId: string, vmId: string) => Promise<IncomingState> = () =>
    Promise.reject(new Error("no host is linked"));
  /** Whether it takes VMs. Set by the feature of maintenance. */
  maintenance: HostMaintenance = NO_MAINTENANCE;
  /** VMs that come to it at once. Set by the feature of VMs. */
  arrivals: { take(): Disposable } = { take: () => ({ [Symbol.dispose]: () => {} }) };
  /** The host that a VM was switched over to, or may have been. Set by the feature of replication. */
  switchedOverTo: (vmId: string) => string | undefined = () => undefined;
  readonly passt: Passt;
  /** Parts of the features on this host. */
  readonly features: HostFeatures;
  /** The libvirts that its own is compared with. */
  readonly otherLibvirts: OtherLibvirts;
  /** The host's name as libvirt tells it; undefined until it has. */
  fullName: string | undefined;
  /** Objects that do not respond. */
  readonly hangs: HangWatch;
  /** Operations that its VMs are kept for. */
  readonly claims: VmClaims;
  /** The mounts of this host that VMs' disks are on; nothing of another. */
  readonly storageMounts: VmStorage | undefined;
  #projects: HostProjects & VmAdmissions = NO_PROJECTS;
  readonly #services: HostServices;
  readonly #lost: LostVms;
  readonly #addresses: Addresses;
  readonly #reading: HostReading;
  readonly #periodic: PacedJobs;
  readonly #stopping = new AbortController();

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
        refusal: (call) => this.otherLibvirts.refusal(call),
        connected: () => this.#reading.connected(),
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
      clock,
    );
    this.otherLibvirts = new OtherLibvirts(this, services.hosts);
    this.locks = new StorageLocks(this.machine !== null);
    this.keepers = new VolumeKeepers(this.machine, () => this.#onSameMachine().map(({ keepers }) => keepers));
    this.inventory = new Inventory(
      this.link,
      this.events,
      id === LOCAL_HOST ? localHostname() : id,
      (change) => this.features.changed(change),
      {
        isForeign: (vmId) => services.hosts.isForeign(id, vmId),
        placed: (vmId) => services.hosts.placed(vmId),
        membershipOf: (vmId) => services.membershipOf(vmId),
      },
    );
    this.storageMounts = this.machine?.mountsOf(this.inventory, () => this.hangs.changed());
    this.hangs = new HangWatch(this, clock);
    this.#lost = new LostVms(this.link, this.inventory);
    this.claims = new VmClaims(this, this.#lost);
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
      store,
      jobs,
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
    this.#reading = new HostReading(this, {
      addresses: this.#addresses,
      features: () => this.features,
      lost: this.#lost,
      others: this.otherLibvirts,
      wasRead: () => services.hosts.wasRead(),
    });
    this.features = new HostFeatures(services.partsOn(this));
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

  /** Display name. */
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
    return this.features.handler(command);
  }

  /** A guest's agent has told its addresses to somebody. */
  toldAddresses(vmId: string, addresses: readonly GuestAddress[]): void {
    this.#addresses.told(vmId, addresses);
  }

  /** Connects, and goes on trying. Returns at once: libvirt may come later. */
  start(): void {
    void this.#startLink();
    this.#reading.start(this.#stopping.signal);
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
    this.hangs.reports.stop();
    const late = await this.#periodic.stop(STOP_MS);
    if (late.length > 0) log.warn("still running at the stop", { host: this.id, jobs: late });
    await this.features.stop();
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

  /** Whether it was read since the start, or is known not to answer. */
  get isSettled(): boolean {
    return this.#reading.isSettled;
  }

  /** Waits, a bounded time, until the host was read for the first time, or it is known that it cannot be. */
  async settled(): Promise<void> {
    await this.#reading.settled();
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

  #onStatus(status: ConnectionStatus): void {
    this.events.publish("connection-status-changed", { status });
    this.hangs.onStatus(status);
    if (status.connected) return;
    this.#reading.disconnected();
    this.sampler.forget();
    this.make.forget();
    this.capabilities.forget();
    this.features.disconnected();
  }

  /** Whether a host with this id is read by this KVM Manager itself. */
  isServed(hostId: string): boolean {
    return this.#services.hosts.served(hostId) !== undefined;
  }

  /**
   * Records in which formats VMs have their disks: regularly, and `again` for a VM that starts with them, or is about to
   * have them no more. Made-up VMs have no files.
   */
  async observeFormats(vms: readonly VM[] = this.inventory.vms(), again = false): Promise<void> {
    if (!isTestDriver(this.link.uri)) await this.formats.observe(this.link, vms, again);
  }

  /** Everything periodic on this host, in one list. */
  #jobs(): PeriodicJob[] {
    const own = hostJobs(this, {
      addresses: this.#addresses,
      lost: this.#lost,
      reconcile: () => this.#reading.reconcile(),
    });
    return [...own, ...this.features.periodic];
  }
}
