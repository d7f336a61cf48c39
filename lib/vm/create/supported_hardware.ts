/** Hardware that a kind of VM may have on this host, and the reasons against the rest. Pure. */
import {
  CPU_MODES,
  DISK_BUSES,
  FIRMWARES,
  GRAPHICS_TYPES,
  NIC_MODELS,
  SOUND_MODELS,
  VIDEO_MODELS,
  WATCHDOGS,
} from "../../contract/choices.ts";
import type { Choice } from "../../contract/create_options.ts";
import type { DomainCapabilities } from "../../formats/xml/capabilities.ts";
import { isPc, isQ35 } from "../../formats/xml/machine_type.ts";

/** Everything that can be chosen; each list holds what this host really takes, `Choice`s also what it does not. */
export interface SupportedHardware {
  readonly maxCpus: number | undefined;
  readonly firmwares: readonly Choice[];
  readonly tpm: Choice;
  /** The model of an emulated TPM. */
  readonly tpmModel: string;
  readonly cpuModes: readonly Choice[];
  readonly cpuModels: readonly { readonly name: string; readonly usable: boolean }[];
  readonly diskBuses: readonly string[];
  readonly nicModels: readonly string[];
  readonly videoModels: readonly string[];
  readonly graphics: readonly Choice[];
  readonly soundModels: readonly string[];
  readonly watchdogs: readonly string[];
  /** Hyper-V's interfaces for Windows, where KVM offers them. */
  readonly hyperv: boolean;
}

const choice = (id: string, reason: string | null): Choice =>
  reason === null ? { id, available: true } : { id, available: false, reason };

const NO_UEFI = "no UEFI firmware is installed (Debian: ovmf or qemu-efi-aarch64, Fedora: edk2-ovmf)";
const NO_SECURE_BOOT = "no UEFI firmware with Secure Boot is installed (Debian: ovmf, Fedora: edk2-ovmf)";
const NO_SWTPM = "swtpm is not installed (Debian: swtpm and swtpm-tools, Fedora: swtpm and swtpm-tools)";

function firmwares(capabilities: DomainCapabilities): Choice[] {
  const { arch, machine } = capabilities;
  const uefi = capabilities.firmwares.includes("efi") ? null : NO_UEFI;
  const secure = isPc(arch) && !isQ35(machine)
    ? `it needs the machine type q35, not ${machine}`
    : uefi ?? (capabilities.secureBoot ? null : NO_SECURE_BOOT);
  const bios = isPc(arch) ? null : `${arch} VMs have no BIOS`;
  const reasons: Record<typeof FIRMWARES[number], string | null> = { bios, uefi, "uefi-secure": secure };
  return FIRMWARES.map((id) => choice(id, reasons[id]));
}

function cpuMode({ cpuModes, virtType, arch }: DomainCapabilities, id: typeof CPU_MODES[number]): Choice {
  if (id === "default" || cpuModes.includes(id)) return choice(id, null);
  const reason = id === "host-passthrough" && virtType !== "kvm"
    ? "it needs KVM"
    : `libvirt does not offer it for ${virtType} VMs of ${arch}`;
  return choice(id, reason);
}

/** libvirt before 9.1 does not know the chipset's own watchdog. */
const ITCO_SINCE = 9_001_000;

/** Hardware that these capabilities allow. @param libvirtVersion major * 1,000,000 + minor * 1,000 + release */
export function supportedHardwareOf(
  capabilities: DomainCapabilities,
  libvirtVersion: number,
): SupportedHardware {
  const { arch, machine } = capabilities;
  const pc = isPc(arch), q35 = isQ35(machine);
  const watchdogs: Record<typeof WATCHDOGS[number], boolean> = {
    none: true,
    i6300esb: arch !== "s390x",
    itco: q35 && libvirtVersion >= ITCO_SINCE,
  };
  return {
    maxCpus: capabilities.maxCpus,
    firmwares: firmwares(capabilities),
    tpm: choice("2.0", capabilities.tpmBackends.includes("emulator") ? null : NO_SWTPM),
    tpmModel: ["tpm-crb", "tpm-tis", "tpm-spapr"].find((model) => capabilities.tpmModels.includes(model)) ??
      "tpm-tis",
    cpuModes: CPU_MODES.map((id) => cpuMode(capabilities, id)),
    cpuModels: capabilities.cpuModels,
    diskBuses: DISK_BUSES.filter((bus) => capabilities.diskBuses.includes(bus)),
    nicModels: pc ? NIC_MODELS : ["virtio", ...arch === "s390x" ? [] : ["e1000e", "e1000", "rtl8139"]],
    videoModels: VIDEO_MODELS.filter((model) => capabilities.videoModels.includes(model)),
    graphics: GRAPHICS_TYPES.map((id) =>
      choice(
        id,
        id === "none" || capabilities.graphics.includes(id) ? null : "QEMU was built without it",
      )
    ),
    soundModels: pc ? SOUND_MODELS : ["none", "usb"],
    watchdogs: WATCHDOGS.filter((model) => watchdogs[model]),
    hyperv: capabilities.virtType === "kvm" && pc,
  };
}
