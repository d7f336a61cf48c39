/** Data that the terminal UI has from the server: read once, then kept up to date by its events. */
import { mayCall } from "../../lib/access/may_call.ts";
import { ALL_RIGHTS, NO_RIGHTS, type Rights, rightsTold, vmObject } from "../../lib/access/rights.ts";
import { ApiError } from "../../lib/client/api.ts";
import type {
  AnyEvent,
  CommandName,
  HostStatus,
  Job,
  SignedIn,
  VM,
  VmStats,
} from "../../lib/contract/mod.ts";
import { hostIdOf, type ListedHost, listedHosts } from "../../lib/host/listed.ts";
import { sortVms } from "../../lib/vm/list.ts";
import { isLive } from "../../lib/vm/state.ts";
import { messageOf } from "../../lib/text/message.ts";
import type { Server } from "../connect/server.ts";
import { EventReader, follow } from "../events.ts";
import type { Link } from "./link.ts";
import { tui } from "../../lib/i18n/en/tui.ts";
import { textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(tui);

/** Milliseconds after which a stream that tells nothing is asked about, and that the answer may take. */
const SILENCE_MS = 4000, ANSWER_MS = 3000;
/** … between two looks at that. */
export const REFRESH_MS = 2000;
/** … after which a stream without its heartbeat (15 s) is opened again, though the server answers. */
const DEAD_STREAM_MS = 40_000;
/** … before the first and the last of the tries to come back. */
const RETRY_MS = { first: 250, last: 2000 } as const;
/** Tasks that are shown. */
const JOBS = 200;

/** Kind of a change: one that is drawn at once, or figures, which can wait for a second. */
export type Redraw = "now" | "figures";

/** A reader that tells when anything came, if only a heartbeat. */
class HeardReader extends EventReader {
  constructor(private readonly heard: () => void) {
    super();
  }

  override read(piece: string): AnyEvent[] {
    this.heard();
    return super.read(piece);
  }
}

export class LiveData {
  link: Link = { state: "connecting" };
  /** Why there is no list of VMs; undefined while there is one, or none was asked for. */
  problem: ApiError | undefined;
  session: SignedIn | undefined;
  hosts: readonly HostStatus[] = [];
  isRead = false;
  #vms = new Map<string, VM>();
  #jobs = new Map<string, Job>();
  #stats = new Map<string, VmStats>();
  #sorted: readonly VM[] | undefined;
  #listed: readonly ListedHost[] = [];
  #rights: Rights = NO_RIGHTS;
  #heardAt = performance.now();
  #stream = new AbortController();
  #answeredAt = 0;
  #isAsking = false;
  #isStale = false;
  /** Events that came while the lists are read; undefined while they are not. */
  #held: AnyEvent[] | undefined;

  constructor(private readonly server: Server, private readonly changed: (change: Redraw) => void) {}

  /** In the order of their names. */
  get vms(): readonly VM[] {
    return this.#sorted ??= sortVms([...this.#vms.values()], { sort: "name", dir: "asc" });
  }

  vm(id: string): VM | undefined {
    return this.#vms.get(id);
  }

  stats(vm: VM): VmStats | undefined {
    return isLive(vm) ? this.#stats.get(vm.id) : undefined;
  }

  /** Jobs, the running ones first, then the newest. */
  get jobs(): readonly Job[] {
    const rank = ({ endedAt }: Job) => endedAt === null ? 0 : 1;
    return [...this.#jobs.values()].sort((a, b) => rank(a) - rank(b) || b.startedAt - a.startedAt);
  }

  job(id: string): Job | undefined {
    return this.#jobs.get(id);
  }

  /** Whether there are several hosts. */
  get hasHosts(): boolean {
    return this.#listed.length > 0;
  }

  /** Whether a command is offered: on a VM, or on anything where none is named. */
  may(command: CommandName, vm?: VM): boolean {
    if (vm === undefined) return mayCall(this.#rights, command);
    const hostId = hostIdOf(vm, this.#listed);
    return mayCall(this.#rights, command, vmObject(vm.id, { group: vm.group, hostId }));
  }

  /** Follows the server until the signal, coming back for as long as it takes. */
  async run(signal: AbortSignal): Promise<void> {
    const looking = setInterval(() => this.#look(), REFRESH_MS);
    try {
      const reader = new HeardReader(() => this.#heard());
      let wait: number = RETRY_MS.first;
      while (!signal.aborted) {
        this.#stream = new AbortController();
        const until = AbortSignal.any([signal, this.#stream.signal]);
        let reason = t("tui.link.ended");
        try {
          for await (const event of follow(this.server, until, reader)) {
            wait = RETRY_MS.first;
            if (event === "opened") this.#opened();
            else this.#take(event);
          }
        } catch (error) {
          if (signal.aborted) return;
          // Whatever it is, it is told: a server that is updated or whose rights were taken away may come back.
          if (!(error instanceof ApiError) && !until.aborted) throw error;
          reason = messageOf(error);
        }
        if (signal.aborted) return;
        if (this.link.state !== "broken" || this.link.reason !== reason) {
          const since = this.link.state === "broken" ? this.link.since : Date.now();
          this.#setLink({ state: "broken", since, reason });
        }
        await new Promise((resolve) => setTimeout(resolve, wait));
        wait = Math.min(RETRY_MS.last, wait * 2);
      }
    } finally {
      clearInterval(looking);
    }
  }

  /** Reads everything, again where it was read before; what is wrong is shown. */
  reload(): void {
    if (this.#held !== undefined) this.#isStale = true;
    else this.#begin();
  }

  /** Begins to read. What an earlier connection still waits for is no longer wanted. */
  #begin(): void {
    const held: AnyEvent[] = this.#held = [];
    this.#isStale = false;
    this.#read(held).catch((error) => {
      if (!(error instanceof ApiError)) throw error;
      if (this.#held === held) this.problem = error;
    }).finally(() => {
      if (this.#held !== held) return;
      this.#held = undefined;
      for (const event of held) this.#apply(event);
      this.changed("now");
      if (this.#isStale) this.#begin();
    });
  }

  /** @param held this reading's own: another one has begun where it is not the one that is held */
  async #read(held: readonly AnyEvent[]): Promise<void> {
    const [session, hosts] = await Promise.all([
      this.server.call("get_session", {}) as Promise<SignedIn>,
      this.server.call("list_hosts", {}) as Promise<HostStatus[]>,
    ]);
    if (this.#held !== held) return;
    this.session = session;
    this.#rights = rightsOf(session);
    this.#setHosts(hosts);
    const [vms, jobs] = await Promise.all([
      this.server.call("get_vms", {}) as Promise<VM[]>,
      this.server.call("list_jobs", { limit: JOBS }) as Promise<Job[]>,
    ]);
    if (this.#held !== held) return;
    this.#vms = new Map(vms.map((vm) => [vm.id, vm]));
    this.#stats = new Map(vms.flatMap((vm) => vm.stats === undefined ? [] : [[vm.id, vm.stats]]));
    this.#jobs = new Map(jobs.map((job) => [job.id, job]));
    this.#sorted = undefined;
    this.problem = undefined;
    this.isRead = true;
  }

  #opened(): void {
    this.#heard();
    this.#begin();
  }

  #setHosts(hosts: readonly HostStatus[]): void {
    this.hosts = hosts;
    this.#listed = listedHosts(hosts);
  }

  #setLink(link: Link): void {
    this.link = link;
    this.changed("now");
  }

  #heard(): void {
    this.#heardAt = performance.now();
    if (this.link.state !== "connected") this.#setLink({ state: "connected" });
  }

  /** Asks a server that tells nothing whether it is there. Never waits for it. */
  #look(): void {
    if (this.link.state !== "connected") this.changed("now"); // how long is shown
    const isRecent = performance.now() - Math.max(this.#heardAt, this.#answeredAt) < SILENCE_MS;
    if (isRecent || this.#isAsking || this.link.state === "broken") return;
    this.#isAsking = true;
    this.#ask().then((answers) => {
      const now = performance.now();
      if (answers) this.#answeredAt = now;
      if (!answers && now - this.#heardAt >= SILENCE_MS) {
        const since = Date.now() - (now - this.#heardAt);
        if (this.link.state !== "silent") this.#setLink({ state: "silent", since });
      } else if (answers && this.link.state === "silent") this.#setLink({ state: "connected" });
      if (answers && now - this.#heardAt > DEAD_STREAM_MS) this.#stream.abort();
    }).finally(() => this.#isAsking = false);
  }

  async #ask(): Promise<boolean> {
    try {
      const response = await this.server.request("/api/v1/session", {
        signal: AbortSignal.timeout(ANSWER_MS),
      });
      await response.body?.cancel();
      return true;
    } catch {
      return false; // what it was does not matter: it is asked again
    }
  }

  #take(event: AnyEvent): void {
    if (this.#held !== undefined) this.#held.push(event);
    else this.#apply(event);
  }

  #apply(event: AnyEvent): void {
    switch (event.name) {
      case "vm-created":
      case "vm-updated":
        this.#put(event.data.vm);
        return this.changed("now");
      case "vm-state-changed": {
        const vm = this.#vms.get(event.data.vmId);
        if (vm === undefined) return;
        this.#put({ ...vm, state: event.data.state });
        return this.changed("now");
      }
      case "vm-deleted":
        this.#vms.delete(event.data.vmId);
        this.#stats.delete(event.data.vmId);
        this.#sorted = undefined;
        return this.changed("now");
      case "vm-stats-updated":
        this.#stats.set(event.data.vmId, event.data.stats);
        return this.changed("figures");
      case "job-changed":
      case "job-progress":
        this.#jobs.set(event.data.job.id, event.data.job);
        return this.changed(event.name === "job-changed" ? "now" : "figures");
      case "host-stats-updated": {
        const { host, cpuUsagePercent, memoryUsedMb, memoryTotalMb, timestamp } = event.data;
        const load = { cpuUsagePercent, memoryUsedMb, memoryTotalMb, timestamp };
        this.#setHosts(this.hosts.map((each) => isMeant(each, host) ? { ...each, load } : each));
        return this.changed("figures");
      }
      case "connection-status-changed": {
        const { status: { connected, status, error, since }, host } = event.data;
        this.#setHosts(
          this.hosts.map((each) => isMeant(each, host) ? { ...each, status, error, since } : each),
        );
        if (connected) this.reload();
        return this.changed("now");
      }
      case "reload":
      case "hosts-changed":
        return this.reload();
    }
  }

  #put(vm: VM): void {
    this.#vms.set(vm.id, vm);
    if (vm.stats !== undefined) this.#stats.set(vm.id, vm.stats);
    this.#sorted = undefined;
  }
}

/** Whether an event is about a host; it names none for the local one. */
const isMeant = ({ id, isLocal }: HostStatus, host: string | undefined) =>
  host === undefined ? isLocal : host === id;

/** Rights of the session. A server of an earlier version reports only those that hold on everything. */
function rightsOf({ administrator, permissions, allowances }: SignedIn): Rights {
  if (administrator) return ALL_RIGHTS;
  return (allowances as typeof allowances | undefined) === undefined
    ? [[{ permissions: new Set(permissions), on: { kind: "everything" } }]]
    : rightsTold(allowances);
}
