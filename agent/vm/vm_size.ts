/** Sizes of VMs that quotas of projects limit. */
import { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { summarizeDomain } from "../../lib/formats/xml/domain.ts";
import type { NewVm } from "../../lib/formats/xml/new_vm.ts";
import type { VmSize } from "../../lib/projects/quota.ts";
import { GIB } from "../../lib/text/byte_units.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";

/** Of a VM that is in no project: nothing is read for it. */
const NOT_COUNTED: VmSize = { cpus: 0, memoryMb: 0, diskGb: 0 };

/**
 * Size of a definition, with its disks as they are now. Disks that cannot be read count for nothing.
 *
 * @param project id of the VM's project
 */
export async function sizeOfDefinition(
  { sizes }: LibvirtHost,
  xml: string,
  project: string | undefined,
): Promise<VmSize> {
  if (project === undefined) return NOT_COUNTED;
  const { cpuCount: cpus, maxMemoryMb: memoryMb, disks } = summarizeDomain(xml);
  return { cpus, memoryMb, diskGb: await sizes.totalBytes(disks) / GIB };
}

/** CPUs and memory that a VM had when a snapshot was taken; nothing of one in no project. @throws {LibvirtError} */
export async function sizeInSnapshot(
  { link, projects }: LibvirtHost,
  uuid: string,
  name: string,
): Promise<Pick<VmSize, "cpus" | "memoryMb"> | Record<never, never>> {
  if (projects.projectOf(uuid) === undefined) return {};
  const document = new XmlDocument(await link.call("snapshotXml", { uuid, name }));
  const domain = document.find("inactiveDomain") ?? document.find("domain");
  if (domain === undefined) return {};
  const source = document.sourceOf(domain).replace(/^<inactiveDomain\b/, "<domain").replace(
    /<\/inactiveDomain>$/,
    "</domain>",
  );
  const { cpuCount: cpus, maxMemoryMb: memoryMb } = summarizeDomain(source);
  return { cpus, memoryMb };
}

/** Size of a VM that is to be made. @param project id of its project */
export async function sizeOfNewVm(
  { sizes }: LibvirtHost,
  { cpuCount, memoryMb, disks }: NewVm,
  project: string | undefined,
): Promise<VmSize> {
  if (project === undefined) return NOT_COUNTED;
  let bytes = 0;
  for (const { source, copyOf, sizeGb = 0, format, target, bus } of disks) {
    const path = source?.path ?? copyOf?.path;
    const common = { target, bus, device: "disk", type: source?.type ?? "file", readOnly: false } as const;
    const there = path === undefined ? 0 : await sizes.totalBytes([{
      ...common,
      shareable: false,
      source: path,
      // Of what is copied the image says itself
      ...(source !== undefined && { format }),
    }]);
    bytes += Math.max(there, sizeGb * GIB);
  }
  return { cpus: cpuCount, memoryMb, diskGb: bytes / GIB };
}
