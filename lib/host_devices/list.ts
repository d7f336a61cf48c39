/** The host's devices as people choose among them, out of what libvirt says about each, who has them and what the host needs. Pure. */
import type { HostDevice, HostDeviceUser } from "../contract/mod.ts";
import { type HostDeviceRef, mayBeSame, refText } from "../formats/xml/host_device.ts";
import type {
  NodeCapability,
  NodeDevice,
  PciCapability,
  UsbCapability,
  UsbInterfaceCapability,
} from "../formats/xml/node_device.ts";
import { pciClass, usbClass } from "./class.ts";

/** Something the host itself uses, and where it stands in the kernel's tree. */
export interface HostUse {
  readonly path: string;
  /** The end of a sentence: "the file system / is on it (vda)". */
  readonly reason: string;
  /** The host does not go on without it; else it may be given away when that is wanted. */
  readonly isVital: boolean;
}

/** A VM's device of the host. */
export interface AssignedDevice extends HostDeviceUser {
  readonly ref: HostDeviceRef;
}

/** Facts in addition to libvirt's list. */
export interface DeviceListFacts {
  readonly uses: readonly HostUse[];
  readonly taken: readonly AssignedDevice[];
  /** Serial numbers by the device's place in the kernel's tree. */
  readonly serials: ReadonlyMap<string, string>;
}

type Of<C extends NodeCapability> = NodeDevice<C>;
const isKind = <K extends NodeCapability["kind"]>(kind: K) =>
(
  device: NodeDevice,
): device is Of<Extract<NodeCapability, { kind: K }>> => device.capability.kind === kind;

const isBelow = (path: string | undefined, top: string | undefined) =>
  path !== undefined && top !== undefined && (path === top || path.startsWith(`${top}/`));

/** The Linux Foundation: USB controllers have a hub of their own, which is the host's. */
const ROOT_HUB = "1d6b";
/** A hub that says so of itself; its interface may be one that libvirt does not list. */
const isHub = ({ vendorId }: UsbCapability, interfaces: readonly UsbInterfaceCapability["code"][]) =>
  vendorId === ROOT_HUB || usbClass(interfaces) === "hub";

/** Name for people; its numbers if no name is known. */
function nameOf({ vendor, product, vendorId, productId }: PciCapability | UsbCapability): string {
  // Both say who made it, at times.
  const isTwice = vendor !== undefined && product?.toLowerCase().startsWith(vendor.toLowerCase());
  const known = [isTwice ? undefined : vendor, product].filter((each) => each !== undefined).join(" ");
  return known !== "" && product !== undefined ? known : `${known} ${vendorId}:${productId}`.trim();
}

const bridgeReason = "it leads to other devices of the host";

/** Needs of the host that speak against passing a device through: a refusal or a warning. */
function hindrances(device: NodeDevice, uses: readonly HostUse[]): Pick<HostDevice, "refused" | "caution"> {
  const mine = uses.filter(({ path }) => isBelow(path, device.path));
  const vital = mine.find(({ isVital }) => isVital);
  if (vital !== undefined) return { refused: `the host needs it: ${vital.reason}` };
  return mine.length === 0 ? {} : { caution: mine.map(({ reason }) => reason).join("; ") };
}

function providedBy(device: NodeDevice, all: readonly NodeDevice[]): string[] {
  return all.flatMap(({ path, capability }) => {
    if (!isBelow(path, device.path) || path === device.path) return [];
    if (capability.kind === "net") return [capability.name];
    return capability.kind === "storage" ? [capability.block.replace(/^\/dev\//, "")] : [];
  }).sort();
}

/** Leaves out what is undefined. */
const told = <T extends object>(fields: T) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>;
  };

function users(ref: HostDeviceRef, taken: readonly AssignedDevice[]): HostDeviceUser[] {
  const found = new Map<string, HostDeviceUser>();
  for (const { ref: other, vmId, name, running } of taken) {
    if (!mayBeSame(ref, other)) continue;
    found.set(vmId, { vmId, name, running: running || (found.get(vmId)?.running ?? false) });
  }
  return [...found.values()].sort((a, b) => a.name < b.name ? -1 : 1);
}

function pciDevice(
  device: Of<PciCapability>,
  all: readonly NodeDevice[],
  facts: DeviceListFacts,
): HostDevice {
  const { capability: is } = device;
  const cls = pciClass(is);
  return {
    device: is.address,
    kind: "pci",
    name: nameOf(is),
    class: cls,
    address: is.address,
    vendorId: is.vendorId,
    productId: is.productId,
    provides: providedBy(device, all),
    groupMembers: [...is.iommuGroup?.members ?? []],
    usedBy: users({ kind: "pci", address: is.address }, facts.taken),
    ...told({
      vendor: is.vendor,
      product: is.product,
      driver: device.driver,
      iommuGroup: is.iommuGroup?.number,
      numaNode: is.numaNode,
      physicalFunction: is.physicalFunction,
      virtualFunctions: is.maxVirtualFunctions === undefined ? undefined : is.virtualFunctions.length,
      maxVirtualFunctions: is.maxVirtualFunctions,
    }),
    ...(cls === "bridge" ? { refused: bridgeReason } : hindrances(device, facts.uses)),
  } as HostDevice;
}

function usbDevice(
  device: Of<UsbCapability>,
  all: readonly NodeDevice[],
  facts: DeviceListFacts,
  interfaces: readonly Of<UsbInterfaceCapability>[],
  isAlone: boolean,
): HostDevice {
  const { capability: is } = device, place = { bus: is.bus, device: is.device };
  const model = `${is.vendorId}:${is.productId}`;
  const drivers = [...new Set(interfaces.flatMap(({ driver }) => driver ?? []))];
  return {
    device: refText({ kind: "usb", model, place: isAlone ? undefined : place }),
    kind: "usb",
    name: nameOf(is),
    class: usbClass(interfaces.map(({ capability }) => capability.code)),
    address: `${is.bus}:${is.device}`,
    vendorId: is.vendorId,
    productId: is.productId,
    provides: providedBy(device, all),
    groupMembers: [],
    usedBy: users({ kind: "usb", model, place }, facts.taken),
    ...told({
      vendor: is.vendor,
      product: is.product,
      serial: device.path === undefined ? undefined : facts.serials.get(device.path),
      // The device itself has the driver `usb`, whatever it is.
      driver: drivers.join(", ") || undefined,
    }),
    ...hindrances(device, facts.uses),
  } as HostDevice;
}

/** Devices of the host: USB first, because users look for them most, each by its address. Hubs are left out. */
export function listedDevices(all: readonly NodeDevice[], facts: DeviceListFacts): HostDevice[] {
  const interfaces = Map.groupBy(all.filter(isKind("usb-interface")), ({ parent }) => parent ?? "");
  const of = ({ name }: NodeDevice) => interfaces.get(name) ?? [];
  const usb = all.filter(isKind("usb")).filter((device) =>
    !isHub(device.capability, of(device).map(({ capability }) => capability.code))
  );
  const models = Map.groupBy(usb, ({ capability: { vendorId, productId } }) => `${vendorId}:${productId}`);
  const isAlone = ({ capability: { vendorId, productId } }: Of<UsbCapability>) =>
    models.get(`${vendorId}:${productId}`)!.length === 1;
  usb.sort(({ capability: a }, { capability: b }) => a.bus - b.bus || a.device - b.device);
  const pci = all.filter(isKind("pci"));
  pci.sort(({ capability: a }, { capability: b }) => a.address < b.address ? -1 : 1);
  return [
    ...usb.map((device) => usbDevice(device, all, facts, of(device), isAlone(device))),
    ...pci.map((device) => pciDevice(device, all, facts)),
  ];
}

/** Whether the host has an IOMMU that is on: its devices are in groups then. */
export const hasIommu = (all: readonly NodeDevice[]): boolean =>
  all.some(({ capability }) => capability.kind === "pci" && capability.iommuGroup !== undefined);

/** Reference to a device of the list, for comparisons. */
export function refOf({ kind, address, vendorId, productId }: HostDevice): HostDeviceRef {
  if (kind === "pci") return { kind, address };
  const [bus = 0, device = 0] = address.split(":").map(Number);
  return { kind, model: `${vendorId}:${productId}`, place: { bus, device } };
}

/** Devices of the list that a reference may mean. */
export const meantBy = (devices: readonly HostDevice[], ref: HostDeviceRef): HostDevice[] =>
  devices.filter((device) => mayBeSame(refOf(device), ref));
