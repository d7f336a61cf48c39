/** The host agent: everything that runs beside the doors, put together and started in one place. */
import { type Api, commandMethods } from "../lib/client/api.ts";
import { VERSION } from "../lib/version.ts";
import type { ConnectionStatus } from "../lib/contract/mod.ts";
import { localPrincipal, type Principal } from "./access.ts";
import { auditHandlers } from "./access/audit_handlers.ts";
import { accessHandlers } from "./access/handlers.ts";
import { HostAccounts, hostRolesIn } from "./access/host_accounts.ts";
import { Access } from "./access/mod.ts";
import { certificateHandlers } from "./certificate/handlers.ts";
import { passkeyHandlers } from "./access/passkey_handlers.ts";
import { Consoles } from "./console/consoles.ts";
import { consoleHandlers } from "./console/handlers.ts";
import { createDispatch, type Dispatch } from "./dispatch.ts";
import { EventHub } from "./events/hub.ts";
import { HostCapabilities } from "./host/capabilities.ts";
import { hostHandlers } from "./host/handlers.ts";
import { HostMake } from "./host/make.ts";
import { OperatingSystems } from "./host/operating_systems.ts";
import { forgetForwards, forwardHandlers } from "./forward/handlers.ts";
import { healthHandlers } from "./doctor/handlers.ts";
import { Forwards } from "./forward/forwards.ts";
import { ForwardKernel } from "./forward/kernel.ts";
import { forwardNames } from "./forward/names.ts";
import { isLocalSystem, localHostname, localLoad, qemuStartedAt } from "./host/local.ts";
import { type ApiHandler, createApi } from "./http/api.ts";
import type { Doors } from "./http/doors.ts";
import { SiteCatalog } from "./images/catalog.ts";
import { ImageDownloads } from "./images/downloads.ts";
import { imageHandlers } from "./images/handlers.ts";
import { ImageRecords } from "./images/records.ts";
import { Addresses } from "./inventory/addresses.ts";
import { DiskSizes } from "./inventory/disk_sizes.ts";
import { type Happening, Inventory } from "./inventory/inventory.ts";
import { findPending } from "./inventory/pending.ts";
import { watchLibvirtFiles } from "./inventory/watch.ts";
import { jobHandlers } from "./jobs/handlers.ts";
import { Jobs } from "./jobs/jobs.ts";
import { LibvirtLink } from "./libvirt/link.ts";
import { releaseStartupMemory } from "../ffi/startup_memory.ts";
import { log } from "./log.ts";
import { Sampler } from "./metrics/sampler.ts";
import { filterHandlers } from "./network/filters.ts";
import { networkHandlers } from "./network/handlers.ts";
import { topologyHandlers } from "./network/topology.ts";
import { Periodic, type PeriodicJob } from "./periodic.ts";
import { screenHandlers } from "./screens/handlers.ts";
import type { Settings } from "./settings.ts";
import { poolHandlers } from "./storage/pool_handlers.ts";
import { volumeHandlers } from "./storage/volume_handlers.ts";
import { volumeOf } from "./storage/volumes.ts";
import { ActivityLog } from "./store/activity.ts";
import { AuditRetention } from "./store/audit_retention.ts";
import { Journal } from "./store/journal.ts";
import { ForwardRecords } from "./store/forwards.ts";
import { Store } from "./store/store.ts";
import { transferHandlers } from "./storage/transfer_handlers.ts";
import { Uploads } from "./storage/uploads.ts";
import { createHandlers } from "./vm/create_handlers.ts";
import { cloudInitHandlers } from "./vm/cloud_init.ts";
import { deviceHandlers } from "./vm/devices/handlers.ts";
import { vmHandlers } from "./vm/handlers.ts";
import { manageHandlers } from "./vm/manage.ts";
import { hardwareHandlers } from "./vm/update_handlers.ts";
import { VmServices } from "./vm/services.ts";

/** Milliseconds between looks, while someone is looking and while nobody is. */
const PACE = {
  loads: { watched: 2000, idle: 30_000 },
  addresses: { watched: 5000, idle: 30_000, wanting: 3000 },
  reconcile: { watched: 10_000, idle: 30_000 },
  forwards: 3000,
  sessions: 30_000,
  audit: 15 * 60_000,
  consoles: 1000,
  certificate: 2000,
} as const;
/** Milliseconds between the questions whether something is due: what nobody looks at may wait, a new look must not. */
const QUESTION_MS = 500;
/** Milliseconds the first calls after the start wait for libvirt: they would fail for no reason a person knows of. */
const SETTLE_MS = 5000;
/** Milliseconds the stop waits for what still runs. */
const STOP_MS = 2000;

/** Milliseconds within which the same event of a machine is one: libvirt tells a guest's reboot more than once. */
const REPEAT_MS = 1000;

/** Milliseconds after which what the start needed is needed no more. */
const START_MS = 30_000;

function releaseMemory(): void {
  try {
    releaseStartupMemory();
  } catch (error) {
    log.debug("what the start needed stays in memory", { error });
  }
}

/** Events of libvirt that a person wants to read of, when no command of ours caused them. */
const TOLD = new Set([
  "started",
  "suspended",
  "resumed",
  "stopped",
  "crashed",
  "undefined",
  "pmsuspended",
  "io-error",
  "watchdog",
  "reboot",
]);

export class Agent {
  readonly hub = new EventHub();
  readonly link: LibvirtLink;
  readonly inventory: Inventory;
  readonly activity: ActivityLog;
  readonly jobs: Jobs;
  readonly access: Access;
  /** Where people reach the pages; set once they are open. */
  doors: Doors | undefined;
  readonly #store: Store;
  readonly #journal: Journal;
  readonly #retention: AuditRetention;
  readonly #uploads: Uploads;
  readonly #images: ImageDownloads;
  readonly #forwards: Forwards;
  readonly api: ApiHandler;
  readonly consoles: Consoles;
  readonly #dispatch: Dispatch;
  readonly #sampler: Sampler;
  readonly #addresses: Addresses;
  readonly #sizes: DiskSizes;
  readonly #make: HostMake;
  readonly #capabilities: HostCapabilities;
  readonly #periodic: Periodic;
  readonly #stopping = new AbortController();
  #startIsOver: ReturnType<typeof setTimeout> | undefined;
  /** A connection was made whose state is not wholly read yet. */
  #unread = false;
  /** Resolved once the first attempt to connect has succeeded or failed, or takes too long to wait for. */
  readonly #attempted = Promise.withResolvers<void>();
  #reading: Promise<void> = Promise.resolve();

  constructor(readonly settings: Settings) {
    this.#store = new Store(settings.dataDir, (message) => this.hub.publish("error", { message }));
    this.#journal = new Journal(settings.journal);
    this.activity = new ActivityLog(this.#store, (activity, entry) => {
      this.hub.publish("activity", activity);
      this.#journal.tell(activity, entry);
    });
    this.#retention = new AuditRetention(this.#store, this.activity);
    const hostRoles = hostRolesIn(settings.pam);
    this.access = new Access(
      this.#store,
      settings.demo,
      undefined,
      hostRoles && new HostAccounts(hostRoles),
    );
    this.jobs = new Jobs(this.#store, {
      onChanged: (job) => this.hub.publish("job-changed", { job }),
      onProgress: (job) => this.hub.publish("job-progress", { job }),
    });
    this.link = new LibvirtLink(settings.uri, {
      status: (status) => this.#onStatus(status),
      connected: () => {
        this.#reading = this.#onConnected();
        this.#attempted.resolve();
      },
      events: (events) => this.inventory.onEvents(events),
      volumeMade: (record) => this.inventory.storage.put(volumeOf(record)),
      volumeGone: (path) => this.inventory.storage.removeAt(path),
    });
    this.inventory = new Inventory(
      this.link,
      this.hub,
      localHostname(),
      (happening) => this.#onHappening(happening),
    );
    this.#make = new HostMake(this.link);
    this.#capabilities = new HostCapabilities(this.link, this.#make);
    this.#sampler = new Sampler(
      this.link,
      this.inventory,
      this.hub,
      this.#make,
      () => localLoad(settings.uri),
    );
    this.#addresses = new Addresses(this.link, this.inventory);
    this.#sizes = new DiskSizes(this.link, this.inventory);
    const services = new VmServices(this.link, this.inventory, this.#sampler, this.jobs);
    this.consoles = new Consoles(
      services,
      (request, caller) => this.access.identify(request, caller),
    );
    this.#uploads = new Uploads(services);
    const images = new ImageRecords(this.#store), catalog = new SiteCatalog(settings.imageCatalog);
    this.#images = new ImageDownloads(services, images, catalog);
    const systems = new OperatingSystems();
    const networkCommands = networkHandlers(services);
    const asked = { principal: localPrincipal("page") };
    const kernel = new ForwardKernel(forwardNames(settings.dataDir));
    const forwards = new Forwards(services, new ForwardRecords(this.#store), kernel, this.hub);
    this.#forwards = forwards;
    const networks = {
      start: async (name: string) => await networkCommands.start_network({ name }, asked),
      stop: async (name: string) => await networkCommands.stop_network({ name }, asked),
    };
    this.#dispatch = createDispatch({
      handlers: {
        ...vmHandlers(services),
        ...createHandlers({
          vms: services,
          capabilities: this.#capabilities,
          systems,
          make: this.#make,
          virtType: settings.virtType,
          imagePolicy: () => images.policy(),
          networks,
        }),
        ...screenHandlers(services),
        ...manageHandlers(services),
        ...cloudInitHandlers(services),
        ...deviceHandlers(services),
        ...hardwareHandlers(services, this.#make, this.#capabilities),
        ...hostHandlers({
          link: this.link,
          inventory: this.inventory,
          sampler: this.#sampler,
          make: this.#make,
          activity: this.activity,
          store: this.#store,
        }),
        ...healthHandlers(settings, this.link),
        ...networkCommands,
        ...topologyHandlers(services),
        ...filterHandlers(services),
        delete_network: async (input, asked) => {
          const answer = await networkCommands.delete_network(input, asked);
          await forgetForwards(forwards, input.name);
          return answer;
        },
        ...forwardHandlers(
          forwards,
          async (name, change) => await networkCommands.update_network_dhcp({ name, ...change }, asked),
        ),
        ...jobHandlers(this.jobs, (vmId) => this.inventory.vm(vmId)),
        ...accessHandlers({
          access: this.access,
          activity: this.activity,
          address: () => this.doors?.address ?? "",
          hostname: () => this.inventory.hostname,
        }),
        ...certificateHandlers(() => this.doors),
        ...passkeyHandlers(this.access),
        ...auditHandlers(this.#retention),
        ...transferHandlers(services, this.#uploads),
        ...consoleHandlers(services, this.consoles),
        ...poolHandlers(services),
        ...volumeHandlers(services),
        ...imageHandlers({ services, systems, records: images, catalog, downloads: this.#images }),
      },
      record: (entry) => this.activity.record(entry),
      vm: (vmId) => this.inventory.vm(vmId),
      vms: () => [...this.inventory.vms()],
      grantedGroups: () => this.access.accounts.grantedGroups(),
      settled: () => this.#untilRead(),
    });
    this.api = createApi({
      dispatch: this.#dispatch,
      hub: this.hub,
      version: VERSION,
      vms: () => [...this.inventory.vms()],
      vm: (vmId) => this.inventory.vm(vmId),
    });
    this.#periodic = new Periodic(this.#jobs());
  }

  /** Starts everything. Returns at once: libvirt may come later. */
  start(): void {
    this.link.start();
    setTimeout(this.#attempted.resolve, SETTLE_MS);
    this.#startIsOver = setTimeout(releaseMemory, START_MS);
    this.#periodic.start();
    if (isLocalSystem(this.settings.uri)) void watchLibvirtFiles(this.inventory, this.#stopping.signal);
  }

  /** Stops everything within a few seconds. Machines run on. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    clearTimeout(this.#startIsOver);
    const [late, unfinished] = await Promise.all([this.#periodic.stop(STOP_MS), this.jobs.stop(STOP_MS)]);
    if (unfinished.length > 0) log.warn("work was interrupted by the stop", { work: unfinished });
    if (late.length > 0) log.warn("still running at the stop", { jobs: late });
    await this.#uploads.stop();
    this.#forwards[Symbol.dispose]();
    await this.link.stop();
    this.access.credentials.tidy();
    this.activity.close();
    this.#store.close();
    this.#journal[Symbol.dispose]();
  }

  /** The typed client for in-process use: the same dispatch as every other door. */
  apiFor(principal: Principal): Api {
    return commandMethods((command, input) => this.#dispatch(command, input, principal));
  }

  #onStatus(status: ConnectionStatus): void {
    this.hub.publish("connection-status-changed", { status });
    if (status.connected) return;
    this.#attempted.resolve();
    this.#sampler.forget();
    this.#make.forget();
    this.#capabilities.forget();
  }

  /** Reads everything of a fresh connection. What fails is tried again by the reconcile. */
  async #onConnected(): Promise<void> {
    this.#unread = true;
    try {
      this.inventory.hostname = (await this.#make.get()).hostname;
      await this.inventory.resync();
      this.#unread = false;
    } catch (error) {
      log.warn("the host could not be read", { error });
      return;
    }
    this.#sizes.forget();
    this.#details().catch((error) => log.warn("the machines could not be read whole", { error }));
  }

  /** What is found out beside the list: nobody waits for it. */
  async #details(): Promise<void> {
    await this.#uptimes();
    await Promise.all([
      this.#images.sweep(),
      this.#sizes.update(),
      this.#addresses.update(),
      this.#sampler.tick(),
      findPending(this.link, this.inventory),
    ]);
  }

  /** Waits, a bounded time, until the host was read for the first time, or it is known that it cannot be. */
  async #untilRead(): Promise<void> {
    await this.#attempted.promise;
    if (this.inventory.filled) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await Promise.race([this.#reading, new Promise((resolve) => timer = setTimeout(resolve, SETTLE_MS))]);
    clearTimeout(timer);
  }

  /** Finds out since when machines run that were started before us. */
  async #uptimes(): Promise<void> {
    if (!isLocalSystem(this.settings.uri)) return;
    for (const uuid of this.inventory.active()) {
      const vm = this.inventory.vm(uuid);
      if (!vm || vm.startedAt !== undefined) continue;
      const startedAt = await qemuStartedAt(vm.name);
      if (startedAt !== undefined) this.inventory.update(uuid, { startedAt });
    }
  }

  /** Ends consoles, and tells of what happened without us. What a command of ours does is told by the command. */
  #onHappening({ vmId, vmName, event }: Happening): void {
    this.consoles.onHappening(vmId);
    if (!TOLD.has(event) || this.inventory.vm(vmId)?.operation !== undefined) return;
    const [last] = this.activity.latest(1);
    const repeated = last?.vmId === vmId && last.action === event && Date.now() - last.timestamp < REPEAT_MS;
    if (repeated) return;
    this.activity.record({ actor: "libvirt", door: "libvirt", action: event, vmId, vmName, result: "event" });
  }

  /** Everything periodic, in one list. */
  #jobs(): PeriodicJob[] {
    const due = new Map<string, number>();
    /** Runs at the pace that fits who is looking, as long as there is a connection. */
    const paced = (name: string, pace: () => number, run: () => Promise<void>): PeriodicJob => ({
      name,
      every: () => QUESTION_MS,
      run: async () => {
        const last = due.get(name) ?? -Infinity;
        if (!this.link.status.connected || performance.now() - last < pace()) return;
        due.set(name, performance.now());
        await run();
      },
    });
    const watched = () => this.hub.listeners > 0;
    const pace = ({ watched: some, idle }: { watched: number; idle: number }) => watched() ? some : idle;
    return [
      paced("loads", () => pace(PACE.loads), () => this.#sampler.tick()),
      paced(
        "addresses",
        () => watched() && this.#addresses.wanting ? PACE.addresses.wanting : pace(PACE.addresses),
        () => this.#addresses.update(),
      ),
      paced("disk sizes", () => pace(PACE.reconcile), () => this.#sizes.update()),
      paced("storage", () => pace(PACE.reconcile), () => this.inventory.storage.reconcile()),
      paced("port forwards", () => PACE.forwards, () => this.#forwards.sync()),
      paced("reconcile", () => pace(PACE.reconcile), () => this.#reconcile()),
      { name: "sessions", every: () => PACE.sessions, run: () => this.access.credentials.tidy() },
      {
        name: "audit retention",
        every: () => PACE.audit,
        run: async (signal) => void await this.#retention.prune(signal),
      },
      { name: "console rights", every: () => PACE.consoles, run: () => this.consoles.recheck() },
      { name: "certificate", every: () => PACE.certificate, run: () => this.doors?.certificates?.check() },
    ];
  }

  async #reconcile(): Promise<void> {
    if (this.#unread) return await this.#onConnected();
    const missed = this.inventory.reconcile(await this.link.call("domainGlance"));
    if (missed > 0) log.info("found what events did not tell", { machines: missed });
    await this.inventory.rereadOldest();
  }
}

let running: Agent | undefined;

/** Makes the agent of this process. */
export function startAgent(settings: Settings): Agent {
  running = new Agent(settings);
  running.start();
  return running;
}

/** The agent of this process. @throws {Error} before `startAgent` */
export function runningAgent(): Agent {
  if (!running) throw new Error("the agent was not started");
  return running;
}
