/** The devices of one host: read from libvirt when they are asked for, with who has them and what the host itself needs. */
import { isUnsupported } from "../libvirt/failure.ts";
import { takenDevices } from "../../lib/formats/xml/host_device.ts";
import { type NodeDevice, readNodeDevice } from "../../lib/formats/xml/node_device.ts";
import { parseXml } from "../../lib/formats/xml/tree.ts";
import { pciClass } from "../../lib/host_devices/class.ts";
import { type AssignedDevice, hasIommu, type HostUse, listedDevices } from "../../lib/host_devices/list.ts";
import type { Output } from "../../lib/contract/mod.ts";
import { undefinedIfMissing } from "../machine/files.ts";
import { definitionsOf } from "../libvirt/definitions.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { hostUses } from "./host_use.ts";

/** Every device that libvirt knows of. @throws {LibvirtError} */
export async function listNodeDevices({ link }: LibvirtHost): Promise<NodeDevice[]> {
  return (await link.call("nodeDevices")).map(readNodeDevice).filter((each) => each !== undefined);
}

/** The same; undefined where this libvirt lists none. @throws {LibvirtError} */
export async function knownNodeDevices(host: LibvirtHost): Promise<NodeDevice[] | undefined> {
  try {
    return await listNodeDevices(host);
  } catch (error) {
    if (isUnsupported(error)) return undefined;
    throw error;
  }
}

/** VMs that have devices of the host: now, and from their next start on. @throws {LibvirtError} */
export async function takenOn(host: LibvirtHost): Promise<AssignedDevice[]> {
  return (await definitionsOf(host, host.inventory.vms())).flatMap(
    ({ vm: { id: vmId, name }, live, next }) => {
      const of = (xml: string, running: boolean) =>
        takenDevices(parseXml(xml)).map((ref) => ({ ref, vmId, name, running }));
      return [...live === null ? [] : of(live, true), ...of(next, false)];
    },
  );
}

/** Serial numbers that USB devices of this host tell. Source: the kernel's sysfs. */
async function serialsOf(devices: readonly NodeDevice[]): Promise<Map<string, string>> {
  const found = devices.map(async ({ path, capability }): Promise<[string, string][]> => {
    if (capability.kind !== "usb" || path === undefined) return [];
    // As the device says it: any bytes.
    const bytes = await undefinedIfMissing(Deno.readFile(`${path}/serial`));
    const serial = bytes && new TextDecoder().decode(bytes).trim();
    return serial ? [[path, serial]] : [];
  });
  return new Map((await Promise.all(found)).flat());
}

/** Note on other hosts: only this host's own use of devices is known, as libvirt reports none. */
const REMOTE_USE = "KVM Manager cannot tell from here whether that host needs it";

/** Of another host: every disk, network device and screen might be its own. */
function remoteUses(devices: readonly NodeDevice[]): HostUse[] {
  return devices.flatMap(({ path, capability }) => {
    const isScreen = capability.kind === "pci" && pciClass(capability) === "gpu";
    const isUse = capability.kind === "net" || capability.kind === "storage" || isScreen;
    return isUse && path !== undefined ? [{ path, reason: REMOTE_USE, isVital: false }] : [];
  }).filter(({ path }, index, all) => all.findIndex((other) => other.path === path) === index);
}

/** The host's devices as they are now. @throws {LibvirtError} */
export async function listHostDevices(host: LibvirtHost): Promise<Output<"get_host_devices">> {
  const { machine } = host;
  const all = await listNodeDevices(host);
  const [taken, uses, serials] = await Promise.all([
    takenOn(host),
    machine === null ? remoteUses(all) : hostUses(machine),
    machine === null ? new Map<string, string>() : serialsOf(all),
  ]);
  return { iommu: hasIommu(all), devices: listedDevices(all, { taken, uses, serials }) };
}
