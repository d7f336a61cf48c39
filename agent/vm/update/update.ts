/** Changing a VM's hardware: what is stored first, then what a running VM can take at once. */
import type { DomainXmls } from "../../../ffi/calls/mod.ts";
import {
  ContractError,
  type Hardware,
  type HardwareChange,
  type UpdateVmResult,
  type VM,
} from "../../../lib/contract/mod.ts";
import { changedFields, fieldText, parseCpus } from "../../../lib/formats/xml/hardware.ts";
import { changeBack } from "../../../lib/formats/xml/hardware_back.ts";
import { editHardware } from "../../../lib/formats/xml/hardware_edit.ts";
import { notTaken } from "../../../lib/formats/xml/hardware_outcome.ts";
import { checkHardware, type Fit, hardwareWarnings } from "../../../lib/formats/xml/hardware_check.ts";
import type { Principal } from "../../access.ts";
import { cannotLive, contractError } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { Operation } from "../../operations/operation.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { requireOwner } from "../lifecycle/power.ts";
import { changeMetadata } from "../own_metadata.ts";
import { hasMemorySaved } from "../saved_memory.ts";
import type { HardwareSource } from "./options.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { allOrNothing, type UpdateStep } from "./steps.ts";
import type { Coverage } from "../../coverage/coverage.ts";

/** How often a change is made again because somebody else changed the VM in the same moment. */
const MOST_TRIES = 10;

/** How a change is made. */
export interface UpdateOptions {
  /** Leaves the running VM as it is. */
  readonly nextBootOnly: boolean;
  /** More memory than the host has is a warning. */
  readonly allowOvercommit: boolean;
  /** The principal. */
  readonly principal: Pick<Principal, "name" | "rights">;
  /** Objects that apply to a VM by its tags and group. */
  readonly coverage: Pick<Coverage, "changes">;
}

/** A VM under change. */
interface Work {
  readonly host: LibvirtHost;
  readonly vm: VM;
  readonly change: HardwareChange;
  readonly xmls: DomainXmls;
  /** Present hardware; null when the VM is off, or is to be left as it is. */
  readonly live: Hardware | null;
  readonly fit: Fit;
  readonly hostCpus: number;
}

/** The same error for whatever libvirt says no to. */
const failed = (error: unknown) => contractError(error, "UpdateFailed", "update_vm");

/** Somebody else changed the stored definition between reading and writing it. */
class Overtaken extends Error {
  override readonly name = "Overtaken";
}

/** Replaces the stored definition; taking it back must find what was stored. */
function storeSteps({ host: { link }, vm, xmls, change, hostCpus }: Work): UpdateStep[] {
  const edited = editHardware(xmls.next, change);
  if (edited === xmls.next) return [];
  let stored: string | null = null;
  return [{
    name: "the stored configuration",
    run: async () => {
      stored = await link.call("domainRedefine", { uuid: vm.id, from: xmls.next, xml: edited }).catch(
        (error) => {
          throw failed(error);
        },
      );
      if (stored === null) throw new Overtaken();
    },
    undo: async () => {
      const back = await link.call("domainRedefine", { uuid: vm.id, from: stored!, xml: xmls.next });
      if (back === null) throw new Error("somebody else has changed it meanwhile");
    },
  }, {
    name: "what libvirt made of it",
    run: () => {
      const missed = notTaken(change, edited, stored!, hostCpus);
      return missed === undefined
        ? Promise.resolve()
        : Promise.reject(new ContractError("UpdateFailed", { error: missed }));
    },
  }];
}

/** A step in the running VM, passed over where libvirt cannot do it live. */
function liveStep(name: string, run: () => Promise<unknown>, undo: () => Promise<unknown>): UpdateStep {
  let isDone = false;
  return {
    name,
    run: async () => {
      try {
        await run();
        isDone = true;
      } catch (error) {
        if (!cannotLive(error)) throw failed(error);
        log.info("a change waits for the next boot", { change: name, error });
      }
    },
    undo: async () => {
      if (isDone) await undo();
    },
  };
}

function memoryStep({ host: { link }, vm, change, live }: Work): UpdateStep[] {
  const wanted = change.memory?.currentMb;
  if (!live || wanted === undefined || wanted > live.memory.maxMb || wanted === live.memory.currentMb) {
    return [];
  }
  const set = (mb: number) => () => link.call("domainSetMemory", { uuid: vm.id, kib: mb * 1024 });
  return [liveStep("memory", set(wanted), set(live.memory.currentMb))];
}

function pinSteps({ host: { link }, vm, change, live }: Work): UpdateStep[] {
  const pinning = change.cpu?.pinning;
  if (!live || pinning === undefined) return [];
  const of = (pins: Hardware["cpu"]["pinning"], vcpu: number) => {
    const cpus = pins.find((each) => each.vcpu === vcpu)?.cpus;
    return cpus === undefined ? undefined : parseCpus(cpus);
  };
  const pin = (vcpu: number, cpus: number[] | undefined) => () =>
    link.call("domainPinVcpu", { uuid: vm.id, vcpu, ...(cpus && { cpus }) });
  return Array.from({ length: live.cpu.max }, (_, vcpu) => vcpu).flatMap((vcpu) => {
    const [before, after] = [of(live.cpu.pinning, vcpu), of(pinning, vcpu)];
    return String(before) === String(after)
      ? []
      : [liveStep(`pinning of vCPU ${vcpu}`, pin(vcpu, after), pin(vcpu, before))];
  });
}

function textSteps({ host: { link }, vm, change, live }: Work): UpdateStep[] {
  return (["title", "description"] as const).flatMap((what) => {
    const text = change[what];
    if (!live || text === undefined || text === live[what]) return [];
    const set = (value: string) => () => link.call("domainSetText", { uuid: vm.id, what, text: value });
    return [liveStep(what, set(text), set(live[what]))];
  });
}

/** Last of the live ones: a guest may refuse to give a vCPU back, and a vCPU that was added can rarely be taken away. */
function vcpuStep({ host: { link }, vm, change, live }: Work): UpdateStep[] {
  const wanted = change.cpu?.count;
  if (!live || wanted === undefined || wanted > live.cpu.max || wanted === live.cpu.count) return [];
  const set = (count: number) => () => link.call("domainSetVcpus", { uuid: vm.id, count });
  return [liveStep("vCPUs", set(wanted), set(live.cpu.count))];
}

function autostartStep({ host: { link }, vm, change: { autostart } }: Work): UpdateStep[] {
  if (autostart === undefined || autostart === vm.autostart) return [];
  const set = (on: boolean) => () =>
    link.call("domainSetAutostart", { uuid: vm.id, autostart: on }).catch((error) => {
      throw failed(error);
    });
  return [{ name: "autostart", run: set(autostart), undo: set(!autostart) }];
}

/** Tags and group, in the live and the stored configuration at once: one call, and the last. */
function metadataStep({ host, vm, change }: Work): UpdateStep[] {
  const { tags, group } = change;
  if (tags === undefined && group === undefined) return [];
  const labels = {
    ...(tags !== undefined && { tags }),
    ...(group !== undefined && { group: group || undefined }),
  };
  return [{
    name: "tags and group",
    run: () =>
      changeMetadata(host, vm.id, labels).catch((error) => {
        throw failed(error);
      }),
  }];
}

/** Everything a change takes, in an order in which most can be taken back. */
const STEPS = [storeSteps, memoryStep, pinSteps, textSteps, autostartStep, vcpuStep, metadataStep] as const;

/** Result for the named fields: in force now, or from the next boot on. */
function outcome(
  { live, next }: { live: Hardware | null; next: Hardware },
  vm: VM,
  change: HardwareChange,
): Omit<UpdateVmResult, "warnings"> {
  const fields = changedFields(change).map((field) => ({
    field: field as string,
    live: live && fieldText(live, field),
    next: fieldText(next, field),
  }));
  const own = { autostart: String(vm.autostart), tags: vm.tags.join(" ") || null, group: vm.group ?? null };
  const rest = (["autostart", "tags", "group"] as const).filter((field) => change[field] !== undefined)
    .map((field) => ({ field, live: live && own[field], next: own[field] }));
  const waits = (each: { live: string | null; next: string | null }) =>
    live !== null && each.live !== each.next;
  return {
    applied: [...fields.filter((each) => !waits(each)), ...rest],
    waiting: fields.filter(waits),
  };
}

/** Line ends as XML has them: a browser's form sends others. */
function normalised({ description, ...change }: HardwareChange): HardwareChange {
  return {
    ...change,
    ...(description !== undefined && { description: description.replace(/\r\n?/g, "\n") }),
  };
}

/**
 * Changes a VM's hardware and settings: all of it, or nothing.
 *
 * @throws {ContractError} refusals of {@link checkHardware}; VmNotPersistent, VmNotOwner, UpdateFailed, VmBusy
 */
export async function updateVm(
  host: LibvirtHost,
  source: HardwareSource,
  vmId: string,
  asked: HardwareChange,
  { nextBootOnly, allowOvercommit, principal, coverage }: UpdateOptions,
): Promise<UpdateVmResult> {
  const vm = host.requireVm(vmId);
  if (!vm.persistent) throw new ContractError("VmNotPersistent");
  const change = normalised(asked);
  if (change.autostart === true) requireOwner(host, vm);
  let warnings: string[] = [];
  const spec = {
    command: "update_vm",
    subject: vm.name,
    vmId: vm.id,
    actor: principal.name,
    keys: [keyOf.vm(vm.id)],
  } as const;
  const input = { vmId, nextBootOnly, allowOvercommit, ...change };
  const run = async (operation: Operation) => {
    for (let tries = 1;; tries++) {
      const { xmls, live, next, options, hostCpus } = await source.read(vm, true);
      const fit = { next, options, allowOvercommit };
      checkHardware(change, fit);
      warnings = hardwareWarnings(change, fit);
      const back = { vmId, nextBootOnly, allowOvercommit: true, ...changeBack(change, next, vm) };
      const noted = operation.add({ kind: "change-wanted", command: "update_vm", input, back });
      const work: Work = { host, vm, change, xmls, live: nextBootOnly ? null : live, fit, hostCpus };
      try {
        const done = await allOrNothing(STEPS.flatMap((steps) => steps(work)), () => noted.drop());
        // A program that read it before, as virsh edit, may have stored it without this change since
        const { xmls: { next: stored } } = await source.read(vm, true),
          edited = editHardware(xmls.next, change);
        if (tries === 1 && notTaken(change, edited, stored, hostCpus) !== undefined) throw new Overtaken();
        return done;
      } catch (error) {
        if (!(error instanceof Overtaken)) {
          // What was taken back is told by no event; whoever asks next must not see it as it was in between.
          await host.inventory.refresh(vm.id).catch((reading) =>
            log.debug("a domain could not be read after an update", { vm: vm.name, error: reading })
          );
          throw error;
        }
        if (tries < MOST_TRIES) continue;
        throw new ContractError("UpdateFailed", {
          error: "somebody else keeps changing this VM. Try again.",
        });
      }
    }
  };
  const { cpu, memory } = change, memoryMb = Math.max(memory?.maxMb ?? 0, memory?.currentMb ?? 0);
  await host.claims.operate(vm, "updating", async () => {
    using admission = host.projects.grow(vm, {
      ...(cpu?.count !== undefined && { cpus: cpu.count }),
      ...(memoryMb > 0 && { memoryMb }),
    });
    await host.operations.run(spec, run);
    admission.keep();
  });
  const { live, next } = await source.read(vm, false), { tags, group } = change;
  // What was saved with a VM's memory is what its next start has.
  const now = live ?? (await hasMemorySaved(host, vm) ? await source.saved(vm) : null);
  const labels = {
    ...(tags !== undefined && { tags }),
    ...(group !== undefined && { group: group || undefined }),
  };
  const told = [...warnings, ...coverage.changes(vm, labels, principal.rights)];
  return { ...outcome({ live: now, next }, host.requireVm(vmId), change), warnings: told };
}
