/**
 * Recognizes a file by its first bytes and decides whether it may become an image here, before libvirt, QEMU or
 * qemu-img opens it (CVE-2024-32498, CVE-2022-47951). Pure.
 */
import { HEAD_BYTES, headRefusal, ImageError, looksLikeQcow2, readQcow2Header } from "./qcow2_header.ts";

export { HEAD_BYTES };

/** Findings about the head of a file. */
export interface ImageHead {
  readonly format: "qcow2" | "iso" | "raw" | "other";
  /** Size that the guest sees, in bytes; undefined if that is the file's own size. */
  readonly virtualSize: bigint | undefined;
  /** Why it must not be used; null when nothing speaks against it. */
  readonly refusal: string | null;
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const begins = (head: Uint8Array, magic: Uint8Array, at = 0) =>
  head.length >= at + magic.length && magic.every((byte, index) => head[at + index] === byte);

/** Formats that QEMU would recognise, and that VMs are not given here: some name other files. */
const FOREIGN: readonly (readonly [magic: Uint8Array, at: number, name: string])[] = [
  [bytesOf("# Disk DescriptorFile"), 0, "a VMDK description, which names other files"],
  [bytesOf("KDMV"), 0, "a VMDK image, which can name other files"],
  [bytesOf("COWD"), 0, "a VMDK image, which can name other files"],
  [bytesOf("QED\0"), 0, "a QED image, which can name other files"],
  [bytesOf("vhdxfile"), 0, "a VHDX image"],
  [bytesOf("conectix"), 0, "a VHD image"],
  [new Uint8Array([0x7f, 0x10, 0xda, 0xbe]), 64, "a VDI image"],
  [bytesOf("WithoutFreeSpace"), 0, "a Parallels image"],
  [bytesOf("WithouFreSpacExt"), 0, "a Parallels image"],
];
/** Signature of a CD's volume descriptor (ECMA-119), and its offset. */
const CD = bytesOf("CD001"), CD_AT = 32_769;

/** Reads the start of a file: its first {@link HEAD_BYTES}, or all of a shorter one. */
export function readImageHead(head: Uint8Array): ImageHead {
  const foreign = FOREIGN.find(([magic, at]) => begins(head, magic, at));
  if (foreign !== undefined) {
    return { format: "other", virtualSize: undefined, refusal: `it is ${foreign[2]}. Convert it to qcow2` };
  }
  if (!looksLikeQcow2(head)) {
    return { format: begins(head, CD, CD_AT) ? "iso" : "raw", virtualSize: undefined, refusal: null };
  }
  try {
    const header = readQcow2Header(head);
    const built = header.backingFile === undefined
      ? null
      : "it is built on another image. Flatten it: qemu-img convert";
    return {
      format: "qcow2",
      virtualSize: header.virtualSize,
      refusal: headRefusal(header) ?? built,
    };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { format: "qcow2", virtualSize: undefined, refusal: error.message };
  }
}
