/**
 * A host with a KVM Manager of its own, which lets this one act: its lists are kept here by its events, and its commands are
 * carried out there. A link that is cut or hangs holds up calls of its own alone.
 */
import type { TSchema } from "typebox";
import {
  type CommandName,
  COMMANDS,
  type ConnectionStatus,
  type HostStats,
  type Job,
  type MaintenanceSummary,
  type VM,
} from "../../../lib/contract/mod.ts";
import { type EventName, EVENTS } from "../../../lib/contract/events.ts";
import { maintenanceSummary } from "../../../lib/host/maintenance_summary.ts";
import { shiftMoments } from "../../../lib/host/host_moments.ts";
import { LinkClock } from "../../../lib/host/link_clock.ts";
import { CLOCK_HEADER } from "../../../lib/host/link_protocol.ts";
import { LOCAL_HOST } from "../../../lib/contract/local_host.ts";
import { parseJson } from "../../../lib/text/json.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { readAs } from "../../../lib/typebox/tolerant.ts";
import type { Principal } from "../../access.ts";
import type { Clock } from "../../clock.ts";
import type { CallContext, Route } from "../../dispatch.ts";
import type { EventHub, Published } from "../../events/hub.ts";
import { Rate } from "../../limits.ts";
import { log } from "../../log.ts";
import { pause, within } from "../../within.ts";
import type { ManagedHost } from "../managed_host.ts";
import type { Membership } from "../projects.ts";
import type { StoredHost } from "../records.ts";
import { readBounded } from "./bounded.ts";
import { type EventFrame, eventFrames } from "./event_lines.ts";
import type { LinkIdentity } from "./identity.ts";
import { connectionFault, PeerConnection } from "./peer_connection.ts";
import { NonsenseError } from "./remote_call.ts";
import { HostCache } from "./host_cache.ts";
import type { VmOwners } from "./vm_owners.ts";
import { CommandForwarder, READ_MS, type TellLimits } from "./command_forwarder.ts";

/** Milliseconds without a sign of life after which a link is given up: the other side gives one every 15 s. */
const SILENT_MS = 35_000;
/** Milliseconds between attempts to connect: the first, and at most. */
const RETRY_MS = 1000, LONGEST_RETRY_MS = 30_000;
/** Milliseconds of a link after which a cut is no fault that comes again at once. */
const STEADY_MS = 10_000;
/** Milliseconds between two readings of its lists, however often it says that they are others. */
const READ_AGAIN_MS = 2000;
/** Events of a host that are handed on in a second, and at once; of more, pages are told to read again. */
const EVENT_RATE = { perSecond: 200, burst: 4000 };
/** Milliseconds the first calls after the start wait for a link. */
const SETTLE_MS = 3000;
/** Milliseconds an answer waits until what it changed was told by an event. */
const CATCH_UP_MS = 1000;
/** Milliseconds between looks whether figures are wanted, and between those of the host's load without a stream of figures. */
const FIGURES_MS = 2000, LOAD_MS = 30_000;
/** Bytes of a list while a host is read. */
const MOST_LIST = 32 * 1024 * 1024;

/** Services of the application that a linked host needs. */
export interface LinkedServices {
  readonly hub: EventHub;
  readonly clock: Clock;
  readonly identity: LinkIdentity;
  /** Whether a VM's id is another host's than this one. */
  readonly isTaken: (vmId: string, hostId: string) => boolean;
  readonly owners: VmOwners;
  /** Project and end date of a VM. */
  readonly membershipOf: (vmId: string) => Membership;
  /** The limits of tools that hold for who calls. @param vmIds of the VMs that are on the host */
  readonly limitsOf: TellLimits;
  /**
   * This KVM Manager's own part of a command that is carried out there; undefined if the call is forwarded as
   * it is.
   */
  readonly ownPart: (command: CommandName, host: LinkedHost) => Route["handler"] | undefined;
  /** Another key has taken the place of that by which a host is known. */
  readonly keyRenewed: (hostId: string, publicKey: string) => void;
}

/** A host that is linked, as it is kept. */
export interface StoredLink extends StoredHost {
  readonly peerKey: string;
}

export const isLink = (host: StoredHost): host is StoredLink => host.peerKey !== undefined;

const isOfFigures = ({ name }: EventFrame): boolean =>
  Object.hasOwn(EVENTS, name) && !EVENTS[name as EventName].kept;

export class LinkedHost implements ManagedHost {
  readonly id: string;
  readonly isLinked = true;
  label: string;
  /** `https://kvm2:8006`. */
  readonly address: string;
  readonly peer: PeerConnection;
  /** Host name, version and role as its KVM Manager has them; undefined until it has answered. */
  about: { readonly hostname: string; readonly version: string; readonly role: string } | undefined;
  readonly #cache: HostCache;
  readonly #forwarder: CommandForwarder;
  readonly #services: LinkedServices;
  readonly #stopping = new AbortController();
  /** Resolved once the first attempt has succeeded or failed. */
  readonly #attempted = Promise.withResolvers<void>();
  /** Aborted when the link that is up breaks; undefined while none is. */
  #up: AbortController | undefined;
  readonly #linkClock = new LinkClock();
  /** Of that host, as its KVM Manager tells it; undefined while it is in none, or says nothing of it. */
  maintenance: MaintenanceSummary | undefined;
  /** When the certificate of its KVM Manager ends, in milliseconds since 1970; undefined until it has shown it. */
  certificateEndsAt: number | undefined;
  /** Its clock differs by something else than when its lists were read. */
  #isClockSet = false;
  #heardAt: number | undefined;
  #isRead = false;
  #readAt = -Infinity;
  readonly #rate: Rate;
  #error: string | null = null;
  /** When the link came up, or broke, in milliseconds since 1970. */
  #since: number;
  #lastEventId = "";
  #caughtUp = Promise.withResolvers<void>();
  #running: Promise<void> | undefined;

  constructor(services: LinkedServices, { id, label, uri, peerKey }: StoredLink) {
    this.#services = services;
    this.#rate = new Rate(EVENT_RATE, services.clock);
    this.#since = services.clock.now();
    this.id = id;
    this.label = label;
    this.address = uri;
    const renewed = (publicKey: string) => services.keyRenewed(id, publicKey);
    const answered = (headers: Headers, took: number) => this.#readClock(headers, took);
    const certified = (endsAt: number) => this.#readCertificate(endsAt);
    this.peer = new PeerConnection(
      { address: uri, publicKey: peerKey, renewed, answered, certified },
      services.identity,
      services.clock,
    );
    this.#cache = new HostCache({
      hostId: id,
      hostname: () => this.about?.hostname,
      isTaken: (vmId) => services.isTaken(vmId, id),
      membershipOf: services.membershipOf,
      owners: services.owners,
      toHere: (schema, value) => this.#toHere(schema, value),
      now: () => services.clock.now(),
    });
    this.#forwarder = new CommandForwarder({
      host: this,
      up: () => this.#up?.signal,
      fault: () => this.#error,
      staleVm: (vmId) => this.#cache.stale(vmId),
      caughtUpWith: (eventId) => this.#caughtUpWith(eventId),
      membershipOf: services.membershipOf,
      limitsOf: services.limitsOf,
    });
  }

  /** Connects, and goes on trying. */
  start(): void {
    setTimeout(this.#attempted.resolve, SETTLE_MS);
    this.#running = Promise.all([this.#follow(), this.#followFigures()]).then(() => {});
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#up?.abort();
    this.peer.close();
    this.#attempted.resolve();
    await this.#running;
  }

  /** All that is settled of it is settled there. */
  retire(): Promise<void> {
    return this.stop();
  }

  adopt({ label }: Pick<StoredHost, "label">): Promise<void> {
    this.label = label;
    return Promise.resolve();
  }

  /** Milliseconds that its clock is ahead of the one here; 0 where both tell the same time. All it tells is by the one here. */
  get clockAheadMs(): number {
    return this.#linkClock.aheadMs;
  }

  /** When it told something last, in milliseconds since 1970; undefined where it never did. */
  get heardAt(): number | undefined {
    return this.#heardAt;
  }

  /** Whether it was read since the start. */
  get isRead(): boolean {
    return this.#isRead;
  }

  get shownName(): string {
    return this.label;
  }

  /** The connection to its libvirt; while its KVM Manager is away, why. */
  get status(): ConnectionStatus {
    const uri = this.address, since = this.#since;
    if (this.#up !== undefined) {
      const { connected, status, error, since: at } = this.#cache.libvirt ??
        { connected: true, status: "connected", error: null, since };
      return { connected, status, error, since: at, uri };
    }
    const status = this.#error === null ? "connecting" : "disconnected";
    const error = this.#error && `KVM Manager there cannot be reached: ${this.#error}.`;
    return { connected: false, status, error, since, uri };
  }

  get stats(): HostStats | undefined {
    return this.#cache.stats;
  }

  vms(): readonly VM[] {
    return this.#cache.vms();
  }

  /** VMs of it that this version does not understand. */
  get unknownVms(): number {
    return this.#cache.unknownVms;
  }

  foreignVms(): readonly VM[] {
    return this.#cache.foreign();
  }

  vm(vmId: string): VM | undefined {
    return this.#cache.vm(vmId);
  }

  /** The project or the end date of a VM is another one. */
  reshow(vmId: string): void {
    this.#services.hub.publishAll(this.#cache.reshow(vmId));
  }

  jobs(): readonly Job[] {
    return this.#cache.jobs();
  }

  job(jobId: string): Job | undefined {
    return this.#cache.job(jobId);
  }

  /** It carries out every command: those that it does not have, its KVM Manager refuses. */
  handler(command: CommandName): Route["handler"] {
    return this.#services.ownPart(command, this) ??
      ((input, context) => this.run(command, input, context));
  }

  /** Waits, a bounded time, for the first attempt to connect. */
  settled(): Promise<void> {
    return this.#attempted.promise;
  }

  /** Has a command carried out there; see {@link CommandForwarder}. */
  run(command: CommandName, input: unknown, context: CallContext): Promise<unknown> {
    return this.#forwarder.run(command, input, context);
  }

  /** Tells for whom a request is. @throws {ContractError} LinkRefused where that is too long */
  callerHeaders(principal: Principal): Readonly<Record<string, string>> {
    return this.#forwarder.callerHeaders(principal);
  }

  /** Its value with times by the clock here. */
  #toHere<T>(schema: TSchema, value: T): T {
    return shiftMoments(schema, value, -this.clockAheadMs);
  }

  /** Compares its clock with the one here. One of an earlier version tells whole seconds. */
  #readClock(headers: Headers, took: number): void {
    this.#heardAt = this.#services.clock.now();
    const exact = headers.get(CLOCK_HEADER), date = headers.get("date");
    if (exact === null && date === null) return;
    const theirs = exact === null ? Date.parse(date!) + 500 : Number(exact);
    const { clock } = this.#services;
    const reading = { theirs, took, here: clock.now(), at: performance.now() };
    if (!this.#linkClock.take({ ...reading, resolution: exact === null ? 1000 : 1 })) return;
    this.#isClockSet = true;
    log.info("the clock of a linked host differs", { host: this.id, aheadMs: this.clockAheadMs });
  }

  /** The link goes on whatever certificate it is: its key has signed it. Browsers go by its end. */
  #readCertificate(endsAt: number): void {
    if (this.certificateEndsAt === endsAt) return;
    const { clock, hub } = this.#services, isRenewed = this.certificateEndsAt !== undefined;
    this.certificateEndsAt = endsAt;
    if (endsAt <= clock.now()) {
      const ended = new Date(endsAt).toISOString();
      log.warn("the certificate of a linked host has expired: the link goes on", { host: this.id, ended });
    }
    if (isRenewed) hub.publish("hosts-changed", {});
  }

  /** Waits, a bounded time, until the events have told all that was before an id. */
  async #caughtUpWith(eventId: string): Promise<void> {
    const [run, text] = eventId.split("-"), deadline = performance.now() + CATCH_UP_MS;
    const isBehind = () => {
      const [lastRun, last] = this.#lastEventId.split("-");
      return lastRun === run && Number(last) < Number(text);
    };
    while (isBehind() && performance.now() < deadline) {
      await within(CATCH_UP_MS, this.#caughtUp.promise);
    }
  }

  async #follow(): Promise<void> {
    let wait = RETRY_MS / 2;
    while (!this.#stopping.signal.aborted) {
      const began = performance.now();
      try {
        await this.#followOnce();
        this.#lost(new Error("the other side has ended the connection"));
      } catch (error) {
        this.#lost(error);
      }
      wait = performance.now() - began > STEADY_MS ? RETRY_MS : Math.min(wait * 2, LONGEST_RETRY_MS);
      await pause(wait, this.#stopping.signal);
    }
  }

  async #followOnce(): Promise<void> {
    const up = new AbortController();
    const dead = () => up.abort(new Error("it gives no sign of life"));
    let timer = setTimeout(dead, SILENT_MS);
    try {
      const { hostname, version, role } = await this.peer.open();
      this.about = { hostname: oneLine(hostname, 64), version, role };
      const stream = await this.#stream("off", up.signal);
      await this.#read(up.signal);
      this.#up = up;
      this.#attempted.resolve();
      this.#tell(null);
      for await (const frames of eventFrames(stream)) {
        clearTimeout(timer);
        timer = setTimeout(dead, SILENT_MS);
        this.#heardAt = this.#services.clock.now();
        const isOld = this.#isClockSet || this.#cache.isBehind;
        if (isOld || frames.some(({ name }) => name === "reload" || name === "hosts-changed")) {
          await pause(Math.max(0, this.#readAt + READ_AGAIN_MS - performance.now()), this.#stopping.signal);
          await this.#read(up.signal);
        }
        const events = this.#bounded(this.#cache.take(frames));
        const id = frames.findLast((frame) => frame.id !== undefined)?.id;
        if (id !== undefined) this.#lastEventId = id;
        this.#services.hub.publishAll(events);
        this.#caughtUp.resolve();
        this.#caughtUp = Promise.withResolvers();
      }
      up.signal.throwIfAborted();
    } catch (error) {
      throw up.signal.aborted ? up.signal.reason : error;
    } finally {
      clearTimeout(timer);
      // What is under way is not answered any more
      up.abort(new Error("the link was cut"));
    }
  }

  /** Events to hand on; of a flood, one that has everything read again, so that those of other hosts are not pushed out. */
  #bounded(events: readonly Published[]): readonly Published[] {
    if (events.every(() => this.#rate.take(this.id))) return events;
    return [["hosts-changed", {}]];
  }

  async #stream(figures: "off" | "only", signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    const response = await this.peer.request(`/api/v1/events?figures=${figures}`, {
      headers: { accept: "text/event-stream" },
      signal: AbortSignal.any([signal, this.#stopping.signal]),
    });
    if (response.ok && response.body !== null) return response.body;
    throw new NonsenseError(`it gives no events (HTTP ${response.status})`);
  }

  /** Reads its VMs, tasks and libvirt's state. */
  async #read(signal: AbortSignal): Promise<void> {
    this.#readAt = performance.now();
    this.#isClockSet = false;
    // One after the other: each may be large
    const vms = await this.#ask("get_vms", { host: LOCAL_HOST }, signal);
    const jobs = await this.#ask("list_jobs", { limit: 200 }, signal);
    const libvirt = await this.#ask("get_connection_status", {}, signal);
    await this.#readLoad(signal);
    await this.#readMaintenance(signal);
    const status = readAs(COMMANDS.get_connection_status.output, libvirt);
    if (!this.#cache.fill(vms, jobs) || status === undefined) {
      throw new NonsenseError("its lists are not as the contract of this version says");
    }
    this.#cache.setLibvirt(this.#toHere(COMMANDS.get_connection_status.output, status));
    this.#isRead = true;
  }

  /** Its load is shown in lists, and may be missing: the link may not be allowed to see it. */
  async #readLoad(signal: AbortSignal): Promise<void> {
    try {
      const stats = await this.#ask("get_host_stats", {}, signal);
      const known = readAs(COMMANDS.get_host_stats.output, stats);
      if (known !== undefined) this.#cache.stats = this.#toHere(COMMANDS.get_host_stats.output, known);
    } catch (error) {
      if (signal.aborted) throw error;
      log.debug("the load of a linked host cannot be read", { host: this.id, error });
    }
  }

  /** A KVM Manager of an earlier version knows no maintenance. */
  async #readMaintenance(signal: AbortSignal): Promise<void> {
    try {
      const answer = await this.#ask("get_maintenance", {}, signal);
      const { output } = COMMANDS.get_maintenance, known = readAs(output, answer);
      this.maintenance = known && maintenanceSummary(this.#toHere(output, known));
    } catch (error) {
      if (signal.aborted) throw error;
      this.maintenance = undefined;
      log.debug("whether a linked host is in maintenance cannot be read", { host: this.id, error });
    }
  }

  /** Asks as this KVM Manager itself. */
  async #ask(command: CommandName, input: unknown, signal: AbortSignal): Promise<unknown> {
    const response = await this.peer.request(`/api/v1/commands/${command}`, {
      method: "POST",
      repeatable: COMMANDS[command].readOnly,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(input),
      signal: AbortSignal.any([signal, AbortSignal.timeout(READ_MS)]),
    });
    const text = await readBounded(response, MOST_LIST, signal);
    if (response.ok) return parseJson(text);
    throw new NonsenseError(`it answers ${command} with HTTP ${response.status}`);
  }

  #lost(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    const wasUp = this.#up !== undefined, reason = connectionFault(error);
    this.#up = undefined;
    this.#attempted.resolve();
    if (!wasUp && this.#error === reason) return;
    log.warn("a linked host is away", { host: this.id, reason });
    this.#tell(reason);
  }

  /** Tells that the link has come up, or broken. @param error why it broke */
  #tell(error: string | null): void {
    const { clock, hub } = this.#services;
    this.#error = error;
    this.#since = clock.now();
    hub.publishAll([
      ["connection-status-changed", { status: this.status, host: this.id }],
      ["hosts-changed", {}],
    ]);
  }

  /** Has figures sent while somebody looks here; between that, the load is read now and then. */
  async #followFigures(): Promise<void> {
    let loadAt = performance.now();
    while (!this.#stopping.signal.aborted) {
      const up = this.#up;
      try {
        if (up !== undefined && this.#services.hub.listeners > 0) await this.#figures(up.signal);
        else if (up !== undefined && performance.now() - loadAt > LOAD_MS) {
          loadAt = performance.now();
          await this.#readLoad(up.signal);
        }
      } catch (error) {
        log.debug("figures of a linked host stopped", { host: this.id, error });
      }
      await pause(FIGURES_MS, this.#stopping.signal);
    }
  }

  async #figures(signal: AbortSignal): Promise<void> {
    const ended = new AbortController(), { hub } = this.#services;
    const timer = setInterval(() => hub.listeners === 0 && ended.abort(), FIGURES_MS);
    try {
      const stream = await this.#stream("only", AbortSignal.any([signal, ended.signal]));
      for await (const frames of eventFrames(stream)) {
        // What is kept comes by the other stream, which is bounded
        hub.publishAll(this.#cache.take(frames.filter(isOfFigures)));
      }
    } finally {
      clearInterval(timer);
    }
  }
}
