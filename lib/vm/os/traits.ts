/** Defaults for an operating system, from a few facts about it. */
import type { OsDefaults } from "../../contract/create_options.ts";

/** Generations of virtual hardware, by what an operating system has drivers for. */
export const HARDWARE = {
  /** virtio, as every Linux and BSD of the last years has it. */
  virtio: { diskBus: "virtio", nicModel: "virtio", video: "virtio", machine: "q35" },
  /** No virtio drivers of its own, but of AHCI and Intel's network cards: Windows since Vista. */
  common: { diskBus: "sata", nicModel: "e1000e", video: "vga", machine: "q35" },
  /** Of the time before AHCI. */
  old: { diskBus: "ide", nicModel: "rtl8139", video: "vga", machine: "pc" },
} as const satisfies Record<string, Partial<OsDefaults>>;
export type UsualHardware = keyof typeof HARDWARE;

/** Facts that defaults follow from. Sizes in MiB and GiB. */
export interface OsTraits {
  readonly hardware: UsualHardware;
  readonly cpuCount?: number | undefined;
  readonly memoryMb?: number | undefined;
  readonly diskSizeGb?: number | undefined;
  readonly minimumMemoryMb?: number | undefined;
  readonly minimumDiskGb?: number | undefined;
  readonly firmware?: OsDefaults["firmware"];
  readonly tpm?: boolean;
  readonly localClock?: boolean;
}

/** Defaults for an unknown system. */
export const GENERAL = { cpuCount: 2, memoryMb: 2048, diskSizeGb: 20 } as const;

/** Defaults from facts: never below what the system asks for at least. */
export function osDefaults(traits: OsTraits): OsDefaults {
  const { minimumMemoryMb, minimumDiskGb } = traits;
  return {
    cpuCount: traits.cpuCount ?? GENERAL.cpuCount,
    memoryMb: Math.max(traits.memoryMb ?? GENERAL.memoryMb, minimumMemoryMb ?? 0),
    diskSizeGb: Math.max(traits.diskSizeGb ?? GENERAL.diskSizeGb, minimumDiskGb ?? 0),
    ...(minimumMemoryMb !== undefined && { minimumMemoryMb }),
    ...(minimumDiskGb !== undefined && { minimumDiskGb }),
    ...HARDWARE[traits.hardware],
    firmware: traits.firmware ?? "bios",
    tpm: traits.tpm ?? false,
    localClock: traits.localClock ?? false,
  };
}
