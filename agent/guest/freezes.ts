/**
 * Frozen guests. A freeze is an operation that is taken back: written down before the guest is asked, and thawed at its
 * time limit, when libvirt comes back, or by the next run of this process.
 */
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import type { Clock } from "../clock.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import type { Operation } from "../operations/operation.ts";
import { keyOf } from "../operations/operation_record.ts";
import { within } from "../within.ts";
import type { GuestBackend } from "./backend.ts";

/** Milliseconds the stop waits for guests to thaw. */
const STOP_MS = 2000;

interface Frozen {
  readonly operation: Operation;
  readonly until: number;
  readonly agent: GuestBackend;
  readonly cancel: () => void;
}

/** Whether the guest was never asked. */
const isNothingDone = (error: unknown) =>
  error instanceof ContractError && (error.code === "GuestUnavailable" || error.code === "GuestBusy");

export class GuestFreezes {
  readonly #frozen = new Map<string, Frozen>();
  #stopped = false;

  constructor(private readonly host: LibvirtHost, private readonly clock: Clock) {}

  /** Until when a guest is frozen by us; undefined while it is not. */
  until(vmId: string): number | undefined {
    return this.#frozen.get(vmId)?.until;
  }

  /**
   * Freezes a guest for so many seconds.
   *
   * @throws {ContractError} VmBusy: it is frozen; and what the agent says
   */
  async freeze(
    vm: VM,
    agent: GuestBackend,
    asked: { seconds: number; mountpoints: readonly string[]; actor: string },
  ): Promise<{ filesystems: number; thawsAt: number }> {
    const { id: uuid, name } = vm, { mountpoints, actor } = asked;
    const seconds = Math.min(asked.seconds, agent.mostFrozenSeconds ?? Infinity);
    if (this.#frozen.has(uuid)) throw new ContractError("VmBusy", { operation: "frozen" });
    const { operations } = this.host;
    const keys = [keyOf.freeze(uuid)];
    await operations.ready(keys);
    const operation = operations.begin({ command: "guest_freeze", subject: name, vmId: uuid, actor, keys });
    const thawsItself = agent.kind === "kvm-manager-agent";
    operation.add({ kind: "guest-frozen", uuid, name, isAll: true, ...(thawsItself && { thawsItself }) });
    const until = this.clock.now() + seconds * 1000;
    const cancel = this.clock.after(
      seconds * 1000,
      () =>
        void this.thaw(vm).catch((error) =>
          log.warn("a guest did not thaw at its time", { vm: name, error })
        ),
    );
    this.#frozen.set(uuid, { operation, until, agent, cancel });
    try {
      return { filesystems: await agent.freeze(vm, mountpoints, seconds), thawsAt: until };
    } catch (error) {
      // A late agent may carry it out all the same: it is thawed, too.
      cancel();
      this.#frozen.delete(uuid);
      if (isNothingDone(error)) operations.end(operation);
      else await operations.failed(operation, error);
      throw error;
    }
  }

  /** Thaws a guest, also one that others have frozen. @returns how many file systems; what cannot be done now is settled */
  async thaw(vm: VM, through?: GuestBackend): Promise<number> {
    const frozen = this.#frozen.get(vm.id), agent = frozen?.agent ?? through;
    if (this.#stopped || agent === undefined) return 0;
    const { operations } = this.host;
    try {
      const count = await agent.thaw(vm);
      if (frozen !== undefined) operations.end(frozen.operation);
      return count;
    } catch (error) {
      if (frozen !== undefined) await operations.failed(frozen.operation, error);
      throw error;
    } finally {
      if (frozen !== undefined) {
        frozen.cancel();
        this.#frozen.delete(vm.id);
      }
    }
  }

  /** Thaws what is frozen; what does not in time, the next run does. */
  async stop(): Promise<void> {
    const all = [...this.#frozen.keys()].flatMap((id) => this.host.inventory.vm(id) ?? []);
    const thawing = Promise.all(
      all.map((vm) =>
        this.thaw(vm).catch((error) =>
          log.warn("a guest stays frozen until the next start of KVM Manager", { vm: vm.name, error })
        )
      ),
    );
    await within(STOP_MS, thawing);
    this.#stopped = true;
  }
}
