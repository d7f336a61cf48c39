/** Moves VMs away from a host that goes into maintenance, or shuts them down, and brings them back at its end. */
import { ContractError, MOST_JOBS } from "../../lib/contract/mod.ts";
import { maintenance as texts } from "../../lib/i18n/en/maintenance.ts";
import type { Sentence } from "../../lib/i18n/message.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { MINUTE_MS } from "../../lib/duration.ts";
import { oneLine } from "../../lib/text/text.ts";
import { isLive } from "../../lib/vm/state.ts";
import type { Principal } from "../access.ts";
import { type Clock, sleep } from "../clock.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { nameOfKey } from "../hosts/linked/key_name.ts";
import type { LinkedHost } from "../hosts/linked/linked_host.ts";
import type { Peers } from "../hosts/linked/peers.ts";
import type { JobHandle, Jobs } from "../jobs/jobs.ts";
import { log } from "../log.ts";
import type { PlanWorld } from "./plan.ts";
import type { StoredDrainedVm } from "./records.ts";

const { t } = textsOf(texts);

/** Milliseconds a guest has to shut down, and between looks. */
const SHUTDOWN_MS = 3 * MINUTE_MS, LOOK_MS = 500;
/** Milliseconds in which a host that is away, or a VM that something else is done to, may become ready; and between tries. */
const PATIENCE_MS = 2 * MINUTE_MS, AGAIN_MS = 2000;
/** Milliseconds in which a host that answers has a VM in its list that has come. */
const LISTED_MS = 15_000;
/** Errors that may pass by themselves: after a cut what was under way is settled first. */
const PASSING: ReadonlySet<string> = new Set([
  "OperationUnsettled",
  "VmBusy",
  "LinkedHostAway",
  "LibvirtUnavailable",
  "ConnectionLost",
]);

/** The same of a move that was cut: the other host may have what was made for it, until it has taken that back. */
const PASSING_AFTER_CUT: ReadonlySet<string> = new Set([...PASSING, "VmNotMovable", "MigrationFailed"]);

/** The parts of the application that it works with. */
export interface DrainWorld {
  readonly clock: Clock;
  readonly jobs: Pick<Jobs, "cancel" | "isStopping" | "list">;
  readonly linked: PlanWorld["linked"];
  readonly peers: Pick<Peers, "identity">;
}

/** The maintenance that they are drained for. */
interface DrainNotes {
  /** Keeps what became of a VM. */
  note(hostId: string, vmId: string, change: Partial<StoredDrainedVm>): void;
  /** KVM Manager is being stopped: the next run goes on. */
  isStopped(): boolean;
}

/** Work on one VM. */
export interface VmWork {
  readonly host: LibvirtHost;
  readonly principal: Principal;
  readonly job: JobHandle;
  /** VMs whose moves were cut by an end of KVM Manager. */
  readonly cut: ReadonlySet<string>;
}

export class DrainedVms {
  constructor(private readonly world: DrainWorld, private readonly of: DrainNotes) {}

  /** A VM leaves, or is shut down. @returns why it does not */
  async leave(
    { host, principal, cut }: VmWork,
    { vmId, action, toHost }: StoredDrainedVm,
    stop: AbortSignal,
  ): Promise<Sentence | undefined> {
    const vm = host.inventory.vm(vmId);
    if (action === "shutdown") {
      if (vm === undefined) return t("maintenance.gone");
      if (vm.autostart) {
        // Written down first: at the end it is switched on again
        this.of.note(host.id, vmId, { hadAutostart: true });
        await host.run("set_autostart", { vmId, autostart: false }, principal);
      }
      return await this.#shutDown(host, vmId, principal, stop);
    }
    if (toHost === undefined) return undefined;
    if (vm === undefined) return await this.#arrived(toHost, vmId, stop) ? undefined : t("maintenance.gone");
    // The plan keeps rules as a whole: in its middle one that keeps VMs together does not hold
    const takeOut = () => this.#takeOutOfQueue(vmId, principal);
    stop.addEventListener("abort", takeOut, { once: true });
    try {
      await this.#patiently(
        stop,
        async () => {
          await host.run("migrate_vm", { vmId, toHost, breakRules: true }, principal);
        },
        () => host.inventory.vm(vmId) === undefined,
        cut.has(vmId) ? PASSING_AFTER_CUT : PASSING,
      );
    } finally {
      stop.removeEventListener("abort", takeOut);
    }
    return undefined;
  }

  /** Whether a VM that has left is where it was to go: that host may not be reached yet, nor have it in its list. */
  async #arrived(toHost: string, vmId: string, stop: AbortSignal): Promise<boolean> {
    const { clock, linked } = this.world;
    const until = clock.monotonic() + PATIENCE_MS;
    let missingSince: number | undefined;
    for (;;) {
      const target = linked.served(toHost), now = clock.monotonic();
      if (target === undefined || hasVm(target, vmId)) return target !== undefined;
      if (target.status.connected && target.isRead) missingSince ??= now;
      if (now > until || now - (missingSince ?? now) > LISTED_MS) return false;
      await sleep(clock, LOOK_MS, stop);
      stop.throwIfAborted();
    }
  }

  /** A move that has not begun is not begun any more. */
  #takeOutOfQueue(vmId: string, { name }: Principal): void {
    const { jobs } = this.world;
    if (this.of.isStopped() || jobs.isStopping) return;
    const isMeant = (job: ReturnType<Jobs["list"]>[number]) =>
      job.command === "migrate_vm" && job.vmId === vmId && job.state === "queued";
    for (const { id } of jobs.list(MOST_JOBS, true, isMeant)) jobs.cancel(id, name);
  }

  async #shutDown(
    host: LibvirtHost,
    vmId: string,
    principal: Principal,
    stop: AbortSignal,
  ): Promise<Sentence | undefined> {
    const { clock } = this.world, until = clock.monotonic() + SHUTDOWN_MS;
    const isOn = () => {
      const vm = host.inventory.vm(vmId);
      return vm !== undefined && isLive(vm);
    };
    if (isOn()) await host.run("stop_vm", { vmId }, principal);
    while (isOn()) {
      if (clock.monotonic() > until) {
        return t("maintenance.no_shutdown", { minutes: SHUTDOWN_MS / MINUTE_MS });
      }
      await sleep(clock, LOOK_MS, stop);
      stop.throwIfAborted();
    }
    return undefined;
  }

  /** A VM comes back from where it went, or is started again. @returns why it does not */
  async comeBack(
    { host, principal }: VmWork,
    { vmId, action, toHost, wasActive, hadAutostart }: StoredDrainedVm,
    stop: AbortSignal,
  ): Promise<Sentence | undefined> {
    if (action === "shutdown") {
      const vm = host.inventory.vm(vmId);
      if (vm === undefined) return t("maintenance.gone");
      if (hadAutostart === true) await host.run("set_autostart", { vmId, autostart: true }, principal);
      if (wasActive && !isLive(vm)) await host.run("start_vm", { vmId }, principal);
      return undefined;
    }
    if (toHost === undefined || host.inventory.vm(vmId) !== undefined) return undefined;
    const label = oneLine(this.world.linked.served(toHost)?.label ?? toHost, 60);
    const { publicKey } = await this.world.peers.identity.ready();
    let isGone = false;
    await this.#patiently(stop, async () => {
      const from = this.world.linked.served(toHost);
      if (from === undefined) throw new ContractError("HostNotFound", { host: toHost });
      if (from.status.connected && !hasVm(from, vmId)) return void (isGone = true);
      const input = { vmId, toHost: nameOfKey(publicKey), breakRules: true };
      await from.run("migrate_vm", input, { principal });
    }, () => host.inventory.vm(vmId) !== undefined);
    return isGone ? t("maintenance.not_there", { host: label }) : undefined;
  }

  /**
   * Retries work for a while that may fail for a passing reason.
   *
   * @param isDone whether it has been done meanwhile: the outcome of a call that was cut is unknown
   * @throws its last error
   */
  async #patiently(
    stop: AbortSignal,
    work: () => Promise<void>,
    isDone: () => boolean,
    passing: ReadonlySet<string> = PASSING,
  ): Promise<void> {
    const { clock } = this.world, until = clock.monotonic() + PATIENCE_MS;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const mayPass = error instanceof ContractError && passing.has(error.code);
        if (stop.aborted || isDone() || !mayPass || clock.monotonic() > until) {
          if (isDone() && !stop.aborted) return;
          throw error;
        }
        log.debug("a VM cannot move yet", { error });
      }
      await sleep(clock, AGAIN_MS, stop);
      stop.throwIfAborted();
    }
  }
}

/** Whether a linked host lists a VM, also as one that is still taken for this host's. */
const hasVm = (host: LinkedHost, vmId: string) =>
  host.vm(vmId) !== undefined || host.foreignVms().some(({ id }) => id === vmId);
