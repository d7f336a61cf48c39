/**
 * The application: hosts that come and go, calls on their way to a handler, start and stop. `app/records.ts` has what it
 * keeps, `app/services.ts` what features and hosts share, `app/feature_values.ts` what features provide for each other.
 */
import type { Api } from "../lib/contract/api.ts";
import { commandMethods } from "../lib/client/api.ts";
import { type Command, type CommandName, COMMANDS, type Role, type VM } from "../lib/contract/mod.ts";
import { LOCAL_HOST } from "../lib/contract/local_host.ts";
import { VERSION } from "../lib/version.ts";
import type { Principal } from "./access.ts";
import { requireConfirmed } from "./access/reauthentication.ts";
import { type Clock, SYSTEM_CLOCK } from "./clock.ts";
import type { LinkedUser } from "./access/delegation.ts";
import { createDispatch, type Dispatch, type Handlers, type Route } from "./dispatch.ts";
import type { OpenFeature } from "./feature.ts";
import type { HostPart } from "./feature_part.ts";
import { FEATURES, handlersOf, STEP_RULES } from "./features.ts";
import { LibvirtHost } from "./hosts/libvirt_host.ts";
import { isLink, LinkedHost, type StoredLink } from "./hosts/linked/linked_host.ts";
import type { StoredHost } from "./hosts/records.ts";
import type { ManagedHost } from "./hosts/managed_host.ts";
import { settledFor } from "./hosts/settling.ts";
import { type ApiHandler, createApi } from "./http/api.ts";
import type { Admit } from "./http/websocket.ts";
import { hostHeads, type HostStates } from "./http/host_heads.ts";
import type { Listeners } from "./http/listeners.ts";
import { roleAtSocket, socketRule } from "./http/socket_peers.ts";
import { migrateFrom, MIGRATION_COMMANDS } from "./vm/migration/from_linked.ts";
import { releaseStartupMemory } from "../ffi/startup_memory.ts";
import { NO_SIMULATION, type SimulationOf } from "./libvirt/simulation.ts";
import { staleTargetError } from "./libvirt/stale_target_error.ts";
import { Mutex } from "../lib/mutex.ts";
import { forgetOperations } from "./operations/records.ts";
import { log } from "./log.ts";
import { Periodic } from "./periodic.ts";
import type { Settings } from "./settings.ts";
import { beat } from "./heartbeat.ts";
import { AppServices } from "./app/services.ts";

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

/** The application, put together and started in one place. */
export class Application extends AppServices {
  /** How the steps of operations are settled. */
  readonly stepRules = STEP_RULES;
  /** The one way to carry a command out. */
  readonly dispatch: Dispatch;
  /** The REST door. */
  readonly api: ApiHandler;
  /** Listeners of the pages; set once they are open. */
  doors: Listeners | undefined;
  readonly #hostStates: HostStates;
  readonly #features: readonly OpenFeature<CommandName, CommandName>[];
  readonly #handlers: Partial<Handlers>;
  readonly #periodic: Periodic;
  readonly #hostChanges = new Mutex();
  #startIsOver: (() => void) | undefined;
  #stopBeating: (() => void) | undefined;
  #isStopped = false;

  /** @param simulationOf returns the simulation that answers for a host that is not real */
  constructor(
    settings: Settings,
    clock: Clock = SYSTEM_CLOCK,
    readonly simulationOf: SimulationOf = NO_SIMULATION,
  ) {
    super(settings, clock);
    this.dispatch = this.#newDispatch();
    this.#features = FEATURES.map((each) => each.open(this));
    this.#handlers = handlersOf(this.#features);
    this.hosts.add(new LibvirtHost(this, { id: LOCAL_HOST, uri: settings.uri }));
    this.serveKeptHosts();
    this.#hostStates = this.#newHostStates();
    this.api = createApi({
      ...this.#hostStates,
      dispatch: this.dispatch,
      hub: this.hub,
      version: VERSION,
      vms: () => this.vms(),
    });
    this.#periodic = new Periodic(this.#features.flatMap(({ periodic = [] }) => periodic), clock);
  }

  #newDispatch(): Dispatch {
    return createDispatch({
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
  }

  /** States of hosts for the heads of answers. */
  #newHostStates(): HostStates {
    return {
      places: this.places,
      now: () => this.clock.now(),
      staleHosts: () =>
        this.managed.all().filter(({ isRead, status }) => isRead && !status.connected)
          .map(({ id, heardAt, status }) => ({ id, heardAt: heardAt ?? status.since })),
      missingHosts: () => this.managed.all().filter(({ isRead }) => !isRead).map(({ id }) => id),
    };
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

  /** Begins to serve the hosts that are kept and not served yet. */
  protected override serveKeptHosts(): void {
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
      this.serveKeptHosts();
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
    this.closeRecords();
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
