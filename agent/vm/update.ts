/** Changing a machine's hardware: what is stored first, then what a running machine can take at once. */
import type { DomainXmls } from "../../ffi/calls/mod.ts";
import {
  ContractError,
  type Hardware,
  type HardwareChange,
  type UpdateVmResult,
  type VM,
} from "../../lib/contract/mod.ts";
import { METADATA_PREFIX, METADATA_URI, ownMetadata, summarizeDomain } from "../../lib/xml/domain.ts";
import { changedFields, fieldText, parseCpus } from "../../lib/xml/hardware.ts";
import { editHardware } from "../../lib/xml/hardware_edit.ts";
import { checkHardware, type Fit, hardwareWarnings } from "../../lib/xml/hardware_check.ts";
import { cannotLive, contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { HardwareSource } from "./update_options.ts";
import type { VmServices } from "./services.ts";
import { allOrNothing, type Step } from "./update_steps.ts";

/** How often a change is made anew because somebody else changed the machine in the same moment. */
const MOST_TRIES = 3;

/** A machine under change. */
interface Work {
  readonly services: VmServices;
  readonly vm: VM;
  readonly change: HardwareChange;
  readonly xmls: DomainXmls;
  /** What it has now; null when it is off, or is to be left as it is. */
  readonly live: Hardware | null;
  readonly fit: Fit;
}

/** The same error for whatever libvirt says no to. */
const failed = (error: unknown) => contractError(error, "UpdateFailed", "update_vm");

/** Somebody else changed the stored definition between reading and writing it. */
class Overtaken extends Error {
  override readonly name = "Overtaken";
}

/** Replaces the stored definition; taking it back must find what was stored. */
function storeStep({ services: { link }, vm, xmls, change }: Work): Step[] {
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
  }];
}

/** A step in the running machine, passed over where libvirt cannot do it live. */
function liveStep(name: string, run: () => Promise<unknown>, undo: () => Promise<unknown>): Step {
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

function memoryStep({ services: { link }, vm, change, live }: Work): Step[] {
  const wanted = change.memory?.currentMb;
  if (!live || wanted === undefined || wanted > live.memory.maxMb || wanted === live.memory.currentMb) {
    return [];
  }
  const set = (mb: number) => () => link.call("domainSetMemory", { uuid: vm.id, kib: mb * 1024 });
  return [liveStep("memory", set(wanted), set(live.memory.currentMb))];
}

function pinSteps({ services: { link }, vm, change, live }: Work): Step[] {
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

function textSteps({ services: { link }, vm, change, live }: Work): Step[] {
  return (["title", "description"] as const).flatMap((what) => {
    const text = change[what];
    if (!live || text === undefined || text === live[what]) return [];
    const set = (value: string) => () => link.call("domainSetText", { uuid: vm.id, what, text: value });
    return [liveStep(what, set(text), set(live[what]))];
  });
}

/** Last of the live ones: a guest may refuse to give a vCPU back, and a vCPU that was added can rarely be taken away. */
function vcpuStep({ services: { link }, vm, change, live }: Work): Step[] {
  const wanted = change.cpu?.count;
  if (!live || wanted === undefined || wanted > live.cpu.max || wanted === live.cpu.count) return [];
  const set = (count: number) => () => link.call("domainSetVcpus", { uuid: vm.id, count });
  return [liveStep("vCPUs", set(wanted), set(live.cpu.count))];
}

function autostartStep({ services: { link }, vm, change: { autostart } }: Work): Step[] {
  if (autostart === undefined || autostart === vm.autostart) return [];
  const set = (on: boolean) => () =>
    link.call("domainSetAutostart", { uuid: vm.id, autostart: on }).catch((error) => {
      throw failed(error);
    });
  return [{ name: "autostart", run: set(autostart), undo: set(!autostart) }];
}

/** Tags and group, in the live and the stored configuration at once: one call, and the last. */
function metadataStep({ services: { link }, vm, change, xmls }: Work): Step[] {
  const { tags, group } = change;
  if (tags === undefined && group === undefined) return [];
  const before = summarizeDomain(xmls.next);
  const xml = ownMetadata({
    createdAt: before.createdAt,
    tags: tags ?? before.tags,
    group: group === undefined ? before.group : group.trim() || undefined,
  });
  const kept = { uuid: vm.id, xml, prefix: METADATA_PREFIX, uri: METADATA_URI };
  return [{
    name: "tags and group",
    run: () =>
      link.call("domainSetMetadata", kept).catch((error) => {
        throw failed(error);
      }),
  }];
}

/** Everything a change takes, in an order in which most can be taken back. */
const STEPS = [storeStep, memoryStep, pinSteps, textSteps, autostartStep, vcpuStep, metadataStep] as const;

/** What came of the named fields: in force now, or from the next boot on. */
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
 * Changes a machine's hardware and settings: all of it, or nothing.
 *
 * @param nextBootOnly leaves the running machine as it is
 * @throws {ContractError} what {@link checkHardware} says no to; VmNotPersistent, UpdateFailed, VmBusy
 */
export async function updateVm(
  services: VmServices,
  source: HardwareSource,
  vmId: string,
  asked: HardwareChange,
  nextBootOnly: boolean,
): Promise<UpdateVmResult> {
  const vm = services.requireVm(vmId);
  if (!vm.persistent) throw new ContractError("VmNotPersistent");
  const change = normalised(asked);
  let warnings: string[] = [];
  await services.operate(vm, "updating", async () => {
    for (let tries = 1;; tries++) {
      const { xmls, live, next, options } = await source.read(vm, true);
      const fit = { next, options };
      checkHardware(change, fit);
      warnings = hardwareWarnings(change, fit);
      const work: Work = { services, vm, change, xmls, live: nextBootOnly ? null : live, fit };
      try {
        return await allOrNothing(STEPS.flatMap((steps) => steps(work)));
      } catch (error) {
        if (!(error instanceof Overtaken)) {
          // What was taken back is told by no event; whoever asks next must not see it as it was in between.
          await services.inventory.refresh(vm.id).catch((reading) =>
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
  });
  const after = await source.read(vm, false);
  return { ...outcome(after, services.requireVm(vmId), change), warnings };
}
