/**
 * Maintenance of hosts: what is kept of it, and the work that moves VMs away and brings them back. Each step is written down, so
 * that the next run of KVM Manager goes on where this one ended.
 */
import { forEachConcurrent } from "../../lib/for_each_concurrent.ts";
import {
  ContractError,
  type Input,
  type Maintenance,
  type MaintenanceSummary,
  MOVE_LIMIT,
} from "../../lib/contract/mod.ts";
import { sentenceOf } from "../../lib/contract/errors.ts";
import { maintenance as texts } from "../../lib/i18n/en/maintenance.ts";
import type { Sentence, Unrendered } from "../../lib/i18n/message.ts";
import { message, vmName } from "../../lib/i18n/message.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { oneLine } from "../../lib/text/text.ts";
import { isLive } from "../../lib/vm/state.ts";
import { delegateFor, type DelegationWorld, delegatorOf } from "../access/delegation.ts";
import type { Principal } from "../access.ts";
import type { EventHub } from "../events/hub.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { HostMaintenance } from "../hosts/maintenance.ts";
import type { HostRegistry } from "../hosts/registry.ts";
import { log } from "../log.ts";
import { JsonRows } from "../store/json_rows.ts";
import type { Store } from "../store/store.ts";
import type { MoveQueue } from "../vm/migration/move_queue.ts";
import { makePlan, type PlanWorld, requireChoices } from "./plan.ts";
import { DrainedVms, type DrainWorld, type VmWork } from "./drained_vms.ts";
import { type StoredDrainedVm, type StoredMaintenance, unset } from "./records.ts";

const { t } = textsOf(texts);

/** Services for maintenance: those of the plan, of delegation and of draining, served hosts, events, moves, the database. */
interface World extends PlanWorld, DelegationWorld, DrainWorld {
  readonly hosts: Pick<HostRegistry, "served">;
  readonly hub: Pick<EventHub, "publish">;
  readonly moves: { get(): MoveQueue };
  readonly store: Store;
}

export class MaintenanceService {
  readonly #rows: JsonRows<StoredMaintenance>;
  /** Ids of hosts whose VMs are worked on. */
  readonly #working = new Map<string, AbortController>();
  #isStopped = false;
  readonly #drained: DrainedVms;

  constructor(private readonly world: World) {
    this.#rows = new JsonRows<StoredMaintenance>(world.store, "host_maintenance");
    this.#drained = new DrainedVms(world, {
      note: (hostId, vmId, change) => this.#note(hostId, vmId, change),
      isStopped: () => this.#isStopped,
    });
  }

  /** Stored maintenance of a host. */
  of(hostId: string): StoredMaintenance {
    return this.#rows.get(hostId) ?? unset(hostId);
  }

  /** Whether something is kept of a host in addition to its limits. */
  isOn(hostId: string): boolean {
    const { state } = this.of(hostId);
    return state === "on" || state === "draining";
  }

  limitOf = (hostId: string): number => this.of(hostId).movesAtOnce ?? MOVE_LIMIT.usual;

  /** Summary for lists of hosts; undefined if the host is in no maintenance. */
  summaryOf = (hostId: string): MaintenanceSummary | undefined => {
    const { state, since, reason, vms } = this.of(hostId);
    if (state === "off" || since === null) return this.world.linked.served(hostId)?.maintenance;
    const meant = vms.filter(({ action }) => action !== "leave");
    const isOver = state === "returning" ? isBack : hasLeft;
    return { state, since, note: reason, done: meant.filter(isOver).length, all: meant.length };
  };

  /** Check of a host before it takes a VM. */
  guard({ id, label }: Pick<LibvirtHost, "id" | "label">): HostMaintenance {
    const isOn = () => this.isOn(id), reasonOf = () => this.of(id).reason;
    return {
      get reason() {
        return reasonOf();
      },
      get isOn() {
        return isOn();
      },
      requireInService: () => {
        if (isOn()) {
          throw new ContractError("HostInMaintenance", {
            host: label,
            reason: reasonOf() || t("maintenance.no_reason"),
          });
        }
      },
    };
  }

  /** @param sight filters of the VMs and hosts that are shown @throws {ContractError} StoreUnavailable */
  shown(
    host: LibvirtHost,
    { seesAll, seesVm, seesHost }: {
      readonly seesAll: boolean;
      readonly seesVm: (vmId: string) => boolean;
      readonly seesHost: (hostId: string) => boolean;
    },
  ): Unrendered<Maintenance> {
    this.#rows.require();
    const { state, since, reason, owner, stopped, vms } = this.of(host.id);
    const seen = vms.filter(({ vmId }) => seesVm(vmId));
    const inState = (wanted: string) => seen.filter(({ state }) => state === wanted).length;
    const { running, waiting } = seesAll
      ? this.world.moves.get().countOf(host.id)
      : { running: inState("active"), waiting: inState("waiting") };
    return {
      state,
      since,
      note: reason,
      by: owner?.name ?? "",
      movesAtOnce: this.limitOf(host.id),
      moving: running,
      queued: waiting,
      ...(stopped !== undefined && { stopped: stopped as never }),
      vms: seen.map((
        { vmId, name, action, toHost, state, message: why },
      ) => ({
        vmId,
        name,
        action,
        state,
        ...(toHost !== undefined && seesHost(toHost) && { toHost }),
        ...(why !== undefined && { message: why }),
      })),
    };
  }

  /** @throws {ContractError} StoreUnavailable */
  setLimit(hostId: string, movesAtOnce: number): void {
    this.#rows.put({ ...this.of(hostId), movesAtOnce });
    this.world.moves.get().look();
    this.#tell();
  }

  /**
   * Begins, or goes on with what is left.
   *
   * @throws {ContractError} VmNotFound, HostNotFound, DrainUnderWay, NoAccount, StoreUnavailable
   */
  start(host: LibvirtHost, input: Input<"start_maintenance">, principal: Principal): void {
    const { reason, drain = true, vms = [], off, breakRules } = input;
    const before = this.#rows.require().get(host.id) ?? unset(host.id);
    this.#requireIdle(host.id);
    requireChoices(this.world, host, vms);
    const isNew = before.state !== "on";
    const { stopped: _over, ...kept } = before;
    this.#rows.put({
      ...kept,
      state: drain ? "draining" : "on",
      owner: delegatorOf(principal),
      isPlanned: false,
      since: isNew ? this.world.clock.now() : before.since,
      reason: reason ?? (isNew ? "" : before.reason),
      choices: { vms, ...(off && { off }), ...(breakRules !== undefined && { breakRules }) },
      vms: isNew ? [] : before.vms,
    });
    this.#tell();
    if (drain) this.#begin(host);
  }

  /** Begins nothing further of what is under way. @throws {ContractError} HostNotInMaintenance, StoreUnavailable */
  stop(host: LibvirtHost, { name }: Pick<Principal, "name">): void {
    const kept = this.#rows.require().get(host.id);
    if (kept === undefined || kept.state === "off") {
      throw new ContractError("HostNotInMaintenance", { host: host.label });
    }
    this.#halt(host.id, t("maintenance.was_stopped", { name }));
  }

  /** @throws {ContractError} HostNotInMaintenance, DrainUnderWay, NoAccount, StoreUnavailable */
  end(host: LibvirtHost, { bringBack = true }: Input<"end_maintenance">, principal: Principal): void {
    const kept = this.#rows.require().get(host.id);
    if (kept === undefined || kept.state === "off") {
      throw new ContractError("HostNotInMaintenance", { host: host.label });
    }
    this.#requireIdle(host.id);
    const { stopped: _over, ...rest } = kept, owner = delegatorOf(principal);
    // Of one whose move was cut it is not written down that it has left
    const hasMoved = ({ vmId, action, toHost }: StoredDrainedVm) =>
      action === "move" && toHost !== undefined && host.inventory.filled &&
      host.inventory.vm(vmId) === undefined;
    const hasGone = (vm: StoredDrainedVm) =>
      vm.state === "done" || (vm.state === "active" || vm.state === "failed") && hasMoved(vm);
    const isToReturn = (vm: StoredDrainedVm) =>
      bringBack && vm.action !== "leave" && hasGone(vm) || vm.hadAutostart === true;
    const vms = kept.vms.map((vm): StoredDrainedVm => {
      if (isToReturn(vm)) return { ...vm, state: "returning" };
      return vm.state === "waiting" || vm.state === "active" ? { ...vm, state: "left" } : vm;
    });
    const isAny = vms.some(({ state }) => state === "returning");
    this.#rows.put({ ...rest, owner, vms, state: isAny ? "returning" : "off", choices: { vms: [] } });
    // Without bringing VMs back, those that were shut down stay off, and start with the host as before
    if (!bringBack) {
      this.#change(
        host.id,
        (vm) => vm.state === "returning" ? { ...vm, wasActive: false, action: "shutdown" } : vm,
      );
    }
    this.#tell();
    if (isAny) this.#begin(host);
  }

  /** Takes up what an earlier run has left of a host that was read. */
  resume(host: LibvirtHost): void {
    const { state } = this.of(host.id);
    if ((state === "draining" || state === "returning") && !this.#working.has(host.id)) this.#begin(host);
  }

  /** Forgets a host. */
  forget(hostId: string): void {
    this.#working.get(hostId)?.abort();
    this.#rows.remove(hostId);
  }

  /** Stops; the next run resumes maintenance that is under way. */
  close(): void {
    this.#isStopped = true;
    for (const work of this.#working.values()) work.abort();
  }

  #requireIdle(hostId: string): void {
    if (!this.#working.has(hostId)) return;
    const host = this.world.hosts.served(hostId)?.label ?? hostId;
    throw new ContractError("DrainUnderWay", { host });
  }

  /** Stops the work on a host, and keeps why. */
  #halt(hostId: string, stopped: Sentence): void {
    const kept = this.of(hostId);
    // What was to come back stays where it is: the host is in service
    const state = kept.state === "returning" ? "off" : "on";
    const left = ({ state: of }: StoredDrainedVm) => of === "returning" ? "done" : of;
    this.#rows.keep({ ...kept, state, stopped, vms: kept.vms.map((vm) => ({ ...vm, state: left(vm) })) });
    this.#working.get(hostId)?.abort();
    this.#tell();
  }

  #change(hostId: string, change: (vm: StoredDrainedVm) => StoredDrainedVm): void {
    const kept = this.of(hostId);
    this.#rows.keep({ ...kept, vms: kept.vms.map(change) });
  }

  /** Keeps what became of a VM. */
  #note(hostId: string, vmId: string, change: Partial<StoredDrainedVm>): void {
    this.#change(hostId, (vm) => {
      if (vm.vmId !== vmId) return vm;
      const { message: _before, ...rest } = vm;
      return { ...rest, ...change };
    });
    this.#tell();
  }

  #tell(): void {
    this.world.hub.publish("hosts-changed", {});
  }

  /**
   * The principal who began it, with the rights of this moment. @throws {ContractError} StoreUnavailable
   * @returns otherwise the reason, in words
   */
  #owner(hostId: string): Principal | string {
    const { owner } = this.of(hostId);
    if (owner === undefined) return "";
    const found = delegateFor(this.world, owner, `maintenance:${hostId}`);
    if (typeof found === "string") return t("maintenance.no_owner", { name: owner.name, reason: found });
    // An administrator of this host has it done by links of this host, from wherever they asked for it
    return found.via === "link" ? { ...found, via: "agent" } : found;
  }

  /** Begins the work on a host. It ends by itself, and is reported by what is kept. */
  #begin(host: LibvirtHost): void {
    const stop = new AbortController();
    this.#working.set(host.id, stop);
    this.#run(host, stop).catch((error) => {
      if (this.#isStopped || this.world.jobs.isStopping) return;
      log.warn("the maintenance of a host stopped", { host: host.id, error });
      this.#halt(host.id, sentenceOf(error));
    }).finally(() => {
      this.#working.delete(host.id);
      this.#tell();
    });
  }

  async #run(host: LibvirtHost, stop: AbortController): Promise<void> {
    const isDrain = this.of(host.id).state === "draining", label = oneLine(host.label, 60);
    const principal = this.#owner(host.id);
    if (typeof principal === "string") return this.#halt(host.id, principal);
    const spec = {
      command: isDrain ? "start_maintenance" : "end_maintenance",
      title: isDrain
        ? t("maintenance.job_drain", { host: label })
        : t("maintenance.job_return", { host: label }),
      actor: principal.name,
      ifInterrupted: t("maintenance.job_later"),
    } as const;
    await host.jobs.run(spec, async (job) => {
      const cancel = () => {
        // A stop of KVM Manager is no cancelling: the next run goes on
        if (this.world.jobs.isStopping) return stop.abort();
        this.#halt(host.id, t("maintenance.was_cancelled"));
      };
      job.signal.addEventListener("abort", cancel, { once: true });
      try {
        const cut = new Set(
          this.of(host.id).vms.filter(({ state }) => state === "active").map(({ vmId }) => vmId),
        );
        const work = { host, principal, job, cut };
        await (isDrain ? this.#drain(work, stop.signal) : this.#return(work, stop.signal));
      } finally {
        job.signal.removeEventListener("abort", cancel);
      }
      job.signal.throwIfAborted();
    });
  }

  async #drain(work: VmWork, stop: AbortSignal): Promise<void> {
    const { host, principal } = work, { id } = host;
    if (!this.of(id).isPlanned) await this.#plan(host, principal);
    // One that was under way when KVM Manager ended is looked at again
    this.#change(id, (vm) => vm.state === "active" ? { ...vm, state: "waiting" } : vm);
    const waiting = this.of(id).vms.filter(({ state }) => state === "waiting");
    await forEachConcurrent(
      this.limitOf(id),
      waiting,
      (vm) => this.#each(work, vm, stop, () => this.#drained.leave(work, vm, stop), "done"),
    );
    if (!stop.aborted) this.#rows.keep({ ...this.of(id), state: "on" });
  }

  async #return(work: VmWork, stop: AbortSignal): Promise<void> {
    const { id } = work.host;
    const waiting = this.of(id).vms.filter(({ state }) => state === "returning");
    await forEachConcurrent(
      this.limitOf(id),
      waiting,
      (vm) => this.#each(work, vm, stop, () => this.#drained.comeBack(work, vm, stop), "returned"),
    );
    if (!stop.aborted) this.#rows.keep({ ...this.of(id), state: "off" });
  }

  /** Decides what becomes of each VM, and writes it down. */
  async #plan(host: LibvirtHost, principal: Principal): Promise<void> {
    const { id } = host, kept = this.of(id);
    const { steps, shown } = await makePlan(this.world, host, kept.choices, principal);
    const toldOf = new Map(shown.vms.map((vm) => [vm.vmId, vm]));
    const decided = steps.flatMap(({ vmId, action, toHost }): StoredDrainedVm[] => {
      const vm = host.inventory.vm(vmId), why = toldOf.get(vmId)?.obstacles ?? [];
      if (vm === undefined) return [];
      return [{
        vmId,
        name: vm.name,
        action,
        wasActive: isLive(vm),
        state: action === "leave" ? "left" : "waiting",
        ...(toHost !== undefined && { toHost }),
        ...(why.length > 0 && { message: why.join(" · ") }),
      }];
    });
    // What has left before stays among them: it comes back as well
    const gone = kept.vms.filter(({ vmId, state }) =>
      state === "done" && !decided.some((vm) => vm.vmId === vmId)
    );
    this.#rows.keep({ ...this.of(id), isPlanned: true, vms: [...gone, ...decided] });
    this.#tell();
  }

  /** Does one step of one VM, and keeps what became of it. */
  async #each(
    { host, job }: VmWork,
    { vmId, name, state: before }: StoredDrainedVm,
    stop: AbortSignal,
    step: () => Promise<Sentence | undefined>,
    after: "done" | "returned",
  ): Promise<void> {
    if (stop.aborted) return;
    if (before === "waiting") this.#note(host.id, vmId, { state: "active" });
    try {
      const why = await step();
      this.#note(host.id, vmId, why === undefined ? { state: after } : { state: "failed", message: why });
      job.log(
        why === undefined
          ? message`${vmName({ vmId, name })}: ${after}`
          : message`${vmName({ vmId, name })}: ${why}`,
      );
    } catch (error) {
      if (this.world.jobs.isStopping || this.#isStopped) throw error;
      if (stop.aborted) {
        return this.#note(host.id, vmId, { state: before === "returning" ? "done" : "waiting" });
      }
      const why = sentenceOf(error);
      this.#note(host.id, vmId, { state: "failed", message: why });
      job.log(message`${vmName({ vmId, name })}: ${why}`);
    }
  }
}

const hasLeft = ({ state }: StoredDrainedVm) =>
  state === "done" || state === "returning" || state === "returned";
const isBack = ({ state }: StoredDrainedVm) => state === "returned";
