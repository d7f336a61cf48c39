/** Changes of a VM's devices as steps: each is written down before it is made, and taken back by what was before. */
import { LibvirtError } from "../../../ffi/error.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { sameDevice } from "../../../lib/formats/xml/same_device.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { sleep, SYSTEM_CLOCK } from "../../clock.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { left, NOTHING, Refused, type StepOutcome } from "../../operations/outcome.ts";
import type { StepRule, StepRules } from "../../operations/settlement.ts";
import type { DeviceChanged, LimitsChanged } from "../../operations/step.ts";
import { requireReachable } from "../../storage/reachable.ts";
import { isOff } from "../lifecycle/undefine.ts";
import { runOf } from "./configurations.ts";
import { release } from "./release.ts";

/** libvirt's words for a guest whose system has closed the drive again just then, as those do that look for a medium. */
const CLOSED_AGAIN = /tray of (?:the )?device\b.* is not open/i;
/** Milliseconds that a medium is tried to be changed until the drive stays open for it, and between: firmware closes it for seconds. */
const CLOSING_MS = 8000, AGAIN_MS = 200;
export const isClosedAgain = (error: unknown) =>
  error instanceof LibvirtError && CLOSED_AGAIN.test(error.message);

/** Configuration that a call changes. */
interface Where {
  readonly live: boolean;
  readonly config: boolean;
}

const placeOf = ({ run }: { readonly run: string | null }): Where => ({
  live: run !== null,
  config: run === null,
});

/** Gives a device another element; a drive that its guest closes again is tried for some time. @throws {LibvirtError} */
export async function updateDevice(
  host: LibvirtHost,
  uuid: string,
  xml: string,
  where: Where,
  force = false,
): Promise<void> {
  for (const end = SYSTEM_CLOCK.monotonic() + CLOSING_MS;;) {
    await requireReachable(host, xml);
    try {
      await host.link.call("domainUpdateDevice", { uuid, xml, ...where, force });
      return;
    } catch (error) {
      if (!isClosedAgain(error) || SYSTEM_CLOCK.monotonic() > end) throw error;
      await sleep(SYSTEM_CLOCK, AGAIN_MS);
    }
  }
}

/** The configuration as it is now; undefined where the VM is gone, or runs no more as it did. */
async function documentOf(
  { link }: LibvirtHost,
  { uuid, run }: { readonly uuid: string; readonly run: string | null },
): Promise<XmlDocument | undefined> {
  const domain = await link.call("domainRead", { uuid });
  if (domain === null || (run === null ? !domain.persistent : isOff(domain))) return undefined;
  const document = new XmlDocument(
    await link.call("domainXml", { uuid, secure: false, inactive: run === null }),
  );
  return run === null || runOf(document) === run ? document : undefined;
}

type AnyChange = Pick<DeviceChanged, "uuid" | "device" | "run" | "force">;

/** Makes a device what it was or is to be; null: it is to be gone. */
async function put(
  host: LibvirtHost,
  step: AnyChange,
  from: string | null,
  to: string | null,
): Promise<StepOutcome> {
  const { uuid, device, run, force = false } = step, document = await documentOf(host, step);
  const there = document && sameDevice(document, (from ?? to)!);
  if (document === undefined || (to === null && there === undefined)) return NOTHING;
  const now = there && document.sourceOf(there), where = placeOf(step);
  if (to === null) {
    const find = (again: XmlDocument) => sameDevice(again, now!);
    if (run !== null) await release(host, uuid, device, document, there!, find);
    else await host.link.call("domainDetachDevice", { uuid, xml: now!, ...where });
    return { did: "done" };
  }
  // One that was to be changed and is gone is not brought back; one that is as it is to be stays.
  if (now === undefined ? from !== null : from === null || now === to) return NOTHING;
  if (now !== undefined) await updateDevice(host, uuid, to, where, force);
  else {
    await requireReachable(host, to);
    await host.link.call("domainAttachDevice", { uuid, xml: to, ...where });
  }
  return { did: "done" };
}

/** {@link put}, after which the VM is known as it is: what follows looks at who has which files. */
async function putAndRead(
  host: LibvirtHost,
  step: AnyChange,
  from: string | null,
  to: string | null,
): Promise<StepOutcome> {
  const outcome = await put(host, step, from, to), vm = host.inventory.vm(step.uuid);
  if (vm !== undefined) await host.reread(vm);
  return outcome;
}

/** Refusals by libvirt or the guest are not tried again. */
const isRefusal = (error: unknown): boolean =>
  (error instanceof LibvirtError && error.kind === "libvirt") ||
  (error instanceof ContractError && error.code === "DeviceNotReleased");

/** Takes a change back as far as that can be done. @throws what is to be tried again */
async function back(what: string, run: () => Promise<StepOutcome>): Promise<StepOutcome> {
  try {
    return await run();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    return left(what, messageOf(error));
  }
}

const deviceChanged: StepRule<"device-changed"> = {
  undo: (step, at) => back(step.device, () => putAndRead(at.vms, step, step.after, step.before)),
};

const deviceDoomed: StepRule<"device-doomed"> = {
  finish: async (step, { vms }) => {
    try {
      return await putAndRead(vms, step, step.xml, null);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      throw new Refused(messageOf(error), { cause: error });
    }
  },
  undo: (step, at) => back(step.device, () => putAndRead(at.vms, step, null, step.xml)),
};

/** Sets limits of a running VM's device. @throws {LibvirtError} */
export async function setLimits(
  { link }: LibvirtHost,
  { uuid, target, of }: Pick<LimitsChanged, "uuid" | "target" | "of">,
  limits: Readonly<Record<string, number>>,
): Promise<void> {
  await (of === "disk"
    ? link.call("domainSetBlockIoTune", { uuid, target, limits })
    : link.call("domainSetInterfaceLimits", { uuid, device: target, limits }));
}

const limitsChanged: StepRule<"limits-changed"> = {
  undo: (step, at) =>
    back(step.device, async () => {
      if (await documentOf(at.vms, step) === undefined) return NOTHING;
      await setLimits(at.vms, step, step.before);
      return { did: "done" };
    }),
};

/** How changes of devices are settled. */
export const deviceSteps = {
  "device-changed": deviceChanged,
  "device-doomed": deviceDoomed,
  "limits-changed": limitsChanged,
} satisfies Partial<StepRules>;
