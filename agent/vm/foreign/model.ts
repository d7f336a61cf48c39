/** A foreign VM that may be imported, wherever it comes from. */
import { ContractError, type ImagePolicy } from "../../../lib/contract/mod.ts";
import { ForeignVmError, type ForeignWarning, type SourceVm } from "../../../lib/formats/foreign/vm/model.ts";
import { OvfError } from "../../../lib/formats/ovf/model.ts";
import type { ConversionTarget } from "../../storage/convert_disk.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { HostRegistry } from "../../hosts/registry.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import type { Operation } from "../../operations/operation.ts";
import type { PoolVolume } from "../../storage/volumes.ts";
import type { FolderDisk } from "./disk.ts";
import type { FileSums } from "./checksums.ts";
import type { ForeignChoices } from "./choices.ts";
import type { KeptParts } from "./remote/kept_parts.ts";
import type { ForeignLogins } from "./remote/logins.ts";
import type { SshFiles } from "../../hosts/ssh/files.ts";
import type { Sentence } from "../../../lib/i18n/message.ts";

/** Dependencies of importing foreign VMs. */
export interface ForeignServices {
  readonly host: LibvirtHost;
  readonly hosts: Pick<HostRegistry, "named" | "require">;
  readonly choices: ForeignChoices;
  /** Credentials for servers, kept for a while. */
  readonly logins: ForeignLogins;
  /** Files left by imports that were cut; undefined where this host's files are not accessible. */
  readonly parts: KeptParts | undefined;
  /** How hosts are reached by SSH. */
  readonly ssh: SshFiles;
  /** Limits on images. @throws {ContractError} while they cannot be read */
  readonly imagePolicy: () => Pick<ImagePolicy, "maxVirtualGb">;
}

/** A disk that is made into a volume. */
export interface SourceDisk {
  /** As the definition names it. */
  readonly file: string;
  readonly format: string;
  /** Size for the guest, in bytes; 0 where it is only known after the transfer. */
  readonly virtualBytes: number;
  /** Bytes that are read of it. */
  readonly fileBytes: number;
  /** Makes the volume, as a step of the operation. @throws {ContractError} @throws {LibvirtError} */
  readonly convert: (target: ConversionTarget, work: ConvertWork) => Promise<PoolVolume>;
  /** The file on this host; undefined for a remote disk. */
  readonly local: FolderDisk | undefined;
  /** Reads what a guest sees of it, before it is converted; undefined where that is possible only afterwards. */
  readonly readGuest: GuestDiskReader | undefined;
}

/** Reads what a guest sees of a disk: fewer bytes at its end. */
export type GuestDiskReader = (offset: number, length: number, signal: AbortSignal) => Promise<Uint8Array>;

/** How a disk is converted. */
export interface ConvertWork {
  readonly job: JobHandle;
  readonly operation: Operation;
  readonly onShare: (share: number) => void;
  /** Refuse a Windows that was not shut down, where that could not be looked at before. */
  readonly mustBeClean: boolean;
  /** Read all of it at the source once more, where the source tells no checksum. */
  readonly verify: boolean;
}

/** A VM that may be imported. */
export interface ForeignSource {
  /** Name in its source, where the request gave none. */
  readonly found: string | undefined;
  readonly vm: SourceVm;
  /** By the place of each disk. */
  readonly disks: readonly SourceDisk[];
  /** Checksums of files in the folder. */
  readonly sums: FileSums | undefined;
  readonly warnings: readonly ForeignWarning[];
  /** Looks whether the VM is off still, once its disks have come. @throws {ContractError} VmMustBeOff */
  readonly confirm: ((signal: AbortSignal) => Promise<void>) | undefined;
}

/** A definition that is not taken. */
export const foreignRefused = (reason: Sentence, cause?: unknown) =>
  new ContractError("ForeignVmRefused", { reason }, { cause });

/** @throws {ContractError} ForeignVmRefused for what a reader refuses */
export function told<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof ForeignVmError || error instanceof OvfError) {
      throw foreignRefused(error.message, error);
    }
    throw error;
  }
}
