/** A VM's disks and network cards out of its two configurations, and what differs between them. */
import type { DeviceDifference, DevicePlace } from "../../contract/devices.ts";
import { DISK_LIMITS, NIC_LIMITS } from "../../contract/limit_names.ts";
import type { DiskLimitValues, NicLimitValues } from "../../contract/device_limits.ts";
import { declaredChain } from "./backing_store.ts";
import { DRIVER_FIELDS, type DriverField, driverOf } from "./device_disk.ts";
import { diskLimitsOf, nicLimitsOf } from "./device_limits.ts";
import { filterAddresses } from "./filter.ts";
import { child, children, childText, parseXml, type XmlElement } from "./tree.ts";

/** A disk or drive as one configuration has it. */
export interface DiskDevice extends DiskLimitValues, Readonly<Partial<Record<DriverField, string>>> {
  readonly target: string;
  readonly bus: string;
  readonly device: string;
  readonly type: string;
  readonly source: string | undefined;
  /** Pool and name, of a disk that is given as a volume. */
  readonly volume: { readonly pool: string; readonly name: string } | undefined;
  readonly format: string | undefined;
  readonly readOnly: boolean;
  readonly shareable: boolean;
  readonly serial: string | undefined;
  readonly bootOrder: number | undefined;
  readonly trayOpen: boolean;
  /** Whether it says all the images it is built on: libvirt then looks for no others. */
  readonly isChainComplete: boolean;
}

/** A network card as one configuration has it. */
export interface NicDevice extends NicLimitValues {
  readonly mac: string;
  readonly type: string;
  readonly network: string;
  readonly model: string | undefined;
  readonly filter: string | undefined;
  /** Addresses its filter is told of, separated by blanks. */
  readonly filterAddresses: string;
  readonly linkUp: boolean;
  readonly bootOrder: number | undefined;
  readonly target: string | undefined;
  /** Part of its network that may give it limits: while it runs they are shown as its own. */
  readonly portGroup: string | undefined;
  /** The VLANs that a switch puts it into, as {@link vlanOf} writes them. */
  readonly vlan: string | undefined;
  /** Its place on the VM's bus: tells a card again whose address changes. */
  readonly slot: string | undefined;
}

const order = (element: XmlElement) => {
  const text = child(element, "boot")?.attributes.order;
  return text === undefined ? undefined : Number(text);
};

/** Attributes that name a disk's source; the first one present counts: file, block device, folder, URL's name. */
const SOURCE = ["file", "dev", "dir", "name", "path"] as const;

function disk(element: XmlElement): DiskDevice {
  const driver = child(element, "driver")?.attributes;
  const source = child(element, "source")?.attributes;
  const target = child(element, "target")?.attributes;
  const { pool, volume } = source ?? {};
  const named = SOURCE.map((name) => source?.[name]).find((value) => value !== undefined);
  return {
    target: target?.dev ?? "",
    bus: target?.bus ?? "",
    device: element.attributes.device ?? "disk",
    type: element.attributes.type ?? "file",
    source: pool !== undefined && volume !== undefined ? `${pool}/${volume}` : named,
    volume: pool !== undefined && volume !== undefined ? { pool, name: volume } : undefined,
    format: driver?.type,
    ...driverOf(element),
    readOnly: child(element, "readonly") !== undefined,
    shareable: child(element, "shareable") !== undefined,
    serial: childText(element, "serial"),
    bootOrder: order(element),
    trayOpen: target?.tray === "open",
    isChainComplete: declaredChain(element).isComplete,
    ...diskLimitsOf(element),
  };
}

/** Backend for the traffic of a card without a network. */
const userBackend = (element: XmlElement) =>
  child(element, "backend")?.attributes.type === "passt" ? "passt" : "slirp";

/** The VLANs of a card: `42`, of a trunk `5, 6 (native 5)`; undefined where it says none. */
function vlanOf(nic: XmlElement): string | undefined {
  const tags = children(child(nic, "vlan"), "tag");
  if (tags.length === 0) return undefined;
  const native = tags.find(({ attributes }) => attributes.nativeMode !== undefined)?.attributes.id;
  const ids = tags.map(({ attributes }) => attributes.id ?? "").join(", ");
  return native === undefined ? ids : `${ids} (native ${native})`;
}

/** A network card, as its element has it. */
export function nicOf(element: XmlElement): NicDevice {
  const source = child(element, "source")?.attributes;
  const address = child(element, "address")?.attributes;
  const slot = address && ["domain", "bus", "slot", "function"].map((name) => address[name] ?? "").join(":");
  return {
    mac: (child(element, "mac")?.attributes.address ?? "").toLowerCase(),
    // A network over a bridge of the host is shown as that bridge while it runs: it is the same network.
    type: source?.network === undefined ? element.attributes.type ?? "" : "network",
    network: element.attributes.type === "user"
      ? userBackend(element)
      : source?.network ?? source?.bridge ?? source?.dev ?? source?.path ?? source?.name ?? "",
    model: child(element, "model")?.attributes.type,
    filter: child(element, "filterref")?.attributes.filter,
    filterAddresses: filterAddresses(element).join(" "),
    linkUp: child(element, "link")?.attributes.state !== "down",
    bootOrder: order(element),
    target: child(element, "target")?.attributes.dev,
    slot,
    portGroup: source?.portgroup,
    vlan: vlanOf(element),
    ...nicLimitsOf(element),
  };
}

const devices = (xml: string, name: string) => children(child(parseXml(xml), "devices"), name);

/** The disks and drives of a configuration. @throws {XmlError} */
export function disksOf(xml: string): DiskDevice[] {
  return devices(xml, "disk").map(disk);
}

/** The network cards of a configuration. @throws {XmlError} */
export function nicDevicesOf(xml: string): NicDevice[] {
  return devices(xml, "interface").map(nicOf);
}

/** A folder of the host that a guest mounts, as one configuration has it. */
export interface ShareDevice {
  readonly tag: string;
  readonly folder: string;
  readonly driver: string;
  readonly readOnly: boolean;
}

/** The shared folders of a configuration. @throws {XmlError} */
export function sharesOf(xml: string): ShareDevice[] {
  return devices(xml, "filesystem").map((element) => {
    const driver = child(element, "driver")?.attributes.type ?? "path";
    return {
      tag: child(element, "target")?.attributes.dir ?? "",
      folder: child(element, "source")?.attributes.dir ?? "",
      // libvirt's words for what QEMU itself carries.
      driver: driver === "path" || driver === "handle" ? "9p" : driver,
      readOnly: child(element, "readonly") !== undefined,
    };
  });
}

/** A device with where it is, and what will be different about it. */
export interface Compared<T> {
  /** As it runs; as it will be, for one that is not there yet or of a VM that is off. */
  readonly device: T;
  readonly place: DevicePlace;
  readonly pending: DeviceDifference[];
}

const shown = (value: unknown) => value === undefined ? null : String(value);

/**
 * Compares what runs with what starts next, device by device: what is in one of them alone, and what differs.
 *
 * @param live undefined when the VM is off @param next undefined when it is transient
 * @param same whether two are the same device @param fields what can differ
 */
export function compareDevices<T extends object>(
  live: readonly T[] | undefined,
  next: readonly T[] | undefined,
  same: (a: T, b: T) => boolean,
  fields: readonly (keyof T & string)[],
): Compared<T>[] {
  if (live === undefined || next === undefined) {
    return (live ?? next ?? []).map((device) => ({ device, place: "both", pending: [] }));
  }
  const rest = [...next];
  const found = live.map((device): Compared<T> => {
    const index = rest.findIndex((other) => same(device, other));
    const [other] = index < 0 ? [] : rest.splice(index, 1);
    if (other === undefined) return { device, place: "live", pending: [] };
    const pending = fields.filter((field) => device[field] !== other[field])
      .map((field) => ({ field, now: shown(device[field]), next: shown(other[field]) }));
    return { device, place: "both", pending };
  });
  return [...found, ...rest.map((device): Compared<T> => ({ device, place: "next", pending: [] }))];
}

/** Fields of a disk that are compared. The tray is the guest's business. */
const DISK_FIELDS = [
  "bus",
  "source",
  "format",
  ...DRIVER_FIELDS,
  "readOnly",
  "shareable",
  "serial",
  "bootOrder",
  ...DISK_LIMITS,
] as const;
const NIC_FIELDS = [
  "mac",
  "type",
  "network",
  "model",
  "filter",
  "filterAddresses",
  "linkUp",
  "bootOrder",
  ...NIC_LIMITS,
] as const;

const isNicLimit = (field: string) => NIC_LIMITS.some((name) => name === field);

/** A VM's disks in both of its configurations. @throws {XmlError} */
export function compareDisks(live: string | undefined, next: string | undefined): Compared<DiskDevice>[] {
  const [now, then] = [live, next].map((xml) => xml === undefined ? undefined : disksOf(xml));
  return compareDevices(now, then, (a, b) => a.target === b.target && a.device === b.device, DISK_FIELDS);
}

/** A VM's network cards in both of its configurations. @throws {XmlError} */
export function compareNics(live: string | undefined, next: string | undefined): Compared<NicDevice>[] {
  const [now, then] = [live, next].map((xml) => xml === undefined ? undefined : nicDevicesOf(xml));
  // A card whose address was changed is still the one in its slot; another card with its address is itself.
  const known = (list: NicDevice[] | undefined, mac: string) => list?.some((each) => each.mac === mac);
  // Of several cards with one address, as those of a team have, each is the one in its slot.
  const many = (list: NicDevice[] | undefined, mac: string) =>
    (list?.filter((each) => each.mac === mac).length ?? 0) > 1;
  const isTeam = (mac: string) => many(now, mac) || many(then, mac);
  const same = (a: NicDevice, b: NicDevice) =>
    (a.mac === b.mac && (a.slot === b.slot || !isTeam(a.mac))) ||
    (a.slot !== undefined && a.slot === b.slot && !known(then, a.mac) && !known(now, b.mac));
  return compareDevices(now, then, same, NIC_FIELDS).map((nic) => {
    const ofGroup = ({ field, next }: DeviceDifference) => isNicLimit(field) && next === null;
    const isGiven = nic.device.portGroup !== undefined &&
      nic.pending.every((each) => ofGroup(each) || !isNicLimit(each.field));
    return isGiven ? { ...nic, pending: nic.pending.filter((each) => !ofGroup(each)) } : nic;
  });
}

/** A VM's shared folders in both of its configurations. @throws {XmlError} */
export function compareShares(live: string | undefined, next: string | undefined): Compared<ShareDevice>[] {
  const [now, then] = [live, next].map((xml) => xml === undefined ? undefined : sharesOf(xml));
  return compareDevices(now, then, (a, b) => a.tag === b.tag, ["folder", "driver", "readOnly"]);
}
