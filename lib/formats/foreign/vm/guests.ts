/** Guest systems as other hypervisors call them, and which devices their drivers are there for. Pure. */
import type { Bus, ForeignNicModel, ForeignWarning } from "./model.ts";
import { foreignWarning } from "./model.ts";
import type { OS_TYPES } from "../../../contract/choices.ts";

/** Operating system that a guest's name stands for. */
export interface Guest {
  readonly osType: typeof OS_TYPES[number] | undefined;
  /** Whether its start image has virtio's drivers for certain. */
  readonly hasVirtio: boolean;
  /** Whether its start image holds only the drivers of the devices that it was made on (dracut). */
  readonly isHostOnly: boolean;
  /** Older than drivers for e1000e. */
  readonly isOld: boolean;
}

const UNKNOWN: Guest = { osType: undefined, hasVirtio: false, isHostOnly: false, isOld: false };
const OLD_WINDOWS = /^(win(3|95|98|me|nt|xp|net|2000|2k3?$|vista)|wxp|w2k3?$|wvista)/i;

/** Versions from which on a family's start image has virtio's drivers whatever it was made on. */
const GENERIC: readonly (readonly [pattern: RegExp, least: number])[] = [
  [/^debian(\d+)/i, 8],
  [/^ubuntu/i, 0],
];
const HOST_ONLY =
  /^(rhel|centos|fedora|oracle|sles|opensuse|suse|rocky|alma|amazonlinux|vmware-photon|photon)/i;
const OLD_LINUX =
  /^(rhel[2-5]|centos-?[45]?(-|$)|redhat|sles-|sles$|sles10|debian[4-7]|other24|other26|other-?linux|linux-?2\.?4|turbolinux|mandr|asianux[34])/i;
const LINUX =
  /linux|debian|ubuntu|rhel|redhat|centos|fedora|suse|sles|oracle|rocky|alma|photon|asianux|mandr|turbo|coreos|flatcar/i;

/** A guest by VMware's `guestOS`. */
export function guestOfVmware(id: string): Guest {
  if (/^win|^longhorn/i.test(id)) {
    return { ...UNKNOWN, osType: "windows", isOld: OLD_WINDOWS.test(id) };
  }
  if (!LINUX.test(id)) return id === "" ? UNKNOWN : { ...UNKNOWN, osType: "other" };
  const isOld = OLD_LINUX.test(id);
  const generic = GENERIC.some(([pattern, least]) => {
    const found = pattern.exec(id);
    return found !== null && Number(found[1] ?? least) >= least;
  });
  return {
    osType: "linux",
    hasVirtio: generic && !isOld,
    isHostOnly: HOST_ONLY.test(id) && !isOld,
    isOld,
  };
}

/** A guest by Proxmox's `ostype`. */
export function guestOfProxmox(type: string): Guest {
  if (/^(w|win)/.test(type)) return { ...UNKNOWN, osType: "windows", isOld: OLD_WINDOWS.test(type) };
  // Any Linux: of what it is made, nothing is known.
  if (type === "l26") return { ...UNKNOWN, osType: "linux" };
  if (type === "l24") return { ...UNKNOWN, osType: "linux", isOld: true };
  return type === "" ? UNKNOWN : { ...UNKNOWN, osType: "other" };
}

/** Kinds of controllers at the source. */
export type SourceBus = "ide" | "sata" | "scsi" | "nvme" | "usb" | "virtio" | "virtio-scsi";

const SAME: Readonly<Partial<Record<SourceBus, Bus>>> = {
  ide: "ide",
  sata: "sata",
  usb: "usb",
  virtio: "virtio",
  // The only controller behind the word here.
  "virtio-scsi": "scsi",
};

/** The bus that a guest boots from here, and what is to be said of it. @param was the controller's name at the source */
export function busFor(
  source: SourceBus,
  was: string,
  { hasVirtio, isHostOnly }: Guest,
  field: string,
): { readonly bus: Bus; readonly warnings: ForeignWarning[] } {
  const same = SAME[source];
  if (same !== undefined) return { bus: same, warnings: [] };
  if (hasVirtio) return { bus: "virtio", warnings: [] };
  const taken = "sata";
  return {
    bus: taken,
    warnings: [
      foreignWarning(field, "ControllerReplaced", { was, taken: "SATA" }),
      ...isHostOnly ? [foreignWarning(field, "RebuildInitramfs", { taken: "SATA" })] : [],
    ],
  };
}

const SAME_NICS: readonly ForeignNicModel[] = ["virtio", "e1000", "e1000e", "rtl8139", "ne2k_pci"];

/** The model that a guest has a driver for, and what is to be said of it. @param was the model's name at the source */
export function nicFor(
  was: string,
  { hasVirtio, isOld, osType }: Guest,
  field: string,
): { readonly model: ForeignNicModel; readonly warnings: ForeignWarning[] } {
  const word = was.toLowerCase();
  const same = SAME_NICS.find((model) => model === word);
  if (same !== undefined) return { model: same, warnings: [] };
  if (hasVirtio) return { model: "virtio", warnings: [] };
  // Linux has had its driver for as long as VMware's machines with it have been there.
  if (word === "vmxnet3" && osType === "linux") return { model: "vmxnet3", warnings: [] };
  const model = !isOld ? "e1000e" : osType === "windows" ? "rtl8139" : "e1000";
  if (was === "") return { model, warnings: [] };
  return { model, warnings: [foreignWarning(field, "NicReplaced", { was: was.slice(0, 40), taken: model })] };
}
