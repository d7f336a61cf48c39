/** The application: its store, its doors' commands, its hosts and its features, put together and started in one place. */
import type { Api } from "../lib/contract/api.ts";
import { commandMethods } from "../lib/client/api.ts";
import {
  type Backup,
  type Command,
  type CommandName,
  COMMANDS,
  type MaintenanceSummary,
  type Role,
  type Schedule,
  type VM,
} from "../lib/contract/mod.ts";
import { LOCAL_HOST } from "../lib/contract/local_host.ts";
import { VERSION } from "../lib/version.ts";
import type { Principal } from "./access.ts";
import { hostRolesIn } from "../lib/access/host_roles.ts";
import type { AccessWorld } from "./access/authorise.ts";
import { HostAccounts } from "./access/host_accounts.ts";
import { Access } from "./access/mod.ts";
import { requireConfirmed } from "./access/reauthentication.ts";
import { BackupRecords } from "./backups/records.ts";
import { TargetRecords } from "./backups/target_records.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import { Consoles } from "./console/consoles.ts";
import type { LinkedUser } from "./access/delegation.ts";
import { createDispatch, type Dispatch, type GuardTools, type Handlers, type Route } from "./dispatch.ts";
import { EventHub } from "./events/hub.ts";
import type { OpenFeature } from "./feature.ts";
import type { HostPart } from "./feature_part.ts";
import { FEATURES, handlersOf, STEP_RULES } from "./features.ts";
import { LibvirtHost } from "./hosts/libvirt_host.ts";
import { LinkIdentity } from "./hosts/linked/identity.ts";
import { isLink, LinkedHost, type StoredLink, type TellLimits } from "./hosts/linked/linked_host.ts";
import { LinkedHosts } from "./hosts/linked/linked_hosts.ts";
import { PeerRecords } from "./hosts/linked/peer_records.ts";
import type { PeerTargets } from "./hosts/linked/peer_targets.ts";
import { Peers } from "./hosts/linked/peers.ts";
import { VmOwners } from "./hosts/linked/vm_owners.ts";
import { HostRecords, type StoredHost } from "./hosts/records.ts";
import { accessWorldOf } from "./hosts/places.ts";
import type { Membership } from "./hosts/projects.ts";
import type { ManagedHost } from "./hosts/managed_host.ts";
import { ManagedHosts } from "./hosts/managed_hosts.ts";
import { HostRegistry } from "./hosts/registry.ts";
import { SshFiles } from "./hosts/ssh/files.ts";
import { settledFor } from "./hosts/settling.ts";
import { type ApiHandler, createApi } from "./http/api.ts";
import type { Admit } from "./http/websocket.ts";
import { hostHeads, type HostStates } from "./http/host_heads.ts";
import type { Listeners } from "./http/listeners.ts";
import { roleAtSocket, socketRule } from "./http/socket_peers.ts";
import { OperatingSystems } from "./hosts/operating_systems.ts";
import { BinRecords } from "./storage/bin/records.ts";
import { AccountSshKeys } from "./access/ssh_keys.ts";
import { LeftDisks } from "./storage/images/left_disks.ts";
import { ImageRecords } from "./storage/images/records.ts";
import { GuestfsFolders } from "./guestfs/guestfs.ts";
import { FormerNames } from "./vm/former_names.ts";
import { Coverage } from "./coverage/coverage.ts";
import { KnownVms } from "./vm/known_vms.ts";
import { migrateFrom, MIGRATION_COMMANDS } from "./vm/migration/from_linked.ts";
import { IncomingMigrations } from "./vm/migration/incoming.ts";
import type { MoveQueue } from "./vm/migration/move_queue.ts";
import type { Placement, RulesAgainst } from "./placement/placement.ts";
import { Projects } from "./projects/projects.ts";
import { IncomingReplications } from "./replication/incoming.ts";
import { Promotion } from "./replication/promotion.ts";
import { ReplicationRecords } from "./replication/records.ts";
import { ReplicaClaims } from "./replication/replica_claims.ts";
import { Jobs } from "./jobs/jobs.ts";
import { releaseStartupMemory } from "../ffi/startup_memory.ts";
import type { ReplicaLag } from "./alerts/watcher.ts";
import type { McpDoor } from "./mcp/door.ts";
import { FigureFeed } from "./metrics/figure_feed.ts";
import type { FigureTransfer } from "./metrics/transfer.ts";
import { MetricStore } from "./metrics/metric_store.ts";
import type { SummariseMetrics } from "./metrics/stored_metrics.ts";
import { TemplateRecords } from "./templates/records.ts";
import { NO_SIMULATION, type SimulationOf } from "./libvirt/simulation.ts";
import { staleTargetError } from "./libvirt/stale_target_error.ts";
import { Mutex } from "../lib/mutex.ts";
import { forgetOperations } from "./operations/records.ts";
import { log } from "./log.ts";
import { Periodic } from "./periodic.ts";
import { Provided } from "./provided.ts";
import type { Settings } from "./settings.ts";
import { ActivityLog } from "./store/activity.ts";
import { ClockDrift } from "./store/clock_drift.ts";
import { Journal } from "./store/journal.ts";
import { RejectedCallLog } from "./store/rejected_call_log.ts";
import { Store } from "./store/store.ts";
import { beat } from "./heartbeat.ts";

/** Milliseconds the stop waits for what still runs. */
const STOP_MS = 2000;
/** Milliseconds after which what the start needed is needed no more. */
const START_MS = 30_000;

function releaseMemory(): void {
  try {
    releaseStartupMemory();
  } catch (error) {
    log.debug("what the start needed stays in memory", { error });
  }
}

export class Application {
  readonly hub = new EventHub();
  readonly store: Store;
  /** Whether ages can be trusted. */
  readonly drift: ClockDrift;
  readonly activity: ActivityLog;
  /** Refused anonymous calls: they are summed up. */
  readonly refusals: RejectedCallLog;
  readonly jobs: Jobs;
  readonly access: Access;
  readonly hosts: HostRegistry;
  /** Hosts with a KVM Manager of their own. */
  readonly linked: LinkedHosts;
  /** Hosts of both kinds. */
  readonly managed: ManagedHosts;
  /** KVM Managers that may act on this host. */
  readonly peers: Peers;
  /** Hosts besides the local one. */
  readonly hostRecords: HostRecords;
  readonly vmOwners: VmOwners;
  readonly consoles: Consoles;
  /** VMs that come from linked hosts. */
  readonly incoming: IncomingMigrations;
  /** Increments of replicas that come from them. */
  readonly incomingReplications: IncomingReplications;
  readonly replications: ReplicationRecords;
  readonly replicaClaims = new ReplicaClaims();
  /** VMs that are made of replicas. */
  readonly promotion: Promotion;
  /** VMs that were kept as they were. */
  readonly templates: TemplateRecords;
  /** Deleted VMs and volumes that can be restored. */
  readonly bin: BinRecords;
  /** Backups, and where they go. */
  readonly backups: BackupRecords;
  readonly backupTargets: TargetRecords;
  /** Backups and schedules as they are told, for what watches them. */
  readonly backupList = new Provided<() => Backup[]>("backups");
  /** Targets of alerts that users of linked KVM Managers have set up here. */
  readonly peerTargets = new Provided<PeerTargets>("targets of linked KVM Managers");
  /** How far replicas are behind. */
  readonly replicaLags = new Provided<() => ReplicaLag[]>("replications");
  readonly scheduleList = new Provided<() => Schedule[]>("schedules");
  /** How many VMs leave a host, and come to one, at once. */
  readonly moveLimit = new Provided<(hostId: string) => number>("limits of moves");
  /** VMs that move, and wait to. */
  readonly moves = new Provided<MoveQueue>("moves");
  /** Rules of placement that a VM would go against on a host. */
  readonly rulesAgainst = new Provided<RulesAgainst>("rules of placement");
  readonly placement = new Provided<Placement>("placement rules");
  /** Summary of a host's maintenance for lists of hosts. */
  readonly maintenanceOf = new Provided<(hostId: string) => MaintenanceSummary | undefined>(
    "maintenance of hosts",
  );
  /** The past of hosts and VMs: a file of its own. */
  readonly metrics: MetricStore;
  /** Sums of that. */
  readonly figureTransfer = new Provided<FigureTransfer>("transfers of metrics");
  readonly metricSummaries = new Provided<SummariseMetrics>("summaries of metrics");
  /** Figures of hosts and VMs as they are taken. */
  readonly figures = new FigureFeed();
  /** Door of MCP clients. */
  readonly mcp = new Provided<McpDoor>("MCP");
  /** Refuses what the tools of profiles do not allow. */
  readonly guardTools = new Provided<GuardTools>("tools of profiles");
  /** The limits of tools, as a linked host is told them with a call. */
  readonly toldLimits = new Provided<TellLimits>("limits of tools");
  /** How hosts are reached by SSH. */
  readonly ssh: SshFiles;
  /** Folders of libguestfs. */
  readonly guestfs: GuestfsFolders;
  /** Data of operating systems. */
  readonly systems = new OperatingSystems();
  /** Names that VMs had. */
  readonly formerNames: FormerNames;
  /** Identities of VMs, and the tags and groups that each was given. */
  readonly knownVms: KnownVms;
  /** Records that go by VMs' ids, tags and groups. */
  readonly coverage: Coverage;
  /** Projects, and which VMs are in them. */
  readonly projects: Projects;
  readonly sshKeys: AccountSshKeys;
  /** Policy for downloads of images. */
  readonly images: ImageRecords;
  readonly leftDisks: LeftDisks;
  /** How the steps of operations are settled. */
  readonly stepRules = STEP_RULES;
  /** The one way to carry a command out. */
  readonly dispatch: Dispatch;
  /** The REST door. */
  readonly api: ApiHandler;
  /** Listeners of the pages; set once they are open. */
  doors: Listeners | undefined;
  /** Hosts of VMs, and the host that a call is about: rights depend on it. */
  readonly places: AccessWorld;
  readonly #hostStates: HostStates;
  readonly #journal: Journal;
  readonly #features: readonly OpenFeature<CommandName, CommandName>[];
  readonly #handlers: Partial<Handlers>;
  readonly #periodic: Periodic;
  readonly #hostChanges = new Mutex();
  #startIsOver: (() => void) | undefined;
  #stopBeating: (() => void) | undefined;
  #isStopped = false;

  /** @param simulationOf returns the simulation that answers for a host that is not real */
  constructor(
    readonly settings: Settings,
    readonly clock: Clock = SYSTEM_CLOCK,
    readonly simulationOf: SimulationOf = NO_SIMULATION,
  ) {
    this.store = new Store(
      settings.dataDir,
      (message) => this.hub.publish("error", { message }),
      FEATURES.map(({ name, migrations = [] }) => ({ name, migrations })),
    );
    this.drift = new ClockDrift(clock, this.store);
    this.#journal = new Journal(settings.journal);
    this.activity = new ActivityLog(
      this.store,
      (activity, entry) => {
        this.hub.publish("activity", activity);
        this.#journal.tell(activity, entry);
      },
      undefined,
      clock,
    );
    this.refusals = new RejectedCallLog((entry) => void this.activity.record(entry), clock);
    const hostRoles = hostRolesIn(settings.pam);
    this.access = new Access(this.store, settings.demo, clock, hostRoles && new HostAccounts(hostRoles));
    this.sshKeys = new AccountSshKeys(this.store);
    this.jobs = new Jobs(this.store, {
      clock,
      onChanged: (jobs) => this.hub.publishAll(jobs.map((job) => ["job-changed", { job }])),
      onProgress: (job) => this.hub.publish("job-progress", { job }),
      names: { current: () => this.hosts.vms(), former: () => this.formerNames.all() },
    });
    this.formerNames = new FormerNames(this.store, clock);
    this.knownVms = new KnownVms(this.store, clock);
    this.hosts = new HostRegistry(this.knownVms, (id) => this.hostRecords.get(id)?.isEnabled === false);
    this.vmOwners = new VmOwners(this.store, clock);
    this.linked = new LinkedHosts(
      (vmId) => this.hosts.isKnown(vmId),
      this.vmOwners,
      (hostId) => this.hostRecords.get(hostId) !== undefined,
      (jobId) => this.jobs.has(jobId),
    );
    this.managed = new ManagedHosts(this.hosts, this.linked);
    this.peers = new Peers(
      new PeerRecords(this.store),
      new LinkIdentity(settings.dataDir, this.store.secrets),
      clock,
    );
    this.access.peers = this.peers;
    // Of a database that can be read later only, its hosts come then
    this.hostRecords = new HostRecords(this.store, () => queueMicrotask(() => this.#serveKeptHosts()));
    this.coverage = new Coverage({
      isKnown: () => this.hosts.areSettled && (this.hosts.missing().length === 0 || this.knownVms.isRead),
      vms: () => this.hosts.vms(),
      unread: () => {
        const disabled = this.hostRecords.all().filter(({ isEnabled }) => !isEnabled);
        const missing = new Set([...this.hosts.missing(), ...disabled].map(({ id }) => id));
        return missing.size === 0 ? [] : this.knownVms.present().filter(({ host }) => missing.has(host));
      },
      nameOf: (vmId) => this.hosts.vm(vmId)?.name ?? this.knownVms.get(vmId)?.name,
      isPool: (name) =>
        this.hosts.all().some(({ inventory: { storage } }) =>
          !storage.isKnown || storage.record(name) !== undefined
        ),
    });
    this.images = new ImageRecords(this.store);
    this.leftDisks = new LeftDisks(this.store);
    this.templates = new TemplateRecords(this.store);
    this.projects = new Projects(this.store, {
      vm: (vmId) => this.vm(vmId),
      isAway: (vmId) => this.knownVms.hostOf(vmId) !== undefined || this.vmOwners.hostOf(vmId) !== undefined,
      hasDisksInBin: (vmId) =>
        this.bin.all().some((entry) =>
          entry.vmId === vmId && entry.files.some(({ role }) => role === "disk")
        ),
      changed: (vmId) => this.#memberChanged(vmId),
    }, clock);
    this.bin = new BinRecords(this.store, settings.binDays, () => this.hub.publish("bin-changed", {}));
    this.backups = new BackupRecords(this.store);
    this.backupTargets = new TargetRecords(this.store);
    this.ssh = new SshFiles(settings.dataDir, settings.runtimeDir, this.store.secrets);
    this.guestfs = new GuestfsFolders(settings.dataDir);
    this.metrics = new MetricStore(settings.dataDir, (message) => this.hub.publish("error", { message }));
    this.consoles = new Consoles(
      this.hosts,
      this.linked,
      (vmId) => this.places.vm(vmId),
      (request, caller) => this.access.identify(request, caller),
      clock,
    );
    this.incoming = new IncomingMigrations({
      host: () => this.hosts.local,
      identify: (request, caller) => this.access.identify(request, caller),
      record: (entry) => void this.activity.record(entry),
      keepFigures: (...figures) => this.figureTransfer.get().take(...figures),
    });
    const replicaServices = {
      host: () => this.hosts.local,
      records: this.replications = new ReplicationRecords(this.store),
      claims: this.replicaClaims,
    };
    this.promotion = new Promotion(replicaServices);
    this.incomingReplications = new IncomingReplications({
      ...replicaServices,
      promotion: this.promotion,
      identify: (request, caller) => this.access.identify(request, caller),
      peerName: (peerId) => this.peers.records.all().find(({ id }) => id === peerId)?.name,
    });
    this.places = accessWorldOf(
      this.managed,
      this.hostRecords,
      (vmId) => this.projects.projectOf(vmId),
    );
    this.dispatch = createDispatch({
      route: (command, input, principal, on) => this.#route(command, input, principal, on),
      record: (entry, refusal) => {
        if (refusal === undefined) this.activity.record(entry);
        else this.refusals.add(entry, refusal);
      },
      ...this.places,
      vms: (host) => host === undefined ? this.vms() : this.#vmsOn(host),
      formerNames: () => this.formerNames.all(),
      idSince: (vmId) => this.knownVms.since(vmId),
      // What a linked host refuses it has compared itself
      staleTarget: (command, input, error) =>
        this.linked.in(input) === undefined
          ? staleTargetError(this.hosts.of(input).inventory, command, input, error)
          : Promise.resolve(error),
      requireConfirmed: (principal) => this.requireConfirmed(principal),
      grantedGroups: () => this.access.accounts.grantedGroups(),
      guardTools: (...call) => this.guardTools.get()(...call),
      settled: (command, input) => this.#settled(command, input),
    });
    this.#features = FEATURES.map((each) => each.open(this));
    this.#handlers = handlersOf(this.#features);
    this.hosts.add(new LibvirtHost(this, { id: LOCAL_HOST, uri: settings.uri }));
    this.#serveKeptHosts();
    this.#hostStates = {
      places: this.places,
      now: () => this.clock.now(),
      staleHosts: () =>
        this.managed.all().filter(({ isRead, status }) => isRead && !status.connected)
          .map(({ id, heardAt, status }) => ({ id, heardAt: heardAt ?? status.since })),
      missingHosts: () => this.managed.all().filter(({ isRead }) => !isRead).map(({ id }) => id),
    };
    this.api = createApi({
      ...this.#hostStates,
      dispatch: this.dispatch,
      hub: this.hub,
      version: VERSION,
      vms: () => this.vms(),
    });
    this.#periodic = new Periodic(this.#features.flatMap(({ periodic = [] }) => periodic), clock);
  }

  /** Heads of an answer that say which hosts it has nothing of. */
  hostHeads(command: CommandName, host: unknown, principal: Principal): Record<string, string> {
    return hostHeads(this.#hostStates, command, host, principal);
  }

  /** Answers a request for a WebSocket. */
  readonly admit: Admit = (request, ...caller) => {
    const { pathname } = new URL(request.url);
    const { admit } = [this.incoming, this.incomingReplications].find((each) => each.isOf(pathname)) ??
      this.consoles;
    return admit(request, ...caller);
  };

  /** The application carries out what it has a handler for; all else is of one host. @throws {ContractError} HostNotFound */
  #route(command: CommandName, input: unknown, principal: Principal, on: string | undefined): Route {
    const linked = this.linked.of(command, input, principal, on);
    const own = linked === undefined ? this.#handlers[command] : undefined;
    if (own !== undefined) return { handler: own };
    const host: ManagedHost = linked ?? this.hosts.of(input);
    return { handler: host.handler(command)!, host: host.id };
  }

  /** Waits, a bounded time, for the hosts that a call is about. Nothing of the input was checked yet. */
  async #settled(command: CommandName, input: unknown): Promise<void> {
    const { host, vmId } = (input ?? {}) as Readonly<Record<string, unknown>>, far = this.linked.in(input);
    if (far !== undefined) return await far.settled();
    await settledFor(this.hosts, command, input);
    const { ofAllHosts }: Command = COMMANDS[command];
    const isAnywhere = typeof vmId === "string"
      ? this.hosts.vm(vmId) === undefined
      : ofAllHosts && host === undefined;
    if (isAnywhere) await Promise.all(this.linked.all().map((each) => each.settled()));
  }

  /** The VMs of all hosts, those that are read here before those of linked ones. */
  vms(): readonly VM[] {
    return this.managed.vms();
  }

  vm(vmId: string): VM | undefined {
    return this.managed.vm(vmId);
  }

  /** @throws {ContractError} HostNotFound */
  #vmsOn(host: string): readonly VM[] {
    return (this.managed.served(host) ?? this.hosts.require(host)).vms();
  }

  /** This side's part of a command that a linked host carries out: a console and a move need both sides. */
  #ownPart(command: CommandName, linked: LinkedHost): Route["handler"] | undefined {
    if (command === "open_console") return (wanted, context) => this.consoles.openOn(linked, wanted, context);
    const moving = MIGRATION_COMMANDS.find((each) => each === command);
    if (moving === undefined) return undefined;
    const world = { hosts: this.hosts, linked: this.linked, identity: this.peers.identity };
    return (wanted, context) => migrateFrom(world, linked, moving, wanted, context);
  }

  /** Project and end date of a VM. */
  readonly membershipOf = (vmId: string): Membership => this.projects.membershipOf(vmId);

  /** The project or the end date of a VM is another one: lists and pages are told. */
  #memberChanged(vmId: string): void {
    for (const host of this.managed.all()) host.reshow(vmId);
    this.hub.publish("projects-changed", {});
  }

  /** Begins to serve the hosts that are kept and not served yet. */
  #serveKeptHosts(): void {
    for (const kept of this.hostRecords.all()) {
      if (!kept.isEnabled || this.#isStopped || this.managed.served(kept.id) !== undefined) continue;
      const host = isLink(kept) ? this.#addLinked(kept) : this.#addHost(kept);
      if (this.#stopBeating !== undefined) host.start();
    }
  }

  #addHost(kept: StoredHost): LibvirtHost {
    const host = new LibvirtHost(this, kept);
    this.hosts.add(host);
    return host;
  }

  #addLinked(kept: StoredLink): LinkedHost {
    const host = new LinkedHost({
      hub: this.hub,
      clock: this.clock,
      identity: this.peers.identity,
      isTaken: (vmId, hostId) => this.linked.isTaken(vmId, hostId),
      owners: this.vmOwners,
      membershipOf: this.membershipOf,
      ownPart: (command, linked) => this.#ownPart(command, linked),
      limitsOf: (...call) => this.toldLimits.get()(...call),
      keyRenewed: (hostId, peerKey) => this.#renewPeerKey(hostId, peerKey),
    }, kept);
    this.linked.add(host);
    return host;
  }

  /** Knows a linked host by another key from now on. */
  #renewPeerKey(hostId: string, peerKey: string): void {
    const kept = this.hostRecords.get(hostId);
    if (kept === undefined) return;
    try {
      this.hostRecords.put({ ...kept, peerKey });
      log.info("a linked host has another key", { host: hostId, key: peerKey });
    } catch (error) {
      // It shows by which keys it follows the one that is kept whenever a connection is made
      log.warn("the key of a linked host was not kept", { host: hostId, error });
    }
  }

  /**
   * Keeps a host, and serves it as it is kept now. Changes of hosts are made one after the other.
   *
   * @param check is called before anything is changed, and may throw
   * @throws {ContractError} StoreUnavailable
   */
  putHost(host: StoredHost, check: () => void = () => {}): Promise<void> {
    return this.#hostChanges.run(async () => {
      check();
      if (this.hostRecords.get(host.id) === undefined) {
        for (const feature of this.#features) feature.hostAdded?.(host.id);
      }
      this.hostRecords.put(host);
      const served = this.managed.served(host.id);
      const isSame = served !== undefined && host.isEnabled && served.address === host.uri;
      await (isSame ? served.adopt(host) : this.#changeHost(host.id, () => {}));
      this.hub.publish("hosts-changed", {});
    });
  }

  /**
   * Forgets a host and all that is kept of it. Nothing changes there.
   *
   * @param check is called before anything is changed, and may throw
   * @throws {ContractError} StoreUnavailable; then it stays
   */
  removeHost(id: string, check: () => void = () => {}): Promise<void> {
    return this.#hostChanges.run(async () => {
      check();
      await this.#changeHost(id, () => {
        for (const feature of this.#features) feature.forgetHost?.(id);
        this.hostRecords.remove(id);
        this.vmOwners.reconcile(id, new Set());
        if (!forgetOperations(this.store, id)) log.warn("operations of a removed host stay", { host: id });
      });
      this.hub.publish("hosts-changed", {});
    });
  }

  /** Ends to serve a host, changes what is kept of it, and serves what is kept then. */
  async #changeHost(id: string, change: () => void): Promise<void> {
    const host = this.managed.served(id);
    try {
      if (host !== undefined) {
        this.managed.remove(host);
        if (!host.isLinked) this.consoles.leave();
        await host.retire();
      }
      change();
    } finally {
      this.#serveKeptHosts();
    }
  }

  /** Records that would be deleted with a host, each as a noun with its name. */
  keptOf(hostId: string): string[] {
    return this.#features.flatMap((feature) => feature.keptOf?.(hostId) ?? []);
  }

  /** The features' parts for a host that is being created. */
  partsOn(host: LibvirtHost): HostPart<CommandName>[] {
    return this.#features.flatMap((each) => each.host?.(host) ?? []);
  }

  /** Asks for a fresh proof of who calls. @throws {ContractError} PasswordNeeded */
  requireConfirmed(principal: Principal): Promise<void> {
    return requireConfirmed(this.access, principal);
  }

  /** Present rights of a user of a linked KVM Manager; undefined if it may not act here any more. */
  linkedUser(peerId: string, caller: string | null): LinkedUser | undefined {
    return this.peers.linkedUser(peerId, caller);
  }

  /** Present role of a user of this host at the socket. */
  socketRoleOf(uid: number): Role | undefined {
    const { socketGroup, socketRole } = this.settings;
    return roleAtSocket(uid, socketRule(socketGroup, socketRole));
  }

  /** Starts everything. Returns at once: a libvirt may come later. */
  start(): void {
    this.#stopBeating = beat();
    this.guestfs.start();
    for (const host of this.managed.all()) host.start();
    this.#startIsOver = this.clock.after(START_MS, releaseMemory);
    this.#periodic.start();
  }

  /** Stops everything within a few seconds. VMs run on. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#startIsOver?.();
    const [late, unfinished] = await Promise.all([this.#periodic.stop(STOP_MS), this.jobs.stop(STOP_MS)]);
    if (unfinished.length > 0) log.warn("work was interrupted by the stop", { work: unfinished });
    if (late.length > 0) log.warn("still running at the stop", { jobs: late });
    await Promise.all(this.managed.all().map((host) => host.stop()));
    for (const each of this.#features) await each.stop?.();
    await this.guestfs.stop();
    this.activity.close();
    this.vmOwners.save();
    this.store.close();
    this.#journal[Symbol.dispose]();
    this.#stopBeating?.();
    await this.ssh.stop();
  }

  /**
   * The typed client for in-process use: the same dispatch as every other door.
   *
   * @param host the one that is meant where a call names none
   */
  apiFor(principal: Principal, host?: string | null): Api {
    return commandMethods((command, input) =>
      this.dispatch(command, input, principal, undefined, host ?? undefined)
    );
  }
}
