/**
 * Ending a VM at once, also one that does not respond. libvirt ends a QEMU with the VM's lock held: 10 seconds for SIGTERM,
 * 30 for SIGKILL, and then it asks the TPM's swtpm to end without a time limit; everything that lists VMs waits meanwhile
 * (9.0). So a process that cannot answer is killed here first, as the kernel tells which it is, and libvirt only takes note.
 */
import type { DomainRecord } from "../../../ffi/calls/mod.ts";
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { isSystemError } from "../../machine/files.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { processState } from "../../machine/qemu_processes.ts";
import { log } from "../../log.ts";
import { within } from "../../within.ts";
import type { LocalMachine } from "../../machine/machine.ts";
import { message } from "../../../lib/i18n/message.ts";

/** Milliseconds a QEMU has to end by SIGTERM, for which it writes what it has cached; the kernel to end it; between looks. */
const QUIT_MS = 10_000, END_MS = 5000, LOOK_MS = 50;
/** Milliseconds that libvirt has to begin ending a VM before its QEMU is killed: it expects that end then. */
const DESTROY_FIRST_MS = 300;
/** Milliseconds that libvirt has to take note that a VM was killed. It may be busy with others that hang. */
const NOTE_MS = 5000;
/** States of a process that takes no signal but SIGKILL: stopped, traced. */
const STOPPED: ReadonlySet<string | undefined> = new Set(["T", "t"]);
/** … and of one that does not answer: waiting in the kernel. */
const CANNOT_ANSWER: ReadonlySet<string | undefined> = new Set([...STOPPED, "D"]);
/** States of a process that has ended, though its parent has not taken note yet. */
const ENDED: ReadonlySet<string | undefined> = new Set(["Z", "X", undefined]);

/** Whether a process has ended; another one may have its number by then. */
const hasEnded = (pid: number, started: string) => {
  const now = processState(pid);
  return ENDED.has(now?.state) || now?.started !== started;
};

/** Sends a signal. @returns whether that was allowed: a service without CAP_KILL leaves it to libvirt */
function kill(pid: number, what: string, signal: "SIGTERM" | "SIGKILL" = "SIGKILL"): boolean {
  try {
    Deno.kill(pid, signal);
    log.warn("a process that does not respond is ended", { what, pid, signal });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    if (!isSystemError(error)) throw error;
    log.warn("a process that does not respond may not be killed", { what, pid, error });
    return false;
  }
}

/** Waits for the end of a process. @returns whether it came */
async function ends(pid: number, started: string, ms: number): Promise<boolean> {
  for (let waited = 0; !hasEnded(pid, started); waited += LOOK_MS) {
    if (waited >= ms) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}

/** Kills the TPM of a VM where it cannot answer: libvirt would wait for it. */
async function killTpm({ processes }: LocalMachine, { id, name }: VM): Promise<void> {
  const pid = await processes.tpmOf(id);
  if (pid !== undefined && CANNOT_ANSWER.has(processState(pid)?.state)) kill(pid, `swtpm of ${name}`);
}

/**
 * Kills the QEMU of a VM that does not respond.
 *
 * @returns whether it has ended by that
 * @throws {ContractError} ForceStopFailed where the kernel cannot end it
 */
async function killQemu({ processes }: LocalMachine, { id, name }: VM): Promise<boolean> {
  const pid = processes.pidOf(id);
  const now = pid === undefined ? undefined : processState(pid);
  if (pid === undefined || now === undefined) return false;
  const what = `QEMU of ${name}`, { started } = now;
  if (!STOPPED.has(now.state) && kill(pid, what, "SIGTERM") && await ends(pid, started, QUIT_MS)) return true;
  if (!kill(pid, what)) return false;
  if (await ends(pid, started, END_MS)) return true;
  // Asked to end it, libvirt would hold its lock for 40 seconds, and all lists with it
  throw new ContractError("ForceStopFailed", {
    error:
      message`process ${pid} was killed, but waits in the kernel for storage that does not respond. It ends as soon as that responds, or is unmounted by force (umount -f PATH as root)`,
  });
}

/**
 * Ends a VM at once.
 *
 * @returns its record afterwards; null where libvirt does not give one
 * @throws {ContractError} ForceStopFailed @throws {LibvirtError}
 */
export async function forceOff(host: LibvirtHost, vm: VM): Promise<DomainRecord | null> {
  const { link, machine, inventory } = host;
  if (machine === null) return await link.call("domainDestroy", { uuid: vm.id });
  await killTpm(machine, vm);
  const silent = host.storageMounts?.of(vm), isOnSilentStorage = silent !== undefined;
  if (silent !== undefined && host.sampler.isDiskCallOut(vm.id)) {
    // Once QEMU has ended, libvirt looks into the images itself, with the VM's lock held: all lists would wait for them
    throw new ContractError("ForceStopFailed", {
      error:
        message`libvirt waits for its disks at ${silent.path}, and would take all other VMs along if it ended now. Unmount the storage first (umount -l ${silent.path} as root), then force it off`,
    });
  }
  const pid = machine.processes.pidOf(vm.id);
  // Read now: it may have been stopped a moment ago
  const isStopped = pid !== undefined && !isOnSilentStorage && STOPPED.has(processState(pid)?.state);
  if (link.gate.hangOf(`vm:${vm.id}`) === undefined && !isOnSilentStorage && !isStopped) {
    return await link.call("domainDestroy", { uuid: vm.id });
  }
  // libvirt that sees the end before it is told to end the VM takes it for a crash
  inventory.update(vm.id, { isForcedOff: true });
  let isKilled = false;
  const killing = (async () => {
    if (isStopped) await new Promise((resolve) => setTimeout(resolve, DESTROY_FIRST_MS));
    isKilled = await killQemu(machine, vm);
  })();
  try {
    if (!isStopped) await killing;
    const destroying = link.call("domainDestroy", { uuid: vm.id });
    destroying.catch((error) =>
      log.debug("libvirt did not end a VM that was killed", { vm: vm.name, error })
    );
    await killing;
    if (!isKilled) return await destroying;
    let record: DomainRecord | null = null;
    await within(NOTE_MS, destroying.then((found) => void (record = found)));
    return record;
  } catch (error) {
    if (!isKilled) {
      inventory.update(vm.id, { isForcedOff: false });
      throw error;
    }
    // libvirt has taken note of its end before, or does so as soon as it answers
    log.debug("a VM that was killed needs no other end", { vm: vm.name, error });
    return null;
  }
}
