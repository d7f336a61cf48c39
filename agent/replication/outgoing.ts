/** VMs of this host that are replicated to others: increments when they are due, and the planned switch-over. */
import { ContractError, detailOf, type Output, type ReplicationRun } from "../../lib/contract/mod.ts";
import type { HeldReplica } from "../../lib/host/replication_protocol.ts";
import { message, renderPlain, type Unrendered, vmName } from "../../lib/i18n/message.ts";
import { messageOf } from "../../lib/text/message.ts";
import type { Principal } from "../access.ts";
import type { Delegator } from "../access/delegation.ts";
import type { Clock } from "../clock.ts";
import { isBeingCopied } from "../backups/running_copy.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { LinkedHost } from "../hosts/linked/linked_host.ts";
import type { LinkedHosts } from "../hosts/linked/linked_hosts.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { isOff } from "../vm/lifecycle/undefine.ts";
import { ConversationCut, ReplicationConversation } from "./conversation.ts";
import { offMarkOf, replicate, type SentIncrement } from "./increment.ts";
import { hasRoom, type UnderWay } from "./places.ts";
import type { ReplicationRecords, StoredReplication } from "./records.ts";
import { type ReplicationJob, requireOpen, requireRunnable, shutDown, startAgain } from "./switch_over.ts";

/** Milliseconds between questions whether a switch-over took place. */
const UNDECIDED_MS = 15_000;
/** Milliseconds without progress after which a VM that was shut down for a switch-over is not kept waiting any longer. */
const OFF_STILL_MS = 30 * 60_000;
/** Services for outgoing replications: hosts, records, the clock, the state folder, and their owners' present rights. */
export interface OutgoingServices {
  readonly host: () => LibvirtHost;
  readonly linked: Pick<LinkedHosts, "served">;
  readonly records: ReplicationRecords;
  readonly clock: Clock;
  readonly stateDir: string;
  /**
   * The principal who saved it, with the rights of now, or the reason why there is none any more. @throws
   * {ContractError} StoreUnavailable
   */
  readonly principalOf: (owner: Delegator, id: string) => Principal | string;
}

interface Running extends UnderWay {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** For work that no task shows. */
const QUIET: ReplicationJob = {
  signal: new AbortController().signal,
  log: (text) => log.debug("replication", { text: String(text) }),
  progress: () => {},
};

/** Whether the VM here is not to be started: it was made of the replica, or that is not known. */
export const isGivenAway = ({ lost }: Pick<StoredReplication, "lost">): boolean => lost !== undefined;

export class OutgoingReplications {
  readonly #running = new Map<string, Running>();

  constructor(private readonly services: OutgoingServices) {}

  isRunning(id: string): boolean {
    return this.#running.has(id);
  }

  /** When the next increment begins; null where none does. The VM is nowhere while a switch-over is undecided: that is asked soon. */
  nextOf({ lastRun, everySeconds, createdAt, isPaused, lost }: StoredReplication): number | null {
    const isUndecided = lost?.isUndecided === true;
    if (!isUndecided && (isPaused || lost !== undefined)) return null;
    const pause = isUndecided ? Math.min(UNDECIDED_MS, everySeconds * 1000) : everySeconds * 1000;
    return lastRun === null ? createdAt : lastRun.startedAt + pause;
  }

  /** Begins an increment now, where none is under way. What it fails with is in its last run. */
  soon(id: string): void {
    if (this.#running.has(id)) return;
    void this.run(id).catch((error) => log.debug("an increment failed", { replication: id, error }));
  }

  /** Begins the runs that are due. */
  tick(): void {
    const { records, clock, host } = this.services;
    if (!host().inventory.filled) return;
    for (const replication of records.outgoing.all()) {
      if (!this.#hasRoom(replication)) continue;
      const next = this.nextOf(replication);
      // A clock that was set back must not hold it up
      const isDue = next !== null &&
        (next <= clock.now() || next > clock.now() + replication.everySeconds * 1000);
      if (!isDue || this.#running.has(replication.id)) continue;
      // A backup of it runs: others go first
      if (isBeingCopied(host(), replication.vmId)) continue;
      this.soon(replication.id);
    }
  }

  /** Whether another increment begins by itself now. */
  #hasRoom({ toHost }: StoredReplication): boolean {
    const { inventory } = this.services.host();
    const responding = [...this.#running.values()].filter(({ vmId }) =>
      inventory.vm(vmId)?.notResponding === undefined
    );
    return hasRoom(responding, toHost, this.services.clock.monotonic());
  }

  /** Ends what runs, and waits for it. */
  async stop(): Promise<void> {
    for (const { abort } of this.#running.values()) abort.abort(new ContractError("JobCancelled"));
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  /** Ends the increment of a replication that is to go. */
  async end(id: string): Promise<void> {
    const running = this.#running.get(id);
    running?.abort.abort(new ContractError("JobCancelled"));
    await running?.ended;
  }

  /** @throws {ContractError} ReplicationNotFound */
  find(replicationId: string): StoredReplication {
    const found = this.services.records.outgoing.require().get(replicationId);
    if (found === undefined) throw new ContractError("ReplicationNotFound", { replicationId });
    return found;
  }

  /** The linked host of a replication. @throws {ContractError} HostNotFound */
  linkedTo({ toHost }: Pick<StoredReplication, "toHost">): LinkedHost {
    const found = this.services.linked.served(toHost);
    if (found === undefined) throw new ContractError("HostNotFound", { host: toHost });
    return found;
  }

  /** The principal that it runs as. @throws {ContractError} ReplicationOwnerLost */
  #principal({ owner, id }: StoredReplication): Principal {
    const found = this.services.principalOf(owner, id);
    if (typeof found === "string") {
      throw new ContractError("ReplicationOwnerLost", { name: owner.name, reason: found });
    }
    return found;
  }

  /** Works on a replication alone. @throws {ContractError} ReplicationBusy */
  async #alone<T>(
    { id, vmId, vmName: name, toHost }: StoredReplication,
    job: Partial<ReplicationJob>,
    work: (job: ReplicationJob) => Promise<T>,
  ): Promise<T> {
    if (this.#running.has(id)) throw new ContractError("ReplicationBusy", { name, what: "being replicated" });
    const abort = new AbortController(), ended = Promise.withResolvers<void>();
    const { clock } = this.services;
    const running: Running = { toHost, vmId, abort, ended: ended.promise, movedAt: clock.monotonic() };
    this.#running.set(id, running);
    const signal = job.signal === undefined ? abort.signal : AbortSignal.any([abort.signal, job.signal]);
    try {
      return await work({
        signal,
        log: job.log ??
          ((text) => log.debug("replication", { replication: id, text: String(renderPlain(text)) })),
        progress: (done, total) => {
          running.movedAt = clock.monotonic();
          job.progress?.(done, total);
        },
      });
    } finally {
      this.#running.delete(id);
      ended.resolve();
    }
  }

  /** Takes an increment. @throws {ContractError} why it failed, which is kept, too */
  async run(replicationId: string, job: Partial<ReplicationJob> = {}): Promise<Unrendered<ReplicationRun>> {
    const replication = this.find(replicationId), wasUndecided = replication.lost?.isUndecided === true;
    return await this.#alone(replication, job, async (handle) => {
      const principal = this.#principal(replication);
      return await this.#talking(replication, principal, handle, async (talk, held) => {
        // It was asked only what became of a switch-over
        if (wasUndecided && replication.isPaused) return;
        await this.#take(replication, { talk, held, principal, job: handle });
      });
    });
  }

  /** @throws {ContractError} VmNotOwner where the VM was switched over to another host than this replication's, or may have been */
  requireOwned({ id, vmId }: Pick<StoredReplication, "id" | "vmId">): void {
    const lost = this.services.records.lostOf(vmId);
    if (lost !== undefined && lost.id !== id) throw new ContractError("VmNotOwner", { host: lost.toHost });
  }

  /** Notes a run, and what came of it. */
  async #talking(
    { id }: StoredReplication,
    principal: Principal,
    job: ReplicationJob,
    work: (talk: ReplicationConversation, held: HeldReplica) => Promise<void>,
  ): Promise<Unrendered<ReplicationRun>> {
    const { records, clock } = this.services, startedAt = clock.now(), before = this.find(id).lastRun;
    const run = {
      startedAt,
      endedAt: null,
      state: "running",
      message: null,
      changedBytes: 0,
      sentBytes: 0,
    } as const;
    records.outgoing.change(id, { lastRun: run });
    const done = (change: Partial<Unrendered<ReplicationRun>>) => {
      const last = records.outgoing.get(id)?.lastRun ?? run;
      const ended = { ...last, state: "done" as const, ...change, endedAt: clock.now() };
      const changed = records.outgoing.change(id, { lastRun: ended });
      if (changed !== undefined && before?.state !== ended.state) this.#tell(changed, principal);
      return ended;
    };
    try {
      const replication = this.find(id);
      this.requireOwned(replication);
      using talk = await ReplicationConversation.begin(this.linkedTo(replication), principal);
      talk.endWith(job.signal);
      const { vmId } = replication, vm = this.services.host().inventory.vm(vmId);
      const name = vm?.name ?? replication.vmName;
      const held = await talk.ask({ do: "open", replicaId: id, vmId, name });
      await this.#look(replication, held);
      await work(talk, held);
      return done({});
    } catch (error) {
      const reason = job.signal.aborted ? job.signal.reason : error;
      const known = contractError(reason, "ReplicationFailed", "replicate_now");
      const text = known instanceof ContractError ? known.sentence : messageOf(known);
      done({ state: "failed", message: text });
      throw known;
    }
  }

  /** Says in the activity that replication does not work any more, or works again. */
  #tell({ vmId, vmName: name, lastRun, toHost }: StoredReplication, { name: actor }: Principal): void {
    if (lastRun === null) return;
    const isBad = lastRun.state === "failed";
    this.services.host().record({
      actor,
      door: "agent",
      action: isBad ? "replication-failed" : "vm-replicated",
      result: isBad ? "error" : "event",
      vmId,
      vmName: name,
      message: isBad ? lastRun.message! : `To ${toHost}`,
    });
  }

  /** Learns of a switch-over that took place there. @throws {ContractError} ReplicaPromoted, ReplicationNotPossible */
  async #look(replication: StoredReplication, { state, promotedAt }: HeldReplica): Promise<void> {
    const { records } = this.services, { id, toHost, vmName: name } = replication;
    if (state === "promoted") {
      await this.#giveAway(replication, promotedAt ?? this.services.clock.now());
      throw new ContractError("ReplicaPromoted", { host: toHost });
    }
    if (state === "old" && replication.takeOld) return;
    if (state === "old") {
      throw new ContractError("ReplicationNotPossible", {
        reason:
          message`${toHost} has ${name} as it was before the switch-over. Create the replication with takeOld: its disks become the replica, and it goes into the bin there`,
      });
    }
    if (state === "other") {
      throw new ContractError("ReplicationNotPossible", {
        reason:
          message`${toHost} has a VM with its id, which is not a replica. Delete one of them, or move it away`,
      });
    }
    // The switch-over that was not known of did not take place
    if (replication.lost?.isUndecided !== true) return;
    records.outgoing.change(id, { lost: undefined });
    if (replication.lost.wasRunning) await this.#startAgain(replication, this.#principal(replication), QUIET);
  }

  /** Says in the activity that only a person can decide where a VM is, and how. */
  #tellUndecided({ vmId, vmName: name, toHost }: StoredReplication): void {
    this.services.host().record({
      actor: "kvm-manager",
      door: "agent",
      action: "replication-failed",
      result: "error",
      vmId,
      vmName: name,
      message:
        `Whether it was started on ${toHost} is not known: that host did not answer in the last moment. It is asked every ` +
        "15 seconds, and where it has not the VM, this one is started again. Where it does not answer any more, make sure " +
        "that the VM does not run there, and end the replication with the VM here as the owner " +
        "(kvm-manager replication delete --reclaim).",
    });
  }

  /** The VM here is no longer the owner: nothing of ours starts it. */
  async #giveAway(replication: StoredReplication, at: number): Promise<void> {
    const { records } = this.services, host = this.services.host(), { id, vmId, vmName: name } = replication;
    const known = records.outgoing.get(id)?.lost;
    if (known === undefined || known.isUndecided) {
      records.outgoing.change(id, { lost: { at } });
      const domain = await host.link.call("domainRead", { uuid: vmId });
      const runs = domain !== null && !isOff(domain);
      host.record({
        actor: "kvm-manager",
        door: "agent",
        action: "vm-switched-over",
        result: runs ? "error" : "event",
        vmId,
        vmName: name,
        message: runs
          ? `It was started from its replica on ${replication.toHost}, and runs here, too. Shut one of them down now.`
          : `It was started from its replica on ${replication.toHost}. The VM here is not started any more.`,
      });
    }
    if (host.inventory.vm(vmId)?.autostart === true) {
      await host.link.call("domainSetAutostart", { uuid: vmId, autostart: false });
      await host.inventory.refresh(vmId);
    }
  }

  /** One increment, and what is known then. */
  async #take(
    replication: StoredReplication,
    { talk, held, principal, job, isHeld = false }: {
      readonly talk: ReplicationConversation;
      readonly held: HeldReplica;
      readonly principal: Principal;
      readonly job: ReplicationJob;
      readonly isHeld?: boolean;
    },
  ): Promise<{ readonly copyId: string; readonly takenAt: number }> {
    const { records, clock, stateDir } = this.services, host = this.services.host(), { id } = replication;
    const vm = host.requireVm(replication.vmId);
    const known = records.outgoing.get(id)!;
    const isLive = host.inventory.active().includes(vm.id);
    if (
      !isLive && held.copyId !== null && known.finished?.copyId === held.copyId && known.offMark !== undefined
    ) {
      const takenAt = clock.now();
      if (await offMarkOf(host, vm, known) === known.offMark) {
        await talk.ask({ do: "unchanged", copyId: held.copyId, takenAt });
        records.outgoing.change(id, { finished: { copyId: held.copyId, takenAt } });
        return { copyId: held.copyId, takenAt };
      }
    }
    const increment: SentIncrement = await replicate({
      host,
      replication: known,
      talk,
      held,
      job,
      actor: principal.name,
      clock,
      stateDir,
      isHeld,
      asksQemu: (isAsked) => {
        const running = this.#running.get(id);
        if (running !== undefined) running.beganAt = isAsked ? clock.monotonic() : undefined;
      },
    });
    const { copyId, takenAt, images, offMark, changedBytes, sentBytes, note } = increment;
    const lastRun = records.outgoing.get(id)?.lastRun ?? null;
    records.outgoing.change(id, {
      vmName: vm.name,
      finished: { copyId, takenAt },
      images,
      offMark,
      takeOld: false,
      lastRun: lastRun && { ...lastRun, changedBytes, sentBytes, message: note === "" ? null : note },
    });
    return { copyId, takenAt };
  }

  /**
   * Shuts the VM down, sends what it wrote last, and has it started there. Where anything fails before the other host has it,
   * it is still this host's.
   *
   * @throws {ContractError}
   */
  async switchOver(
    replicationId: string,
    { deadlineSeconds = 120, start = true }: { readonly deadlineSeconds?: number; readonly start?: boolean },
    principal: Principal,
    job: ReplicationJob,
  ): Promise<Output<"switch_over">> {
    const replication = this.find(replicationId), { toHost, vmId } = replication;
    if (isGivenAway(replication) && !replication.lost!.isUndecided) {
      throw new ContractError("ReplicaPromoted", { host: toHost });
    }
    const host = this.services.host();
    return await this.#alone(replication, job, async (handle) => {
      const vm = host.requireVm(vmId), isRunning = host.inventory.active().includes(vmId);
      this.requireOwned(replication);
      // Before the guest is shut down: it would be off on both hosts meanwhile
      requireOpen(this.linkedTo(replication));
      // What it was doing is in memory that does not go along
      if (vm.state === "suspended") throw new ContractError("HasSavedMemory");
      if (isRunning) {
        handle.log(message`${vmName(vm)}: sending what changed while it runs`);
        await this.#talking(replication, principal, handle, async (talk, held) => {
          await this.#take(replication, { talk, held, principal, job: handle });
          await requireRunnable(talk, start, handle);
        });
        await shutDown(host, vmId, principal, deadlineSeconds, handle);
      }
      try {
        using limit = this.#progressLimit(replicationId, handle.signal);
        const job = { ...handle, signal: limit.signal };
        const { started, takenAt } = await this.#give(replication, { principal, job, start, isRunning });
        return { vmId, toHost, started, takenAt };
      } catch (error) {
        if (isRunning) await this.#startAgain(replication, principal, handle);
        throw error;
      }
    });
  }

  /** Starts the VM here again. Where it is not known whether it was switched over, nothing is started. */
  async #startAgain(
    replication: StoredReplication,
    principal: Principal,
    job: ReplicationJob,
  ): Promise<void> {
    const { host, records } = this.services;
    if (records.outgoing.get(replication.id)?.lost !== undefined) return;
    await startAgain(host(), replication, principal, job);
  }

  /** Ends what makes no progress while the VM is off: a host that answers nothing must not keep it so. */
  #progressLimit(id: string, signal: AbortSignal): Disposable & { readonly signal: AbortSignal } {
    const { clock } = this.services, running = this.#running.get(id)!, still = new AbortController();
    running.movedAt = clock.monotonic();
    let cancel = () => {};
    const look = () => {
      const left = running.movedAt + OFF_STILL_MS - clock.monotonic();
      if (left > 0) cancel = clock.after(left, look);
      else {
        const error = "the other host took nothing for half an hour, and the VM was off meanwhile";
        still.abort(new ContractError("ReplicationFailed", { error }));
      }
    };
    look();
    return { signal: AbortSignal.any([signal, still.signal]), [Symbol.dispose]: () => cancel() };
  }

  /** Sends what a VM that is off wrote last, and has it made a VM there. @throws {ContractError} */
  async #give(
    replication: StoredReplication,
    { principal, job, start, isRunning }: {
      readonly principal: Principal;
      readonly job: ReplicationJob;
      readonly start: boolean;
      /** Whether it was shut down for this. */
      readonly isRunning: boolean;
    },
  ): Promise<{ readonly started: boolean; readonly takenAt: number }> {
    const { records, clock } = this.services, host = this.services.host(), { id, vmId, toHost } = replication;
    const vm = host.requireVm(vmId);
    let started = false, takenAt = clock.now();
    await host.claims.operate(vm, "switching over", async () => {
      if (host.inventory.active().includes(vmId)) {
        throw new ContractError("ReplicationFailed", { error: "the VM was started just now" });
      }
      await this.#talking(replication, principal, job, async (talk, held) => {
        job.log(message`${vmName(vm)}: sending what it wrote last`);
        const last = await this.#take(replication, { talk, held, principal, job, isHeld: true });
        takenAt = last.takenAt;
        job.signal.throwIfAborted();
        job.log(message`${vmName(vm)}: it is made a VM on ${toHost}`);
        records.outgoing.change(id, {
          lost: { at: clock.now(), isUndecided: true, ...(isRunning && { wasRunning: true }) },
        });
        try {
          started = (await talk.ask({ do: "promote", copyId: last.copyId, start })).started;
        } catch (error) {
          // What it refuses did not take place
          const isKnown = error instanceof ContractError && error.code !== "LinkedHostAway" &&
            error.code !== "LinkedHostNonsense";
          if (isKnown) records.outgoing.change(id, { lost: undefined });
          if (!(error instanceof ConversationCut)) throw error;
          this.#tellUndecided(replication);
          const reason = detailOf(error, "reason");
          throw new ContractError("LinkUndecided", { host: talk.host.label, reason }, { cause: error });
        }
        await this.#giveAway(replication, clock.now());
      });
    });
    return { started, takenAt };
  }

  /** Has the replica deleted there. @throws {ContractError} */
  async forget(replication: StoredReplication): Promise<void> {
    const { id, vmId, vmName: name } = replication;
    using talk = await ReplicationConversation.begin(
      this.linkedTo(replication),
      this.#principal(replication),
    );
    const held = await talk.ask({ do: "open", replicaId: id, vmId, name });
    if (held.state === "replica") await talk.ask({ do: "forget" });
  }
}
