/** Power: start, stop, pause and their kin. What may be done when is a table; what is done is one libvirt call each. */
import type { CallName, DomainRecord } from "../../../ffi/calls/mod.ts";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import {
  type CommandName,
  ContractError,
  type ErrorCode,
  type VM,
  type VmState,
} from "../../../lib/contract/mod.ts";
import { sleep } from "../../clock.ts";
import { contractError } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { unknownImageText } from "../snapshots/next_start.ts";
import { forceOff } from "./force_off.ts";
import { hasSavedMemory } from "./named_files.ts";
import { requireStartable } from "./start_check.ts";

type PowerCommand = Extract<
  CommandName,
  | "start_vm"
  | "stop_vm"
  | "force_stop_vm"
  | "pause_vm"
  | "resume_vm"
  | "reboot_vm"
  | "reset_vm"
  | "suspend_vm"
  | "discard_saved_memory"
>;

interface PowerRule {
  /** States it makes sense in. */
  readonly from: readonly VmState[];
  /** The error in any other state. */
  readonly otherwise: ErrorCode;
  /** The error when libvirt says no. */
  readonly failed: ErrorCode;
  /** Label on pages while it runs. */
  readonly label: string;
  /** Gives the VM as it is afterwards, where the call has read it. */
  readonly run: (host: LibvirtHost, vm: VM) => Promise<DomainRecord | null>;
  /** The request to the guest: remembered until the guest has carried it out. */
  readonly asks?: "stop" | "reboot";
  /** May run at the same time as another operation on the VM: the way out when that one hangs. */
  readonly always?: true;
  /** Whether it makes sense for one of `from` that has a QEMU, or has none; both when left out. */
  readonly fits?: (vm: VM, isActive: boolean) => boolean;
  /** Needs a stored definition. */
  readonly persistent?: true;
}

const ON: readonly VmState[] = ["running", "paused"];
/** A crashed guest whose QEMU is still there counts as crashed too, and can be forced off. */
const FORCIBLE: readonly VmState[] = ["running", "paused", "crashed", "suspended"];

/** Off, with its memory saved: one that is asleep (S3) has a QEMU. */
const isSaved = ({ state }: VM, isActive: boolean) => state === "suspended" && !isActive;

const simple = (call: Extract<CallName, `domain${string}`>) => (host: LibvirtHost, vm: VM) =>
  host.link.call(call as "domainStart", { uuid: vm.id });

/**
 * Asks by a guest agent where one is connected; an agent that does not answer is no reason to give up while there
 * is ACPI. Without an agent the driver chooses: ACPI for QEMU.
 */
const ask = (call: "domainShutdown" | "domainReboot") => async (host: LibvirtHost, vm: VM) => {
  const { link } = host;
  if (vm.guestAgents["qemu-ga"] !== "connected") {
    if (await host.guests.ask(vm, call === "domainReboot")) return null;
    return await link.call(call, { uuid: vm.id, by: "any" });
  }
  try {
    return await link.call(call, { uuid: vm.id, by: "agent" });
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
    log.info("the guest agent does not answer, asking through ACPI", { vm: vm.name, error });
    return await link.call(call, { uuid: vm.id, by: "acpi" }).catch((failure) => {
      // The agent has carried it out, and was gone before it could answer.
      if (call === "domainShutdown" && isOffAlready(failure)) return null;
      throw failure;
    });
  }
};

const isOffAlready = (error: unknown) =>
  error instanceof LibvirtError && error.code === VIR_ERR.OPERATION_INVALID;

/** @throws {ContractError} VmNotOwner where the VM was switched over to another host, or may have been */
export function requireOwner(host: LibvirtHost, { id }: Pick<VM, "id">): void {
  const elsewhere = host.switchedOverTo(id);
  if (elsewhere !== undefined) throw new ContractError("VmNotOwner", { host: elsewhere });
}

/** A suspended VM is either off with saved memory (started again) or asleep (woken). */
async function start(host: LibvirtHost, vm: VM): Promise<DomainRecord | null> {
  const isSuspended = vm.state === "suspended";
  if (isSuspended && host.inventory.active().includes(vm.id)) {
    return await simple("domainWakeup")(host, vm);
  }
  requireOwner(host, vm);
  await requireStartable(host, vm);
  const record = await simple("domainStart")(host, vm);
  if (!isSuspended) return record;
  // Its saved memory had the password of the run before.
  await host.link.call("domainRenewPasswords", { uuid: vm.id, restored: true }).catch((error) =>
    log.warn("a VM continues with the screen password it was saved with", { vm: vm.name, error })
  );
  return record;
}

/** Messages of libvirt and QEMU about saved memory that is unreadable, or of an earlier VM of the name. */
const UNREADABLE_MEMORY = new RegExp(
  [
    "cannot restore domain",
    "image magic",
    "image version",
    "save (image|file)",
    "saved? (state|image|memory)",
    "qemu header",
    "failed to read",
    "domain xml",
    "load of migration failed",
    "loading state",
    "migration stream",
    ...["decompress", "compression format", "corrupt", "end of file", "short read"],
  ].join("|"),
  "i",
);

/** Why a VM did not continue, with the way out: damaged memory would keep it from ever starting again. */
function notContinued(cause: unknown): unknown {
  if (!(cause instanceof LibvirtError) || cause.kind !== "libvirt") return cause;
  if (!UNREADABLE_MEMORY.test(cause.message)) return cause;
  return new ContractError("ContinueFailed", { error: cause.message.replace(/\.$/, "") }, { cause });
}

/** Also of one that is off and has the memory of an earlier VM of its name: it cannot start with that. */
async function discardMemory(host: LibvirtHost, vm: VM): Promise<DomainRecord | null> {
  if (vm.state !== "suspended" && !await hasSavedMemory(host, vm.name)) {
    throw new ContractError("NoSavedMemory");
  }
  return await simple("domainDiscardMemory")(host, vm);
}

/**
 * Ends a VM. A suspended one only loses its saved memory: without it, it is off. One that continues just now shows as
 * suspended until libvirt has reported the change: its QEMU is ended, and the memory that it reads stays.
 */
async function forceStop(host: LibvirtHost, vm: VM): Promise<DomainRecord | null> {
  if (vm.state !== "suspended") return await forceOff(host, vm);
  await host.reread(vm);
  const now = host.requireVm(vm.id), isActive = () => host.inventory.active().includes(vm.id);
  if (vm.operation === POWER.start_vm.label || !isSaved(now, isActive())) return await forceOff(host, now);
  const record = await discardMemory(host, now);
  await host.reread(now);
  return isActive() ? await forceOff(host, host.requireVm(vm.id)) : record;
}

/** Reason in the state of a VM that QEMU paused because a disk failed, or was full. */
const DISK_FAILED = "I/O error";
/** Milliseconds in which QEMU tries again what had failed, and between looks whether it has paused the VM once more. */
const AGAIN_MS = { most: 1500, look: 100 } as const;

/**
 * A VM that was paused for its disk goes on with the request that had failed: where that fails again, it runs for a moment
 * alone.
 *
 * @throws {ContractError} ResumeFailed
 */
async function resume(host: LibvirtHost, vm: VM): Promise<null> {
  const { clock } = host;
  // The event of the pause does not tell why
  await host.reread(vm);
  const hadFailed = host.requireVm(vm.id).stateReason === DISK_FAILED;
  await simple("domainResume")(host, vm);
  if (!hadFailed) return null;
  const end = clock.monotonic() + AGAIN_MS.most;
  while (clock.monotonic() < end) {
    await sleep(clock, AGAIN_MS.look);
    await host.reread(vm);
    const { state, stateReason } = host.requireVm(vm.id);
    if (state !== "paused" || stateReason !== DISK_FAILED) continue;
    throw new ContractError("ResumeFailed", {
      error:
        "one of its disks failed again, and QEMU paused it. Make room on its storage, or repair it, then resume it",
    });
  }
  return null;
}

/** A password that waits for the next start is part of what is saved: continued, the screen asks for it. */
async function suspend(host: LibvirtHost, vm: VM): Promise<null> {
  // Its memory would go on upon the images that libvirt knows, without what was written since
  const error = await unknownImageText(host, vm);
  if (error !== undefined) throw new ContractError("SuspendFailed", { error });
  await simple("domainManagedSave")(host, vm);
  if (vm.openScreen === "until-restart") await host.link.call("domainProtectScreens", { uuid: vm.id });
  return null;
}

export const POWER = {
  start_vm: {
    from: ["stopped", "crashed", "suspended"],
    otherwise: "VmAlreadyRunning",
    failed: "StartFailed",
    label: "starting",
    run: start,
  },
  stop_vm: {
    from: ["running"],
    otherwise: "VmNotRunning",
    failed: "StopFailed",
    label: "shutting down",
    run: ask("domainShutdown"),
    asks: "stop",
  },
  force_stop_vm: {
    from: FORCIBLE,
    otherwise: "VmNotRunning",
    failed: "ForceStopFailed",
    label: "powering off",
    run: forceStop,
    always: true,
    fits: (vm, isActive) => isActive || isSaved(vm, isActive),
  },
  pause_vm: {
    from: ["running"],
    otherwise: "VmNotRunning",
    failed: "PauseFailed",
    label: "pausing",
    run: simple("domainSuspend"),
  },
  resume_vm: {
    from: ["paused"],
    otherwise: "VmNotPaused",
    failed: "ResumeFailed",
    label: "resuming",
    run: resume,
  },
  reboot_vm: {
    from: ["running"],
    otherwise: "VmNotRunning",
    failed: "RebootFailed",
    label: "rebooting",
    run: ask("domainReboot"),
    asks: "reboot",
  },
  reset_vm: {
    from: ON,
    otherwise: "VmNotRunning",
    failed: "ResetFailed",
    label: "resetting",
    run: simple("domainReset"),
  },
  suspend_vm: {
    from: ON,
    otherwise: "VmNotRunning",
    failed: "SuspendFailed",
    label: "suspending",
    run: suspend,
    persistent: true,
  },
  discard_saved_memory: {
    from: ["suspended", "stopped", "crashed"],
    otherwise: "NoSavedMemory",
    failed: "DiscardFailed",
    label: "discarding its saved memory",
    run: discardMemory,
    fits: (_vm, isActive) => !isActive,
  },
} as const satisfies Record<PowerCommand, PowerRule>;

/** Says of a VM that libvirt could not start for want of a network, which one that is. */
async function missingNetwork({ inventory }: LibvirtHost, vm: VM, error: unknown): Promise<void> {
  if (!(error instanceof LibvirtError) || error.kind !== "libvirt") return;
  for (const { network, type } of vm.networkInterfaces) {
    if (type !== "network" || !error.message.includes(network)) continue;
    await inventory.networks.refresh(network);
    const found = inventory.networks.record(network);
    if (!found) throw new ContractError("NetworkNotFound", { network }, { cause: error });
    if (!found.active) throw new ContractError("NetworkNotActive", { network }, { cause: error });
  }
}

/** A failed start with its VM, so that whoever shows it can lead to QEMU's log. */
function withVm(error: unknown, { id: vmId }: VM): unknown {
  if (!(error instanceof ContractError)) return error;
  if (error.code !== "StartFailed" && error.code !== "ContinueFailed") return error;
  return new ContractError(error.code, { ...error.details, vmId }, { cause: error.cause });
}

/**
 * Carries a power command out on one VM.
 *
 * @param through does it another way than the rule
 * @throws {ContractError} VmNotFound, the rule's `otherwise` and `failed`, VmBusy, and what any libvirt call may give
 */
export async function power(
  host: LibvirtHost,
  command: PowerCommand,
  vmId: string,
  through?: (vm: VM) => Promise<void>,
): Promise<null> {
  const rule: PowerRule = POWER[command];
  let vm = host.requireVm(vmId);
  const fits = () =>
    rule.from.includes(vm.state) && (rule.fits?.(vm, host.inventory.active().includes(vm.id)) ?? true);
  /** @throws {ContractError} VmNotFound, the rule's `otherwise`, by what libvirt says now */
  const requireFit = async (cause?: unknown) => {
    await host.reread(vm);
    vm = host.requireVm(vmId);
    if (!fits()) throw new ContractError(rule.otherwise, undefined, { cause });
  };
  // An event that comes late shows for a moment what was before: no is said only of what libvirt says now.
  if (!fits()) await requireFit();
  if (rule.persistent && !vm.persistent) throw new ContractError("VmNotPersistent");
  await host.claims.operate(vm, rule.label, async () => {
    // Before the call: a quick guest has shut down before the call returns.
    if (rule.asks) {
      host.inventory.update(vm.id, { powerRequest: { action: rule.asks, requestedAt: Date.now() } });
    }
    try {
      if (through === undefined) return await rule.run(host, vm);
      await through(vm);
      return null;
    } catch (error) {
      if (rule.asks) host.inventory.update(vm.id, { powerRequest: undefined });
      // Somebody else may have been faster: that is no failure of libvirt's.
      if (error instanceof LibvirtError && error.kind === "libvirt") await requireFit(error);
      if (command === "start_vm") await missingNetwork(host, vm, error);
      const told = command === "start_vm" ? notContinued(error) : error;
      throw withVm(contractError(told, rule.failed, command), vm);
    }
  }, rule.always);
  return null;
}
