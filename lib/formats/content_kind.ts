/**
 * Kind of a file by its first bytes, as far as they speak for or against a disk or a CD: packed files, archives, web
 * pages and text are none, and a raw disk has a partition table or a file system. Pure.
 */

/** Ways of packing that are undone here. */
export const PACKING_NAMES = ["gzip", "zstd", "xz", "bzip2"] as const;
export type PackingName = typeof PACKING_NAMES[number];

/** Kind of a file by its first bytes. */
export type ContentKind =
  /** It has the marks of a disk or a disk image. */
  | { readonly kind: "disk" }
  | { readonly kind: "cd" }
  | { readonly kind: "packed"; readonly packing: PackingName }
  /** An archive of files that is not unpacked here. */
  | { readonly kind: "archive"; readonly name: string }
  | { readonly kind: "page" | "text" | "empty" | "unknown" };

type Mark = readonly [at: number, bytes: readonly number[]];
const ascii = (text: string) => [...text].map((sign) => sign.charCodeAt(0));
const has = (head: Uint8Array, [at, bytes]: Mark) => bytes.every((byte, index) => head[at + index] === byte);

const PACKED: Readonly<Record<PackingName, readonly Mark[]>> = {
  // With its one method: two bytes alone begin other things, too.
  gzip: [[0, [0x1f, 0x8b, 0x08]]],
  zstd: [[0, [0x28, 0xb5, 0x2f, 0xfd]]],
  xz: [[0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]]],
  bzip2: [..."123456789"].flatMap((level): Mark[] => [
    [0, [...ascii(`BZh${level}`), 0x31, 0x41, 0x59, 0x26, 0x53, 0x59]],
    [0, [...ascii(`BZh${level}`), 0x17, 0x72, 0x45, 0x38, 0x50, 0x90]],
  ]),
};

const ARCHIVES: readonly (readonly [name: string, mark: Mark])[] = [
  ["zip", [0, [0x50, 0x4b, 0x03, 0x04]]],
  ["7z", [0, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]]],
  ["rar", [0, ascii("Rar!")]],
  ["lzip", [0, ascii("LZIP")]],
  ["lz4", [0, [0x04, 0x22, 0x4d, 0x18]]],
  ["lzma", [0, [0x5d, 0x00, 0x00]]],
  ["lzop", [0, [0x89, 0x4c, 0x5a, 0x4f]]],
  ["compress", [0, [0x1f, 0x9d]]],
  ["tar", [257, ascii("ustar")]],
];

/** Marks of disk images and of what lies on disks: partition tables, file systems, volume managers, swap. */
const DISKS: readonly Mark[] = [
  [0, ascii("QFI\xfb")],
  [0, ascii("KDMV")],
  [0, ascii("vhdxfile")],
  [0, ascii("conectix")],
  [64, [0x7f, 0x10, 0xda, 0xbe]],
  [510, [0x55, 0xaa]],
  [512, ascii("EFI PART")],
  [4096, ascii("EFI PART")],
  [1080, [0x53, 0xef]],
  [0, ascii("XFSB")],
  [0, ascii("LUKS\xba\xbe")],
  [0, ascii("hsqs")],
  [512, ascii("LABELONE")],
  [1024, ascii("H+")],
  [1024, ascii("HX")],
  [1024, [0x10, 0x20, 0xf5, 0xf2]],
  [4086, ascii("SWAPSPACE2")],
  [0x9564, [0x19, 0x01, 0x54, 0x19]],
];

/** Sectors of 2048 bytes in which a CD's descriptors lie (ECMA-119, ECMA-167): the first and the last that is looked at. */
const CD_SECTOR = 2048, CD_FIRST = 16, CD_LAST = 31;
const CD_MARKS = ["CD001", "BEA01", "NSR02", "NSR03"].map(ascii);

/** Whether a start has the descriptor of a CD or DVD: ISO 9660 or UDF. */
function isCd(head: Uint8Array): boolean {
  for (let sector = CD_FIRST; sector <= CD_LAST; sector++) {
    const at = sector * CD_SECTOR + 1;
    if (CD_MARKS.some((mark) => has(head, [at, mark]))) return true;
  }
  return has(head, [CD_FIRST * CD_SECTOR + 9, ascii("CDROM")]);
}

/** Bytes of a start that are looked at for text. */
const TEXT_BYTES = 4096;

/** The start as text; undefined for what is none. */
function textOf(head: Uint8Array): string | undefined {
  const start = head.subarray(0, TEXT_BYTES);
  try {
    // A character may be cut in two at the end.
    const text = new TextDecoder("utf-8", { fatal: true }).decode(start, { stream: true });
    // deno-lint-ignore no-control-regex -- these are the very characters that no text has
    return /[\u0000-\u0008\u000e-\u001a\u001c-\u001f\u007f]/.test(text) ? undefined : text;
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    return undefined;
  }
}

const PAGE = /^\s*(<!doctype\b|<!--|<(html|head|body|script|title|\?xml|error)\b|[{[]\s*")/i;

/** How a file is packed; undefined when it is not, or not in a way that is undone here. */
export const packingOf = (head: Uint8Array): PackingName | undefined =>
  PACKING_NAMES.find((name) => PACKED[name].some((mark) => has(head, mark)));

/** @param head the first bytes of a file: 64 KiB, or all of a shorter one */
export function contentKind(head: Uint8Array): ContentKind {
  if (head.length === 0) return { kind: "empty" };
  if (isCd(head)) return { kind: "cd" };
  if (DISKS.some((mark) => has(head, mark))) return { kind: "disk" };
  const packing = packingOf(head);
  if (packing !== undefined) return { kind: "packed", packing };
  const archive = ARCHIVES.find(([, mark]) => has(head, mark));
  if (archive !== undefined) return { kind: "archive", name: archive[0] };
  const text = textOf(head);
  if (text !== undefined) return { kind: PAGE.test(text.replace(/^\ufeff/, "")) ? "page" : "text" };
  return { kind: head.every((byte) => byte === 0) ? "empty" : "unknown" };
}

/** Kind of a file that is no disk and no CD, for people; undefined if nothing speaks against it. */
export function strangeContent(content: ContentKind): string | undefined {
  switch (content.kind) {
    case "packed":
      return `packed with ${content.packing}`;
    case "archive":
      return content.name === "tar" ? "a tar archive" : `packed (${content.name})`;
    case "page":
      return "a web page or an error message, not an image";
    case "text":
      return "text";
    default:
      return undefined;
  }
}
