/**
 * Disks that go over to new images for an external snapshot, as a step. QEMU goes over first; a libvirtd that is ended then
 * knows the new images not at all, or for the running VM alone, and would start the VM from the old ones next time: what the
 * guest has written since would be lost. Seen with libvirt 9.0.
 */
import { setDisk } from "../../../lib/formats/xml/clone.ts";
import { disksOf } from "../../../lib/formats/xml/device_diff.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { sleep, SYSTEM_CLOCK } from "../../clock.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { openFilesOf } from "../../machine/open_files.ts";
import { resolvedPath } from "../../machine/resolved_path.ts";
import { NOTHING, t } from "../../operations/outcome.ts";
import type { StepRule } from "../../operations/settlement.ts";
import type { DisksSwitched } from "../../operations/step.ts";
import { originOf } from "../../storage/disk_origin.ts";
import { noteSuccessor } from "../disk_lineage.ts";
import { isOff } from "../lifecycle/undefine.ts";

/** Milliseconds in which libvirt has stored what QEMU has done. */
const STORED_MS = 2000;

/** Path of the image of each disk. */
export const imagesOf = (xml: string) => new Map(disksOf(xml).map(({ target, source }) => [target, source]));

/** Process of a VM's QEMU; undefined where none is to be seen. */
export const qemuOf = async ({ link: { machine } }: LibvirtHost, uuid: string) =>
  (await machine?.processes.all())?.get(uuid);

/**
 * The one of two images that QEMU writes to, as far as can be seen: it reads the lower one alone while it writes to the
 * one on it, and has both open to write in a merge.
 */
export async function writtenOf(
  { link: { machine } }: LibvirtHost,
  pid: number,
  images: { readonly overlay: string; readonly base: string },
): Promise<"overlay" | "base" | undefined> {
  const overlay = await resolvedPath(machine, images.overlay);
  const base = await resolvedPath(machine, images.base);
  const open = await openFilesOf(pid, [overlay, base]);
  if (open.get(base) === true) return "base";
  return open.get(overlay) === true && open.has(base) ? "overlay" : undefined;
}

/** A running VM's definition for the next start, with its new images. */
interface Unstored {
  readonly document: XmlDocument;
  /** Targets of the disks that have them there alone. */
  readonly stored: readonly string[];
  /** One of them is not known for the running VM either. */
  readonly isUnknown: boolean;
}

/** The next start's definition with the new images; undefined where libvirt has all that QEMU uses. */
async function unstored(vms: LibvirtHost, { uuid, disks }: DisksSwitched): Promise<Unstored | undefined> {
  const { link } = vms, domain = await link.call("domainRead", { uuid });
  if (domain === null || isOff(domain) || !domain.persistent) return undefined;
  const read = (inactive: boolean) => link.call("domainXml", { uuid, secure: true, inactive });
  const live = imagesOf(await read(false)), definition = await read(true), next = imagesOf(definition);
  const document = new XmlDocument(definition);
  // All processes of the host are looked through for it: once, and only where it is asked for
  const pid = disks.some(({ target, overlay }) => live.get(target) !== overlay)
    ? await qemuOf(vms, uuid)
    : undefined;
  const stored: string[] = [];
  let isUnknown = false;
  for (const disk of disks) {
    const { target, overlay, chain } = disk, isKnown = live.get(target) === overlay;
    const base = chain[0]!.path;
    if (next.get(target) !== base) continue;
    if (!isKnown && (pid === undefined || await writtenOf(vms, pid, { overlay, base }) !== "overlay")) {
      continue;
    }
    setDisk(document, target, { path: overlay, format: "qcow2", type: "file", backing: chain });
    stored.push(target);
    isUnknown ||= !isKnown;
  }
  return stored.length > 0 ? { document, stored, isUnknown } : undefined;
}

/** Has the next start use the images that the disks of a running VM use. */
export const disksSwitched: StepRule<"disks-switched"> = {
  undo: async (step, { vms }) => {
    if (await unstored(vms, step) === undefined) return NOTHING;
    // libvirt may be just about to store it
    await sleep(SYSTEM_CLOCK, STORED_MS);
    const found = await unstored(vms, step);
    if (found === undefined) return NOTHING;
    await vms.link.call("domainDefine", { xml: found.document.toString() });
    // No snapshot has the images below: this alone tells their owner
    for (const { target, overlay, chain } of step.disks) {
      if (!found.stored.includes(target)) continue;
      const { path, type } = chain[0]!;
      await noteSuccessor(vms, step.uuid, await originOf(vms, { type, source: path }), overlay);
    }
    await vms.inventory.refresh(step.uuid);
    const { name } = step;
    return {
      did: "kept",
      note: t(found.isUnknown ? "operations.switched_unknown" : "operations.switched", { name }),
    };
  },
};
