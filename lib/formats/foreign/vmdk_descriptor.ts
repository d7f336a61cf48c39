/**
 * Descriptions of VMDK images that stand in a file of their own and name others for the content: `monolithicFlat`, `vmfs`,
 * and those split into pieces of 2 GB. Whoever reads one opens the files itself, by plain names in the same folder, and tells
 * QEMU of each: QEMU's own reader would open whatever the description names. Source: VMware's "Virtual Disk Format 5.0". Pure.
 */
import { ImageError } from "../qcow2/qcow2_header.ts";
import { isPlainName } from "./vm/model.ts";

export const VMDK_SECTOR = 512;
/** Bytes of the longest description that is read. */
export const MOST_DESCRIPTOR = 256 * 1024;
/** Files of one image: 1 TiB in pieces of 2 GB. */
const MOST_EXTENTS = 512;
const NO_PARENT = "ffffffff";

/** A stretch of the disk, in its order. */
export type VmdkExtent =
  | {
    readonly kind: "flat" | "sparse";
    readonly file: string;
    readonly bytes: number;
    readonly offset: number;
  }
  | { readonly kind: "zero"; readonly bytes: number };

/** Fields of a description. */
export interface VmdkDescriptor {
  readonly createType: string;
  readonly extents: readonly VmdkExtent[];
  /** Size that the guest sees. */
  readonly virtualBytes: number;
}

/** Kinds whose content is elsewhere than in files, or only part of it is. */
const REFUSED: readonly (readonly [RegExp, string])[] = [
  [
    /^(vmfsRaw|vmfsRDM|vmfsRawDeviceMap|vmfsPassthroughRawDeviceMap|fullDevice|partitionedDevice)$/i,
    "it stands for a disk of the host that it comes from (raw device mapping). Copy it into a file there first",
  ],
  [
    /^(vmfsSparse|seSparse)$/i,
    "it holds the changes since a snapshot. Consolidate the snapshots at the source first",
  ],
];

/** Whether the start of a file is that of a description. */
export const isVmdkDescriptor = (start: Uint8Array): boolean =>
  /^\s*#\s*Disk\s*DescriptorFile/i.test(new TextDecoder("windows-1252").decode(start.subarray(0, 64)));

function extentOf(line: string): VmdkExtent {
  const [, access = "", count = "", kind = "", rest = ""] =
    /^(RW|RDONLY|NOACCESS)\s+(\d{1,13})\s+([A-Z]+)\b\s*(.*)$/i.exec(line) ?? [];
  const bytes = Number(count) * VMDK_SECTOR;
  if (access === "" || /^NOACCESS$/i.test(access) || bytes === 0) {
    throw new ImageError(`its line ${JSON.stringify(line.slice(0, 120))} is not understood`);
  }
  if (/^ZERO$/i.test(kind)) return { kind: "zero", bytes };
  const refusal = REFUSED.find(([pattern]) => pattern.test(kind));
  if (refusal !== undefined) throw new ImageError(refusal[1]);
  const [, file = "", at = "0"] = /^"([^"]{1,1024})"(?:\s+(\d{1,13}))?(?:\s.*)?$/.exec(rest) ?? [];
  // VMFS: a flat file in VMware's own file system.
  const isFlat = /^(FLAT|VMFS)$/i.test(kind);
  if (!isFlat && !/^SPARSE$/i.test(kind)) {
    throw new ImageError(`it has an extent of the kind ${kind.slice(0, 40)}`);
  }
  if (!isPlainName(file)) {
    throw new ImageError(
      `it names ${JSON.stringify(file.slice(0, 120))}, which is no file in its own folder`,
    );
  }
  return { kind: isFlat ? "flat" : "sparse", file, bytes, offset: isFlat ? Number(at) * VMDK_SECTOR : 0 };
}

/** Reads one. @throws {ImageError} why its disk must not be used */
export function readVmdkDescriptor(text: string): VmdkDescriptor {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trim()).filter((line) => !/^(#|$)/.test(line));
  const valueOf = (key: string): string | undefined => {
    const found = lines.flatMap((line) => {
      const at = line.indexOf("=");
      const isIt = at > 0 && line.slice(0, at).trim().toLowerCase() === key.toLowerCase();
      return isIt ? [line.slice(at + 1).trim().replace(/^"(.*)"$/, "$1")] : [];
    });
    if (found.length > 1) throw new ImageError(`its description has ${key} twice`);
    return found[0];
  };
  const createType = valueOf("createType") ?? "";
  const refusal = REFUSED.find(([pattern]) => pattern.test(createType));
  if (refusal !== undefined) throw new ImageError(refusal[1]);
  if (
    (valueOf("parentCID") ?? NO_PARENT).toLowerCase() !== NO_PARENT ||
    valueOf("parentFileNameHint") !== undefined
  ) {
    throw new ImageError("it is built on another image. Consolidate the snapshots at the source first");
  }
  const extents = lines.filter((line) => /^(RW|RDONLY|NOACCESS)\s/i.test(line)).map(extentOf);
  if (extents.length === 0) throw new ImageError("its description names no content");
  if (extents.length > MOST_EXTENTS) throw new ImageError(`it consists of more than ${MOST_EXTENTS} files`);
  const virtualBytes = extents.reduce((sum, { bytes }) => sum + bytes, 0);
  if (!Number.isSafeInteger(virtualBytes)) throw new ImageError("its size is more than any disk has");
  return { createType, extents, virtualBytes };
}
