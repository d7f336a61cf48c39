/**
 * Limits as libvirt's domain format writes them: a disk's `<iotune>`, an interface's `<bandwidth>`. What is in them in addition to
 * the limits of the contract (a group, a floor) stays.
 * Sources: "Hard drives, floppy disks, CDROMs" and "Quality of service" in libvirt's domain format.
 */
import { DISK_LIMITS, NIC_LIMITS } from "../../contract/limit_names.ts";
import type { DiskLimit, DiskLimitValues, NicLimit, NicLimitValues } from "../../contract/device_limits.ts";
import { xml, type XmlNode } from "./build.ts";
import type { XmlDocument } from "./edit.ts";
import { child, children, childText, type XmlElement } from "./tree.ts";

/** libvirt's name of a limit: `readBytesSecMax` → `read_bytes_sec_max`. */
export const ioTuneName = (limit: DiskLimit): string =>
  limit.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** Limits that are set, out of what libvirt wrote. */
function found<N extends string>(names: readonly N[], textOf: (name: N) => string | undefined) {
  return Object.fromEntries(
    names.map((name) => [name, Number(textOf(name)?.trim() ?? 0)] as const).filter(([, value]) => value > 0),
  ) as Partial<Record<N, number>>;
}

/** The limits of a disk. */
export function diskLimitsOf(disk: XmlElement): DiskLimitValues {
  const iotune = child(disk, "iotune");
  if (iotune === undefined) return {};
  return found(DISK_LIMITS, (name) => {
    const text = childText(iotune, ioTuneName(name));
    // A second is what there is without a length, and what libvirt makes of none in a running VM.
    return name.endsWith("MaxLength") && text?.trim() === "1" ? undefined : text;
  });
}

/** Targets of the other disks whose limits are these as well, by libvirt's `group_name`. */
export function limitedWith(domain: XmlElement, target: string): string[] {
  const disks = children(child(domain, "devices"), "disk").map((disk) => ({
    target: child(disk, "target")?.attributes.dev ?? "",
    group: childText(child(disk, "iotune"), "group_name"),
  }));
  const own = disks.find((disk) => disk.target === target)?.group;
  return own === undefined
    ? []
    : disks.filter((disk) => disk.group === own && disk.target !== target).map((disk) => disk.target);
}

/** Bytes of one operation, for whose size more are counted. QEMU takes no such size without a limit of operations. */
const SIZE = "size_iops_sec";

/** Whether operations are limited. */
export const limitsOperations = (
  { totalIopsSec = 0, readIopsSec = 0, writeIopsSec = 0 }: DiskLimitValues,
): boolean => totalIopsSec + readIopsSec + writeIopsSec > 0;

/** A disk's limits as the parameters of libvirt's call: each by its name, 0 where there is none. */
export function ioTuneParameters(limits: DiskLimitValues): Record<string, number> {
  return {
    ...Object.fromEntries(DISK_LIMITS.map((name) => [ioTuneName(name), limits[name] ?? 0])),
    ...(!limitsOperations(limits) && { [SIZE]: 0 }),
  };
}

/** A new disk's limits; undefined where it has none. */
export function ioTuneXml(limits: DiskLimitValues): XmlNode | undefined {
  const set = DISK_LIMITS.filter((name) => (limits[name] ?? 0) > 0);
  return set.length === 0
    ? undefined
    : xml("iotune", {}, set.map((name) => xml(ioTuneName(name), {}, limits[name])));
}

/** Gives a disk just these limits. `find` gives its element again after each edit. */
export function setDiskLimits(document: XmlDocument, find: () => XmlElement, limits: DiskLimitValues): void {
  const own: ReadonlySet<string> = new Set([
    ...DISK_LIMITS.map(ioTuneName),
    ...(limitsOperations(limits) ? [] : [SIZE]),
  ]);
  const old = child(find(), "iotune");
  const kept = old?.children.filter(({ name }) => !own.has(name)) ?? [];
  const set = ioTuneXml(limits)?.content ?? [];
  const parts = [...set, ...kept.map(({ name, text }) => xml(name, {}, text))];
  document.setChild(find, "iotune", parts.length === 0 ? undefined : xml("iotune", {}, parts));
}

/** `inboundAverage` → `inbound`, `average`. */
function placeOf(limit: NicLimit): readonly [way: "inbound" | "outbound", attribute: string] {
  const way = limit.startsWith("inbound") ? "inbound" : "outbound";
  return [way, limit.slice(way.length).toLowerCase()];
}

/** The limits of a network interface. */
export function nicLimitsOf(nic: XmlElement): NicLimitValues {
  const bandwidth = child(nic, "bandwidth");
  return found(NIC_LIMITS, (name) => {
    const [way, attribute] = placeOf(name);
    return child(bandwidth, way)?.attributes[attribute];
  });
}

/**
 * An interface's limits as the parameters of libvirt's call: each by its name, 0 where there is none. What it is promised
 * at least stays as it is.
 */
export function bandwidthParameters(nic: XmlElement, limits: NicLimitValues): Record<string, number> {
  const floor = Number(child(child(nic, "bandwidth"), "inbound")?.attributes.floor ?? 0);
  return {
    ...Object.fromEntries(NIC_LIMITS.map((name) => [placeOf(name).join("."), limits[name] ?? 0])),
    ...(floor > 0 && { "inbound.floor": floor }),
  };
}

/** Elements of `<bandwidth>` with these limits, and with the other attributes that each direction has. */
function waysXml(limits: NicLimitValues, old?: XmlElement): XmlNode[] {
  return (["inbound", "outbound"] as const).flatMap((way) => {
    const names = NIC_LIMITS.filter((name) => placeOf(name)[0] === way);
    const attributes = { ...child(old, way)?.attributes };
    for (const name of names) {
      const attribute = placeOf(name)[1], value = limits[name] ?? 0;
      if (value > 0) attributes[attribute] = String(value);
      else delete attributes[attribute];
    }
    return Object.keys(attributes).length === 0 ? [] : [xml(way, attributes)];
  });
}

/** An interface's limits; undefined where it has none. @param old what else is said of each way stays */
export function bandwidthOfNicXml(limits: NicLimitValues, old?: XmlElement): XmlNode | undefined {
  const ways = waysXml(limits, old);
  return ways.length === 0 ? undefined : xml("bandwidth", {}, ways);
}

/** Gives a network interface just these limits. `find` gives its element again after each edit. */
export function setNicLimits(document: XmlDocument, find: () => XmlElement, limits: NicLimitValues): void {
  document.setChild(find, "bandwidth", bandwidthOfNicXml(limits, child(find(), "bandwidth")));
}
