/** Starting a VM from somewhere else than its boot order says, this once. */
import { type BootFrom, ContractError, type VM } from "../../../lib/contract/mod.ts";
import { bootOnceXml } from "../../../lib/formats/xml/boot_once.ts";
import { summarizeDomain } from "../../../lib/formats/xml/domain.ts";
import { bootObstacle } from "../../../lib/vm/boot_once.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { editableXml } from "../xml.ts";
import { requireStartable } from "./start_check.ts";

/** Names of the boot choices in errors. */
const NAMES: Readonly<Record<BootFrom, string>> = {
  disk: "a disk",
  cdrom: "a CD-ROM drive",
  network: "the network",
  menu: "the firmware's boot menu",
};

/**
 * Starts a stopped VM from there. libvirt keeps its stored definition in addition to that of this run.
 *
 * @throws {ContractError} BootWouldResume, BootSourceMissing, and as {@link requireStartable} @throws {LibvirtError}
 */
export async function startOnce(host: LibvirtHost, vm: VM, bootFrom: BootFrom): Promise<void> {
  const { link } = host, from = NAMES[bootFrom];
  const { managedSave } = await link.call("domainKeeps", { uuid: vm.id });
  if (managedSave || vm.state === "suspended") throw new ContractError("BootWouldResume", { from });
  await requireStartable(host, vm);
  const stored = await editableXml(host, vm);
  const { disks, interfaces } = summarizeDomain(stored);
  const reason = bootObstacle(bootFrom, { disks, networkInterfaces: interfaces });
  if (reason !== undefined) throw new ContractError("BootSourceMissing", { from, reason });
  await link.call("domainStartOnce", { xml: bootOnceXml(stored, bootFrom) });
}
