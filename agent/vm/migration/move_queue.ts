/**
 * VMs that wait to move: as many at once leave a host, and come to one, as each is set to; the rest waits in order. What was not
 * begun when KVM Manager ends is taken up by the next run, in the name and with the rights that who asked has then.
 */
import { message, render, type Sentence, vmName } from "../../../lib/i18n/message.ts";
import { mayCall } from "../../../lib/access/may_call.ts";
import { ContractError, type Input, type Output } from "../../../lib/contract/mod.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { type Delegator, delegatorOf } from "../../access/delegation.ts";
import type { Principal } from "../../access.ts";
import type { Clock } from "../../clock.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { HostRegistry } from "../../hosts/registry.ts";
import type { LinkedHosts } from "../../hosts/linked/linked_hosts.ts";
import type { Jobs, OpenJob } from "../../jobs/jobs.ts";
import { log } from "../../log.ts";
import { t as tOperations } from "../../operations/outcome.ts";
import { JsonRows, jsonTable } from "../../store/json_rows.ts";
import type { Store } from "../../store/store.ts";
import { t } from "./findings.ts";

/** Milliseconds until a host is asked again that had as many VMs coming as it takes, or that is not there yet. */
const AGAIN_MS = 2000;

/** A move that waits, as it is kept. */
export interface WaitingMove {
  /** Of its task. */
  readonly id: string;
  /** Id of the host that the VM is on. */
  readonly host: string;
  readonly input: Input<"migrate_vm">;
  /** Name of the VM. */
  readonly name: string;
  readonly owner: Delegator;
  /** Milliseconds since 1970, and the place among those of the same time. */
  readonly at: number;
  readonly place: number;
}

export const MOVE_MIGRATIONS = [jsonTable("waiting_moves", "a move of a VM that has not begun")];

/** Carries a move out. @param jobs runs it as the task that it waited as */
export type CarryOutMove = (
  host: LibvirtHost,
  input: Input<"migrate_vm">,
  principal: Principal,
  jobs: Pick<Jobs, "run">,
) => Promise<Output<"migrate_vm">>;

/** Services for the queue of moves: the database, the clock, hosts and their limits, owners' present rights, and moves. */
export interface MoveWorld {
  readonly store: Store;
  readonly clock: Clock;
  readonly hosts: Pick<HostRegistry, "served">;
  readonly linked: Pick<LinkedHosts, "served">;
  /** How many VMs leave a host at once. */
  readonly limitOf: (hostId: string) => number;
  /** The user who asked, with the rights of this moment, or why there is none any more. @throws {ContractError} StoreUnavailable */
  readonly delegate: (by: Delegator, holder: string) => Principal | string;
  readonly carryOut: CarryOutMove;
}

/** One of them. */
interface Entry {
  readonly id: string;
  readonly host: LibvirtHost;
  readonly input: Input<"migrate_vm">;
  readonly name: string;
  readonly title: Sentence;
  /** Its stored row; undefined for moves by schedules and agents, which begin them again themselves. */
  readonly kept: WaitingMove | undefined;
  /** Whether an earlier run has left it: its hosts may not be there yet. */
  readonly isRestored: boolean;
  readonly order: readonly [at: number, place: number];
  start: (() => void) | undefined;
  tell: ((place: number, waitsFor: readonly Sentence[]) => void) | undefined;
  told: string;
}

/** A move that was taken in. */
export interface EnteredMove {
  readonly jobId: string;
  /** Whether it waits for its turn. */
  readonly waits: boolean;
  readonly result: Promise<Output<"migrate_vm">>;
}

const byOrder = ({ order: a }: Entry, { order: b }: Entry) => a[0] - b[0] || a[1] - b[1];

export class MoveQueue {
  readonly #rows: JsonRows<WaitingMove>;
  readonly #waiting = new Set<Entry>();
  readonly #running = new Set<Entry>();
  /** Hosts that take no more just now → until when, in monotonic milliseconds. */
  readonly #full = new Map<string, number>();
  #place = 0;
  #cancelLook: (() => void) | undefined;
  #isStopped = false;

  constructor(private readonly world: MoveWorld) {
    this.#rows = new JsonRows<WaitingMove>(world.store, "waiting_moves");
  }

  /** Moves a VM when it is its turn. @throws {ContractError} VmBusy where it waits already; JobCancelled; what the move throws */
  async run(
    host: LibvirtHost,
    input: Input<"migrate_vm">,
    principal: Principal,
  ): Promise<Output<"migrate_vm">> {
    return await this.enter(host, input, principal).result;
  }

  /** Takes a move in. @throws {ContractError} VmBusy, StoreUnavailable */
  enter(host: LibvirtHost, input: Input<"migrate_vm">, principal: Principal): EnteredMove {
    const { vmId, toHost } = input, { name } = host.requireVm(vmId);
    const id = crypto.randomUUID(), at = this.world.clock.now(), place = this.#place++;
    // What is left to be done later, and done again by who left it, is not kept here as well
    const kept = principal.door === "schedule" || principal.via === "agent"
      ? undefined
      : { id, host: host.id, input, name, at, place, owner: delegatorOf(principal) };
    const entry = this.#entry(host, { id, input, name, at, place }, kept, false);
    this.#requireAlone(vmId);
    if (kept !== undefined) this.#rows.put(kept);
    log.debug("a VM is to move", { vm: vmId, to: toHost });
    const result = this.#carry(entry, () => principal, principal.name);
    return { jobId: id, waits: this.#waiting.has(entry), result };
  }

  /** Whether a VM moves, or waits to. */
  has(vmId: string): boolean {
    return [...this.#waiting, ...this.#running].some(({ input }) => input.vmId === vmId);
  }

  /** Moves away from a host: those that run, and those that wait. */
  countOf(hostId: string): { readonly running: number; readonly waiting: number } {
    const of = (entries: ReadonlySet<Entry>) => [...entries].filter(({ host }) => host.id === hostId).length;
    return { running: of(this.#running), waiting: of(this.#waiting) };
  }

  /** Takes up what an earlier run has left on a host. */
  resume(host: LibvirtHost): void {
    for (const row of this.#rows.all()) {
      if (row.host !== host.id || this.has(row.input.vmId)) continue;
      const entry = this.#entry(host, row, row, true);
      const owner = () => {
        const found = this.world.delegate(row.owner, `move:${row.id}`);
        if (typeof found === "string") {
          throw new ContractError("VmNotMovable", { host: row.input.toHost, reason: found });
        }
        if (!mayCall(found.rights, "migrate_vm", { hostId: host.id, vmId: row.input.vmId })) {
          throw new ContractError("Forbidden", { role: "administrator" });
        }
        return found;
      };
      this.#carry(entry, owner, row.owner.name).then(
        () => this.#record(row, undefined),
        (error) => this.#record(row, error),
      );
    }
  }

  /** Another limit holds, or a host is there again. */
  look(): void {
    this.#cancelLook?.();
    this.#cancelLook = undefined;
    if (this.#isStopped) return;
    for (const entry of [...this.#waiting].sort(byOrder)) {
      if (!this.#mayStart(entry)) continue;
      this.#waiting.delete(entry);
      this.#running.add(entry);
      entry.start?.();
    }
    this.#tell();
    const isHeld = this.#full.size > 0 || [...this.#waiting].some(({ isRestored }) => isRestored);
    if (this.#waiting.size > 0 && isHeld) {
      this.#cancelLook = this.world.clock.after(AGAIN_MS, () => this.look());
    }
  }

  /** Begins nothing any more. What waits is taken up by the next run. */
  stop(): void {
    this.#isStopped = true;
    this.#cancelLook?.();
  }

  #entry(
    host: LibvirtHost,
    { id, input, name, at, place }: Pick<WaitingMove, "id" | "input" | "name" | "at" | "place">,
    kept: WaitingMove | undefined,
    isRestored: boolean,
  ): Entry {
    const label = this.world.linked.served(input.toHost)?.label ?? input.toHost;
    return {
      id,
      host,
      input,
      name,
      kept,
      isRestored,
      order: [at, place],
      title: message`Move ${vmName({ vmId: input.vmId, name })} to ${label}`,
      start: undefined,
      tell: undefined,
      told: "",
    };
  }

  #requireAlone(vmId: string): void {
    if (this.has(vmId)) throw new ContractError("VmBusy", { operation: t("migration.waits") });
  }

  async #carry(entry: Entry, owner: () => Principal, actor: string): Promise<Output<"migrate_vm">> {
    const { id, host, input, title } = entry;
    let job: OpenJob;
    this.#waiting.add(entry);
    try {
      job = await host.jobs.open({
        id,
        command: "migrate_vm",
        title,
        actor,
        vmId: input.vmId,
        ifInterrupted: tOperations("operations.later"),
        admit: ({ signal, tell }) => this.#admit(entry, signal, tell),
      });
    } catch (error) {
      this.#forget(entry);
      throw error;
    }
    for (;;) {
      try {
        const moved = await this.#move(entry, owner(), job);
        job.done();
        return moved;
      } catch (error) {
        const isFull = error instanceof ContractError && error.code === "MovesFull" && !job.signal.aborted;
        if (!isFull || this.#isStopped) throw job.failed(error);
        log.debug("a VM waits for its turn there", { vm: input.vmId, to: input.toHost });
        this.#full.set(input.toHost, this.world.clock.monotonic() + AGAIN_MS);
        if (entry.kept !== undefined) this.#rows.keep(entry.kept);
      } finally {
        this.#running.delete(entry);
        this.look();
      }
      this.#waiting.add(entry);
      await job.waitAgain().catch((error) => {
        this.#forget(entry);
        throw error;
      });
    }
  }

  /** Carries a move out. After a kill from here on, its operation settles it; it does not begin again by itself. */
  async #move({ id, host, input }: Entry, principal: Principal, job: OpenJob): Promise<Output<"migrate_vm">> {
    this.#rows.remove(id);
    job.signal.throwIfAborted();
    return await this.world.carryOut(host, input, principal, {
      run: (_spec, work) => {
        job.signal.throwIfAborted();
        return work(job);
      },
    });
  }

  /** Waits for a turn. @throws the reason of the signal */
  async #admit(entry: Entry, signal: AbortSignal, tell: Entry["tell"]): Promise<void> {
    const turn = Promise.withResolvers<void>();
    const cancel = () => {
      this.#forget(entry);
      this.look();
      turn.reject(signal.reason);
    };
    signal.addEventListener("abort", cancel, { once: true });
    Object.assign(entry, { start: turn.resolve, tell, told: "" });
    if (signal.aborted) cancel();
    this.look();
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener("abort", cancel);
      Object.assign(entry, { start: undefined, tell: undefined });
    }
  }

  #forget(entry: Entry): void {
    this.#waiting.delete(entry);
    this.#rows.remove(entry.id);
  }

  /** Titles of the tasks and reasons that the move waits for; empty where it is its turn. */
  #hindrances({ host, input: { toHost }, isRestored }: Entry): Sentence[] {
    const { world } = this, running = [...this.#running], limit = world.limitOf(host.id);
    const leaving = running.filter((each) => each.host === host);
    if (leaving.length >= limit) return leaving.map(({ title }) => title);
    const target = world.linked.served(toHost), label = target?.label ?? toHost;
    if ((this.#full.get(toHost) ?? -Infinity) > world.clock.monotonic()) {
      return [t("migration.full", { host: label })];
    }
    this.#full.delete(toHost);
    if (!isRestored) return [];
    if (!host.inventory.filled || !host.link.status.connected) {
      return [t("migration.not_there_yet", { host: host.label })];
    }
    // Of one that is linked no more the move tells so itself
    const isAway = target !== undefined && !target.status.connected;
    return isAway ? [t("migration.not_there_yet", { host: label })] : [];
  }

  #mayStart(entry: Entry): boolean {
    if (entry.start === undefined) return false;
    return this.#hindrances(entry).length === 0;
  }

  /** Tells each its place, where that has changed. */
  #tell(): void {
    const places = new Map<string, number>();
    for (const entry of [...this.#waiting].sort(byOrder)) {
      const place = (places.get(entry.host.id) ?? 0) + 1, waitsFor = this.#hindrances(entry);
      places.set(entry.host.id, place);
      const told = `${place} ${waitsFor.map((each) => render(each)).join()}`;
      if (told === entry.told) continue;
      entry.told = told;
      entry.tell?.(place, waitsFor);
    }
  }

  /** Of a move that an earlier run has left, its call and its answer are gone: the audit log has it all the same. */
  #record({ host: hostId, input, name, owner }: WaitingMove, error: unknown): void {
    this.world.hosts.served(hostId)?.record({
      actor: owner.name,
      door: "schedule",
      action: "migrate_vm",
      input,
      vmId: input.vmId,
      vmName: name,
      result: error === undefined ? "ok" : "error",
      ...(error !== undefined && {
        message: error instanceof ContractError ? error.sentence : messageOf(error),
      }),
    });
  }
}
