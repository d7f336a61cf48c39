/** A VM to be made, with everything decided: what its XML is written from. */
import type {
  BOOT_DEVICES,
  CPU_MODES,
  DISK_BUSES,
  DISK_CACHES,
  DISK_FORMATS,
  FIRMWARES,
  GRAPHICS_TYPES,
  NIC_MODELS,
  OS_TYPES,
  SOUND_MODELS,
  VIDEO_MODELS,
  WATCHDOG_ACTIONS,
  WATCHDOGS,
} from "../../contract/choices.ts";
import type { SeedDrive } from "./seed_drive.ts";

type Of<T extends readonly string[]> = T[number];

/** Path and type of an image. */
export interface DiskSource {
  readonly path: string;
  readonly type: "file" | "block";
  /** UUID of libvirt's secret with its passphrase, where it is encrypted with LUKS. */
  readonly secret?: string | undefined;
}

/** An image that a disk is built on. */
export interface BackingImage extends DiskSource {
  readonly format: Of<typeof DISK_FORMATS>;
}

/** A disk. One without a source is still to be made: `copyOf`, `pool` and `sizeGb` say how. */
export interface NewVmDisk {
  readonly source: DiskSource | undefined;
  /** The volume it is to be a copy of, and what was said of it. */
  readonly copyOf: {
    readonly path: string;
    readonly format?: Of<typeof DISK_FORMATS>;
    readonly backingFile?: string;
  } | undefined;
  readonly pool: string | undefined;
  /** Of a copy: what it is made larger to. */
  readonly sizeGb: number | undefined;
  readonly format: Of<typeof DISK_FORMATS>;
  /** The images it is built on, nearest first, which libvirt is told of rather than left to find. */
  readonly backing: readonly BackingImage[];
  readonly bus: Of<typeof DISK_BUSES>;
  readonly target: string;
  readonly cache: Of<typeof DISK_CACHES> | undefined;
  readonly discard: boolean;
  readonly readOnly: boolean;
  readonly serial: string | undefined;
}

/** A CD in its drive. */
export interface VmCd {
  readonly source: DiskSource;
  readonly bus: Of<typeof DISK_BUSES>;
  readonly target: string;
}

/** The drive for the CD of cloud-init. Its path is known once the CD was made. */
export type VmSeed = Pick<SeedDrive, "target" | "bus" | "path">;

/** The drive for the CD with the guest tools. Its path is known once the CD was made. */
export interface VmTools {
  readonly target: string;
  readonly bus: string;
  readonly path: string | undefined;
}

/** A network interface. */
export interface NewVmNic {
  readonly type: "network" | "bridge";
  readonly source: string;
  readonly model: Of<typeof NIC_MODELS>;
  readonly mac: string;
  readonly linkUp: boolean;
}

export interface NewVm {
  readonly uuid: string;
  readonly name: string;
  readonly title: string | undefined;
  readonly description: string | undefined;
  readonly tags: readonly string[];
  readonly group: string | undefined;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** libosinfo's id of the system that was chosen; undefined where none was. */
  readonly osUri: string | undefined;
  /** The kind that was chosen where no system was. */
  readonly osType: Of<typeof OS_TYPES> | undefined;
  readonly localClock: boolean;
  readonly virtType: string;
  readonly arch: string;
  readonly machine: string;
  readonly emulator: string | undefined;
  readonly cpuCount: number;
  readonly topology:
    | { readonly sockets: number; readonly cores: number; readonly threads: number }
    | undefined;
  readonly cpuMode: Of<typeof CPU_MODES>;
  readonly cpuModel: string | undefined;
  readonly memoryMb: number;
  readonly firmware: Of<typeof FIRMWARES>;
  /** The model of its TPM. */
  readonly tpm: string | undefined;
  /** Hyper-V's interfaces, for Windows under KVM. */
  readonly hyperv: boolean;
  readonly disks: readonly NewVmDisk[];
  readonly cd: VmCd | undefined;
  /** Undefined without cloud-init. */
  readonly seed: VmSeed | undefined;
  /** Undefined without the guest tools. */
  readonly tools: VmTools | undefined;
  readonly nics: readonly NewVmNic[];
  readonly bootOrder: readonly Of<typeof BOOT_DEVICES>[];
  readonly bootMenu: boolean;
  readonly kernel:
    | { readonly path: string; readonly initrd: string | undefined; readonly args: string | undefined }
    | undefined;
  readonly graphics: Of<typeof GRAPHICS_TYPES>;
  /** That of its first start; undefined for no screen, and where it is not to be shown. */
  readonly screenPassword: string | undefined;
  readonly video: Of<typeof VIDEO_MODELS>;
  readonly sound: Of<typeof SOUND_MODELS>;
  readonly rng: boolean;
  readonly balloon: boolean;
  readonly guestAgent: boolean;
  readonly watchdog: Of<typeof WATCHDOGS>;
  readonly watchdogAction: Of<typeof WATCHDOG_ACTIONS>;
}
