/**
 * Records of work in several steps, which are written before each step runs: plain data, so that another run
 * of the process can finish or undo the step. They have no secrets.
 */
import type { BackingImage } from "../../lib/formats/xml/new_vm.ts";
import type {
  BinDoomed,
  EntryBinned,
  EntryUnbinned,
  FileBinned,
  FileUnbinned,
  VmBinned,
  VmUnbinned,
} from "./bin_steps.ts";
import type { FileIdentity } from "./file_identity.ts";

/** A volume that is made. There was none of its name before. */
export interface VolumeMade {
  readonly kind: "volume-made";
  readonly pool: string;
  readonly name: string;
  /** Its path, as far as it is known before the file is there. */
  readonly path: string | null;
  /** Its file, once it is known; null where it is no file of this host. */
  readonly file: FileIdentity | null;
  /** When it was begun: milliseconds since 1970. */
  readonly at: number;
  /** A disk of another machine arrives in it: where that is cut, the next import of the disk goes on with it. */
  readonly arriving?: ArrivedPart;
}

/** How much of a disk has come from another machine. */
export interface ArrivedPart {
  /** SHA-256 of what tells the disk, in the state that it has, from all others. */
  readonly source: string;
  /** Bytes, from its beginning. */
  readonly received: number;
  /** SHA-256 of those bytes. */
  readonly sha256: string;
  /** The line broke, and did not come back. */
  readonly isBroken?: true;
}

/** A file that is made without libvirt. There was none before. */
export interface FileMade {
  readonly kind: "file-made";
  readonly path: string;
  readonly file: FileIdentity | null;
  readonly at: number;
}

/** A folder that is made without libvirt, and what is put into it. There was none before. */
export interface FolderMade {
  readonly kind: "folder-made";
  readonly path: string;
  readonly file: FileIdentity | null;
  readonly at: number;
}

/** A domain that is defined under an id of its own. */
export interface DomainMade {
  readonly kind: "domain-made";
  readonly uuid: string;
  readonly name: string;
  readonly at: number;
  /** Its NVRAM and its TPM's state may have been there before: they stay when it is taken back. */
  readonly keepsState?: true;
}

/** The passphrase of a volume, kept by libvirt under an id of its own. */
export interface SecretMade {
  readonly kind: "secret-made";
  readonly uuid: string;
  readonly path: string;
}

/** A network that was off, and is started for a VM. */
export interface NetworkStarted {
  readonly kind: "network-started";
  readonly network: string;
}

/** A static lease that is given to a card. It had none before. */
export interface LeaseMade {
  readonly kind: "lease-made";
  readonly network: string;
  readonly ip: string;
  readonly mac: string;
}

/** A port forward that is kept under an id of its own. */
export interface ForwardMade {
  readonly kind: "forward-made";
  readonly id: string;
  readonly network: string;
}

/** A pool that is defined and started under an id of its own. */
export interface PoolMade {
  readonly kind: "pool-made";
  readonly uuid: string;
  readonly name: string;
  /** Whether building creates the pool's content, and undoing deletes that. */
  readonly undoBuild: boolean;
}

/** A network that is defined under an id of its own. */
export interface NetworkDefined {
  readonly kind: "network-defined";
  readonly uuid: string;
  readonly name: string;
  readonly start: boolean;
  readonly autostart: boolean;
}

/** A network that goes: stopped and forgotten, with its port forwards. */
export interface NetworkDoomed {
  readonly kind: "network-doomed";
  readonly uuid: string;
  readonly name: string;
}

/** A pool that goes with everything in it. None of it was in use when it was written down. */
export interface PoolDoomed {
  readonly kind: "pool-doomed";
  readonly uuid: string;
  readonly name: string;
  readonly volumes: readonly { readonly path: string; readonly file: FileIdentity | null }[];
  /** Whether its built content is deleted, too. */
  readonly unbuild: boolean;
}

/** A VM that is whole, and is started with the networks that it needs. */
export interface StartWanted {
  readonly kind: "start-wanted";
  readonly uuid: string;
  readonly name: string;
  readonly networks: readonly string[];
  readonly at: number;
}

/** A domain that goes. While it is there, nothing that follows is done. */
export interface DomainDoomed {
  readonly kind: "domain-doomed";
  readonly uuid: string;
  readonly name: string;
  /** A domain that has nothing but its NVRAM, which goes after it; see `nvramHolder()`. */
  readonly nvram?: string;
}

/** A disk that goes with its VM. */
export interface DiskDoomed {
  readonly kind: "disk-doomed";
  readonly path: string;
  readonly file: FileIdentity | null;
}

/** A VM that is made to boot a copy as a test, and is not kept: it goes, whatever came of it. */
export interface TrialVm {
  readonly kind: "trial-vm";
  readonly uuid: string;
  readonly name: string;
  /** A domain that has nothing but its NVRAM, which goes after it; see `nvramHolder()`. */
  readonly nvram?: string;
}

/** A volume that takes the place of another, which goes once no VM has it. */
export interface VolumeReplaced {
  readonly kind: "volume-replaced";
  readonly path: string;
  readonly file: FileIdentity | null;
}

/**
 * State that libvirt keeps of a VM in addition to its disks – UEFI variables, a TPM's state – is replaced by
 * that of the disks that the VM gets: as soon as its definition has one of them.
 */
export interface StateReplaced {
  readonly kind: "state-replaced";
  readonly uuid: string;
  readonly name: string;
  readonly disks: readonly string[];
  /** Files that take the place of others. */
  readonly moves: readonly (readonly [from: string, to: string])[];
  /** Files that go. */
  readonly gone: readonly string[];
  /** Volumes that the VM had before: they go into the bin. */
  readonly old?: readonly { readonly pool: string; readonly name: string }[];
}

/** A guest that is frozen for a copy of its disks: it thaws, whatever happens. */
export interface GuestFrozen {
  readonly kind: "guest-frozen";
  readonly uuid: string;
  readonly name: string;
  /** The operation is nothing else: it is tried until the guest thaws. */
  readonly isAll?: boolean;
  /** KVM Manager's own agent froze it, which thaws by itself at the time limit. */
  readonly thawsItself?: true;
}

/** A VM's disks go over to new images, for an external snapshot. */
export interface DisksSwitched {
  readonly kind: "disks-switched";
  readonly uuid: string;
  readonly name: string;
  readonly disks: readonly {
    readonly target: string;
    /** Path of the new image. */
    readonly overlay: string;
    /** The images that it is built on, nearest first. */
    readonly chain: readonly Pick<BackingImage, "path" | "format" | "type">[];
  }[];
}

/** A VM goes back to an external snapshot: its disks go on in new images. What follows goes only where they do. */
export interface DisksReverted {
  readonly kind: "disks-reverted";
  readonly uuid: string;
  readonly name: string;
  readonly snapshot: string;
  /** The new images. */
  readonly paths: readonly string[];
}

/**
 * A snapshot is taken within a VM's disks. libvirt stops a VM that runs meanwhile, and knows of the snapshot at its end: one that
 * is ended in between leaves it paused, and the saved memory in a disk.
 */
export interface SnapshotMade {
  readonly kind: "snapshot-made";
  readonly uuid: string;
  readonly name: string;
  readonly snapshot: string;
  /** Definition that libvirt got. */
  readonly xml: string;
  readonly wasRunning: boolean;
}

/** A VM goes back to a snapshot within its disks: libvirt ends a VM that runs, and begins it from there. */
export interface SnapshotReverted {
  readonly kind: "snapshot-reverted";
  readonly uuid: string;
  readonly name: string;
  readonly snapshot: string;
  /** The state that the VM has then. */
  readonly state: string;
  /** The tags that it keeps, and the group that it stays in. */
  readonly tags: string[];
  readonly group?: string;
  /** It ran when the revert began. */
  readonly wasLive: boolean;
  /** Paths of the seeds that its drives had. */
  readonly seeds?: readonly string[];
  readonly at: number;
}

/** A file of UEFI variables that lies where libvirt finds it by its VM's name, and follows its VM to another one. */
export interface NvramMove {
  readonly from: string;
  readonly to: string;
  /** Null where there is none yet. */
  readonly file: FileIdentity | null;
  /** The VM's definition names it. */
  readonly isNamed: boolean;
}

/** A VM that is off gets another name. */
export interface VmRenamed {
  readonly kind: "vm-renamed";
  readonly uuid: string;
  readonly from: string;
  readonly to: string;
  readonly nvram: NvramMove | null;
}

/** A change that gives the same however often it is made: it is made again. */
export interface ChangeWanted {
  readonly kind: "change-wanted";
  readonly command: "update_vm" | "update_network" | "delete_snapshot";
  readonly input: unknown;
  /** Input that restores the former state: used when the change is refused after a part of it. */
  readonly back?: unknown;
  /** Parts that are done and are not taken back: targets of the disks of a snapshot whose images are merged. */
  readonly parts?: readonly string[];
}

/** A folder that QEMU copies a VM's disks to for a backup: it is unused once that ends. */
export interface BackupSpooled {
  readonly kind: "backup-spooled";
  readonly uuid: string;
  readonly path: string;
}

/** Disks of a VM that runs are copied by QEMU, which ends when it is taken back. What they are copied to is none of it. */
export interface DisksCopied {
  readonly kind: "disks-copied";
  readonly uuid: string;
  readonly name: string;
  /** Paths of what QEMU copies to. */
  readonly files: readonly string[];
  /** The guest was asked to stand still, and is to thaw. */
  readonly isFrozen: boolean;
}

/** An image of a disk that moves, as its VM has it or will have it. */
export interface MovedImage {
  readonly pool: string;
  readonly volume: string;
  readonly path: string;
  /** libvirt's type of the volume: file, block. */
  readonly type: "file" | "block";
  readonly format: "qcow2" | "raw";
  /** Its backing images, nearest first. */
  readonly backing: readonly {
    readonly path: string;
    readonly type: "file" | "block";
    readonly format: "qcow2" | "raw";
  }[];
}

/**
 * A disk of a VM goes over to a copy of it in another pool. Where it did, the definitions name the copy, and the old volume
 * goes unless it is kept; where it did not, the copy goes with the step that made it.
 */
export interface DiskMoved {
  readonly kind: "disk-moved";
  readonly uuid: string;
  readonly name: string;
  readonly target: string;
  readonly from: MovedImage & { readonly file: FileIdentity | null };
  readonly to: MovedImage;
  readonly keepsSource: boolean;
  /** When the old image was written to last: milliseconds since 1970; null where QEMU copies it, or it is not known. */
  readonly writtenAt: number | null;
  /** QEMU was told to go over to the copy. */
  readonly isPivoting?: true;
}

/** A device of a VM in one of its two configurations. */
interface DeviceAt {
  readonly uuid: string;
  readonly name: string;
  /** Its name for people: `disk vdb`. */
  readonly device: string;
  /** libvirt's number of the run in which the running VM is changed; null: what the next start has. */
  readonly run: string | null;
}

/** A device is added or changed: from one element to another. */
export interface DeviceChanged extends DeviceAt {
  readonly kind: "device-changed";
  /** Null: there was none. */
  readonly before: string | null;
  readonly after: string;
  /** Although the guest holds on to its medium. */
  readonly force?: true;
}

/** A device is taken away. */
export interface DeviceDoomed extends DeviceAt {
  readonly kind: "device-doomed";
  readonly xml: string;
}

/** Limits of a running VM's device are changed. */
export interface LimitsChanged extends DeviceAt {
  readonly kind: "limits-changed";
  readonly run: string;
  /** The disk's target, or the card's device. */
  readonly target: string;
  readonly of: "disk" | "nic";
  /** libvirt's parameters as they were. */
  readonly before: Readonly<Record<string, number>>;
}

/** A VM that comes from another host. It is here once libvirt runs it, whatever was heard of the other host. */
export interface VmIncoming {
  readonly kind: "vm-incoming";
  readonly uuid: string;
  readonly name: string;
  /** Of one that is off, its snapshots, parents before their children: known before it is defined. */
  readonly snapshots?: readonly SnapshotOfMove[];
  /** The host of this KVM Manager that it leaves, where one of both is reached by libvirt alone: what that one has counts. */
  readonly leaves?: string;
}

/** A snapshot's record that comes with a VM. */
export interface SnapshotOfMove {
  readonly xml: string;
  readonly isCurrent: boolean;
}

/** A VM that moves to another host. The other host decides: what runs there is no longer here. */
export interface VmOutgoing {
  readonly kind: "vm-outgoing";
  readonly uuid: string;
  readonly name: string;
  /** Id of the linked host. */
  readonly to: string;
  readonly wasRunning: boolean;
  /** Its disks were copied by themselves: the other host may have a copy of one that was started here meanwhile. */
  readonly wasOff: boolean;
  /** Of one that was off: the other host was told to define it, and may have it from then on. */
  readonly mayBeThere?: boolean;
  /** Volumes whose content was copied there: they go into the bin once it runs there. */
  readonly old: readonly {
    readonly pool: string;
    readonly volume: string;
    readonly path: string;
    readonly file: FileIdentity | null;
  }[];
  /** A domain that has nothing but its NVRAM, which goes after it; see `nvramHolder()`. */
  readonly nvram?: string;
  /** KVM Manager's records of it that are handed over once it has moved, by names for people. */
  readonly follows?: readonly string[];
}

/** The disks of a replica become volumes of the VM that is made of it: what was moved is moved back. */
export interface ReplicaPromoted {
  readonly kind: "replica-promoted";
  readonly replicaId: string;
  readonly uuid: string;
  readonly name: string;
  readonly moves: readonly (readonly [from: string, to: string])[];
}

export type Step =
  | VolumeMade
  | FileMade
  | FolderMade
  | DomainMade
  | SecretMade
  | NetworkStarted
  | LeaseMade
  | ForwardMade
  | PoolMade
  | NetworkDefined
  | NetworkDoomed
  | PoolDoomed
  | StartWanted
  | DomainDoomed
  | DiskDoomed
  | TrialVm
  | VolumeReplaced
  | StateReplaced
  | GuestFrozen
  | DisksReverted
  | DisksSwitched
  | VmRenamed
  | SnapshotMade
  | SnapshotReverted
  | VmBinned
  | EntryBinned
  | FileBinned
  | FileUnbinned
  | VmUnbinned
  | EntryUnbinned
  | BinDoomed
  | BackupSpooled
  | DisksCopied
  | DiskMoved
  | DeviceChanged
  | DeviceDoomed
  | LimitsChanged
  | VmIncoming
  | VmOutgoing
  | ReplicaPromoted
  | ChangeWanted;

export type StepKind = Step["kind"];
export type StepOf<K extends StepKind> = Extract<Step, { kind: K }>;
