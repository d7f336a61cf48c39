/** Controllers and cards of other hypervisors, and what takes their place. */
import type { DISK_BUSES, NIC_MODELS } from "../../contract/choices.ts";

type Bus = typeof DISK_BUSES[number];
type NicModel = typeof NIC_MODELS[number];

/** The value to use, and whether it is the requested one. */
export interface Match<T> {
  readonly taken: T;
  readonly isSame: boolean;
}

/** Types of items in the DMTF's CIM schema, as far as they matter. */
export const ITEM = {
  other: 0,
  otherDevice: 1,
  cpu: 3,
  memory: 4,
  ide: 5,
  scsi: 6,
  nic: 10,
  floppy: 14,
  otherNic: 11,
  cd: 15,
  dvd: 16,
  disk: 17,
  storageExtent: 19,
  storage: 20,
  usb: 23,
  video: 24,
  graphics: 26,
  logicalDisk: 31,
  storageVolume: 32,
  ethernetConnection: 33,
  sound: 35,
} as const;

/** Types that are disks: XenServer and XCP-ng write a storage extent, Hyper-V's tools a logical disk. */
export const DISK_ITEMS: ReadonlySet<number> = new Set([
  ITEM.disk,
  ITEM.storageExtent,
  ITEM.logicalDisk,
  ITEM.storageVolume,
]);
/** Types that are drives of media, whatever medium lies in them. */
export const DRIVE_ITEMS: ReadonlySet<number> = new Set([ITEM.floppy, ITEM.cd, ITEM.dvd]);
/** Types that are network cards. */
export const NIC_ITEMS: ReadonlySet<number> = new Set([ITEM.nic, ITEM.otherNic, ITEM.ethernetConnection]);

/** Items of which nothing is said: every VM here has its own, or no use for them. */
export const UNSAID: ReadonlySet<number> = new Set([
  ITEM.other,
  ITEM.otherDevice,
  ITEM.ide,
  ITEM.scsi,
  ITEM.storage,
  ITEM.usb,
  ITEM.video,
  ITEM.graphics,
  32768, // oVirt's own
]);

const BUSES: readonly (readonly [RegExp, Bus, isSame: boolean])[] = [
  [/^virtio[-_ ]?scsi$/i, "scsi", true],
  [/virtio/i, "virtio", true],
  [/ahci|sata/i, "sata", true],
  [/nvme/i, "sata", false],
];

/** The bus for the disks of a controller. */
export function busOf(type: number, subtype: string): Match<Bus> {
  const known = BUSES.find(([pattern]) => pattern.test(subtype));
  if (known !== undefined) return { taken: known[1], isSame: known[2] };
  if (type === ITEM.ide) return { taken: "ide", isSame: true };
  // LSI Logic, BusLogic and VMware's own: their drivers are not in every guest's start image, AHCI's are.
  return { taken: "sata", isSame: type === ITEM.storage && subtype === "" };
}

const NICS: readonly (readonly [RegExp, NicModel, isSame: boolean])[] = [
  [/^e1000e$/i, "e1000e", true],
  [/^e1000$/i, "e1000", true],
  [/^vmxnet3$/i, "vmxnet3", true],
  [/virtio/i, "virtio", true],
  [/rtl8139/i, "rtl8139", true],
  // oVirt's numbers.
  [/^3$/, "virtio", true],
  [/^1$/, "rtl8139", true],
  [/^2$/, "e1000", true],
];

/** The model of a card. */
export function ovfNicOf(subtype: string): Match<NicModel> {
  // VMware may list several, the best last.
  const wanted = subtype.trim().split(/\s+/);
  for (const each of wanted.reverse()) {
    const known = NICS.find(([pattern]) => pattern.test(each));
    if (known !== undefined) return { taken: known[1], isSame: known[2] };
  }
  return { taken: "e1000", isSame: subtype.trim() === "" };
}

/** CIM's numbers of operating systems that are Windows. */
const WINDOWS_IDS: ReadonlySet<number> = new Set([
  ...Array.from({ length: 4 }, (_, at) => 16 + at),
  58,
  63,
  67,
  ...Array.from({ length: 11 }, (_, at) => 69 + at).filter((id) => id !== 72 && id !== 75 && id !== 79),
  103,
  105,
  111,
  112,
  113,
  114,
  115,
  116,
  117,
  120,
]);
const LINUX_IDS: ReadonlySet<number> = new Set([
  36,
  79,
  80,
  81,
  82,
  83,
  84,
  85,
  86,
  87,
  88,
  89,
  90,
  91,
  92,
  93,
  94,
  95,
  96,
  97,
  98,
  99,
  100,
  101,
  106,
  107,
  108,
  109,
]);
const LINUX_NAMES =
  /linux|debian|ubuntu|rhel|red ?hat|centos|fedora|suse|sles|oracle|alma|rocky|arch|gentoo|photon/i;

/** The kind of an operating system, by what each dialect calls it; undefined where none is said. */
export function ovfOsTypeOf(
  id: string | undefined,
  names: readonly string[],
): "linux" | "windows" | undefined {
  const text = names.join(" ");
  if (/win(dows|xp|net|2k|1[01]|vista|[0-9])|^win/i.test(text)) return "windows";
  if (LINUX_NAMES.test(text)) return "linux";
  const number = Number(id);
  if (WINDOWS_IDS.has(number)) return "windows";
  return LINUX_IDS.has(number) ? "linux" : undefined;
}
