/** Disks in a folder: judged by their heads, and put together of the files that they consist of. */
import { ContractError, type ImagePolicy, type Role } from "../../../lib/contract/mod.ts";
import { type ArrivingFormat, readArriving } from "../../../lib/formats/foreign/mod.ts";
import type { ForeignDisk } from "../../../lib/formats/foreign/vm/model.ts";
import { requireVmdkPiece } from "../../../lib/formats/foreign/vmdk.ts";
import {
  isVmdkDescriptor,
  MOST_DESCRIPTOR,
  readVmdkDescriptor,
  VMDK_SECTOR,
  type VmdkExtent,
} from "../../../lib/formats/foreign/vmdk_descriptor.ts";
import { ImageError } from "../../../lib/formats/qcow2/qcow2_header.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import { checkImage } from "../../storage/disk_images/check.ts";
import { tempFile } from "../../machine/temp_file.ts";
import type { ImageNode } from "../../storage/qemu_img.ts";
import { holdWriters } from "../../storage/volume_usage.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { HeldFile, SourceFolder } from "./folder.ts";

/** A disk that may be converted. */
export interface FolderDisk {
  /** As the definition names it. */
  readonly file: string;
  readonly format: string;
  readonly virtualBytes: number;
  /** Bytes of its files. */
  readonly fileBytes: number;
  readonly files: readonly HeldFile[];
  /** Image description for qemu-img. */
  readonly image: ImageNode;
}

/** The host, the limits and the principal's role for a request for disks. */
export interface DiskRequest {
  readonly host: LibvirtHost;
  readonly policy: Pick<ImagePolicy, "maxVirtualGb">;
  readonly role: Role;
  /** Keeps the files as they are, and open. */
  readonly held: DisposableStack;
}

/** A description's head that QEMU takes for any mixture of extents. */
const OWN_DESCRIPTION =
  '# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="twoGbMaxExtentSparse"\n';

/** Format by the ending of a file's name. */
const BY_ENDING: Readonly<Record<string, ArrivingFormat>> = {
  vmdk: "vmdk",
  qcow2: "qcow2",
  raw: "raw",
  img: "raw",
  vdi: "vdi",
  vhdx: "vhdx",
  avhdx: "vhdx",
  vhd: "vpc",
  avhd: "vpc",
};
/** Endings under which the file that a definition names may lie here: an upload is a qcow2 image by now. */
const OTHER_ENDINGS = ["qcow2", "raw", "img", "vmdk", "vhdx", "vhd", "vdi"];

const endingOf = (name: string) => /\.([A-Za-z0-9]{1,8})$/.exec(name)?.[1]?.toLowerCase();

/** The names under which a disk's file may lie in the folder. */
const candidates = (file: string): string[] => {
  const ending = endingOf(file), stem = ending === undefined ? file : file.slice(0, -ending.length - 1);
  return [file, ...OTHER_ENDINGS.map((each) => `${stem}.${each}`)];
};

/** Keeps a file from change, where libvirt's pools and VMs know it. @throws {ContractError} */
async function keepFile(
  { host, role, held }: DiskRequest,
  file: HeldFile,
  format: "qcow2" | "raw",
): Promise<void> {
  const purpose = format === "qcow2" ? "content" : "bytes";
  const image = await checkImage(host, { path: file.path, format }, { purpose, role }, held);
  if (image.backing.length > 0) {
    throw new ContractError("DiskRefused", { path: file.name, reason: "it is built on another image" });
  }
  await holdWriters(host, image, held);
}

/** A line of a description for a stretch of the disk. */
async function extentLine(extent: VmdkExtent, file: HeldFile | undefined): Promise<string> {
  const sectors = extent.bytes / VMDK_SECTOR;
  if (extent.kind === "zero" || file === undefined) return `RW ${sectors} ZERO`;
  const { name, size, source, heldPath } = file;
  if (extent.kind === "sparse") {
    await requireVmdkPiece(source, extent.bytes);
    return `RW ${sectors} SPARSE "${heldPath}"`;
  }
  if (extent.offset + extent.bytes > size) {
    throw new ImageError(`${name} is shorter than its description says`);
  }
  return `RW ${sectors} FLAT "${heldPath}" ${extent.offset / VMDK_SECTOR}`;
}

/**
 * A disk of several files that a description names. QEMU is given one of our own, which names the files that are held here
 * and were judged, and nothing that the other one says.
 */
async function described(
  request: DiskRequest,
  folder: SourceFolder,
  file: HeldFile,
): Promise<Omit<FolderDisk, "file">> {
  if (file.size > MOST_DESCRIPTOR) throw new ImageError("its description is too long");
  const text = new TextDecoder("windows-1252").decode(await file.source.read(0, file.size));
  const { extents, virtualBytes, createType } = readVmdkDescriptor(text);
  const files = new Map<string, HeldFile>();
  const lines: string[] = [];
  for (const extent of extents) {
    if (extent.kind === "zero") {
      lines.push(await extentLine(extent, undefined));
      continue;
    }
    const name = folder.find([extent.file]) ?? extent.file;
    let own = files.get(name);
    if (own === undefined) {
      files.set(name, own = await folder.file(name, request.held));
      await keepFile(request, own, "raw");
    }
    lines.push(await extentLine(extent, own));
  }
  const all = [file, ...files.values()];
  const { path } = request.held.use(await tempFile("kvmm-vmdk-", `${OWN_DESCRIPTION}${lines.join("\n")}\n`));
  return {
    format: `vmdk (${createType.slice(0, 40)})`,
    virtualBytes,
    fileBytes: all.reduce((sum, { size }) => sum + size, 0),
    files: all,
    image: { path, type: "file", format: "vmdk", backing: [] },
  };
}

async function judged(
  request: DiskRequest,
  folder: SourceFolder,
  file: HeldFile,
  said: ArrivingFormat | undefined,
): Promise<Omit<FolderDisk, "file">> {
  const start = await file.source.read(0, 512);
  if (said === "vmdk" && isVmdkDescriptor(start)) return await described(request, folder, file);
  const { format, virtualBytes } = await readArriving(file.source, said ?? "raw");
  await keepFile(request, file, format === "qcow2" ? "qcow2" : "raw");
  return {
    format,
    virtualBytes,
    fileBytes: file.size,
    files: [file],
    image: {
      path: file.heldPath,
      type: "file",
      format,
      part: { offset: 0, size: file.size },
      backing: [],
    },
  };
}

/**
 * Opens a disk of a definition.
 *
 * @throws {ContractError} DiskNotFound, DiskRefused, PathRefused, ImageTooLarge, DiskInUse, VolumeInUse
 */
export async function openDisk(
  request: DiskRequest,
  folder: SourceFolder,
  { file: named, format: said }: Pick<ForeignDisk, "format"> & { readonly file: string },
): Promise<FolderDisk> {
  const name = folder.find(candidates(named)) ?? named;
  const file = await folder.file(name, request.held);
  const ending = BY_ENDING[endingOf(name) ?? ""];
  try {
    const disk = await judged(request, folder, file, ending ?? (name === named ? said : undefined));
    const { maxVirtualGb } = request.policy;
    if (disk.virtualBytes <= maxVirtualGb * GIB) return { file: named, ...disk };
    const gib = Math.floor(disk.virtualBytes / GIB);
    const reason = `a guest would see ${gib} GiB of ${name}, allowed are ${maxVirtualGb}`;
    throw new ContractError("ImageTooLarge", { reason });
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new ContractError("DiskRefused", { path: name, reason: error.message }, { cause: error });
  }
}
