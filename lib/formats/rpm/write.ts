/** Writing RPM packages: lead, signature header, header, payload. Pure. Source: docs/manual/format_v4.md of rpm. */
import { joined } from "../../bytes.ts";
import { type CpioEntry, writeCpio } from "./cpio.ts";
import { type RpmTag, writeHeader } from "./header.ts";

/** A file that a package installs, or a folder (whose name ends with `/`). */
export interface RpmFile {
  /** Its absolute path. */
  readonly path: string;
  readonly content: Uint8Array;
  /** Permissions. */
  readonly mode: number;
  /** Configuration: what somebody has changed stays. */
  readonly isConfig?: boolean;
}

/** A package. */
export interface RpmPackage {
  readonly name: string;
  readonly version: string;
  readonly release: string;
  readonly architecture: "x86_64" | "aarch64";
  readonly summary: string;
  readonly description: string;
  readonly license: string;
  /** Run by /bin/sh after it was installed, and before it is removed. */
  readonly scripts: { readonly afterInstall: string; readonly beforeRemove: string };
  readonly files: readonly RpmFile[];
  /** Of everything in it, in seconds since 1970. */
  readonly modified: number;
}

/** Functions that the caller brings. */
export interface RpmTools {
  /** Compresses as gzip does. */
  readonly gzip: (bytes: Uint8Array) => Uint8Array;
  /** A checksum in hexadecimal digits. */
  readonly digest: (algorithm: "md5" | "sha1" | "sha256", bytes: Uint8Array) => string;
}

/** rpm's numbers of architectures, in the lead. */
const ARCHITECTURES = { x86_64: 1, aarch64: 19 } as const;
const FOLDER = 0o040000, REGULAR = 0o100000;
/** `RPMFILE_CONFIG | RPMFILE_NOREPLACE` */
const CONFIG = 1 | 16;
/** `PGPHASHALGO_SHA256` */
const SHA256 = 8;
/** `RPMSENSE_RPMLIB | RPMSENSE_LESS | RPMSENSE_EQUAL`, `RPMSENSE_EQUAL`, and of the scripts' interpreter. */
const SENSE = { rpmlib: 0x0100_000a, equal: 8, post: 0x500, preun: 0x900 } as const;
/** Requirements of a package on rpm, by name, version and sense; in the order of their names. */
const REQUIRED: readonly (readonly [name: string, version: string, sense: number])[] = [
  ["/bin/sh", "", SENSE.post],
  ["/bin/sh", "", SENSE.preun],
  ["rpmlib(CompressedFileNames)", "3.0.4-1", SENSE.rpmlib],
  ["rpmlib(FileDigests)", "4.6.0-1", SENSE.rpmlib],
  ["rpmlib(PayloadFilesHavePrefix)", "4.0-1", SENSE.rpmlib],
];

const isFolder = ({ path }: RpmFile) => path.endsWith("/");
const withoutEnd = (path: string) => path.replace(/\/$/, "");

function lead({ name, version, release, architecture }: RpmPackage): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(96), view = new DataView(bytes.buffer);
  view.setUint32(0, 0xedab_eedb);
  view.setUint8(4, 3);
  view.setUint16(8, ARCHITECTURES[architecture]);
  bytes.set(new TextEncoder().encode(`${name}-${version}-${release}`).subarray(0, 65), 10);
  view.setUint16(76, 1); // Linux
  view.setUint16(78, 5); // the signature is a header
  return bytes;
}

/** Tags of its files: parallel lists, in the order of their paths. */
function fileTags(files: readonly RpmFile[], modified: number, digest: RpmTools["digest"]): RpmTag[] {
  const paths = files.map(({ path }) => withoutEnd(path));
  const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/") + 1);
  const folders = [...new Set(paths.map(folderOf))];
  const each = <T>(make: (file: RpmFile, index: number) => T) => files.map(make);
  return [
    [1028, { int32: each((file) => isFolder(file) ? 0 : file.content.length) }],
    [1030, { int16: each((file) => (isFolder(file) ? FOLDER : REGULAR) | file.mode) }],
    [1033, { int16: each(() => 0) }],
    [1034, { int32: each(() => modified) }],
    [1035, { texts: each((file) => isFolder(file) ? "" : digest("sha256", file.content)) }],
    [1036, { texts: each(() => "") }],
    [1037, { int32: each(({ isConfig }) => isConfig ? CONFIG : 0) }],
    [1039, { texts: each(() => "root") }],
    [1040, { texts: each(() => "root") }],
    [1045, { int32: each(() => -1) }],
    [1095, { int32: each(() => 1) }],
    [1096, { int32: each((_file, index) => index + 1) }],
    [1097, { texts: each(() => "") }],
    [1116, { int32: paths.map((path) => folders.indexOf(folderOf(path))) }],
    [1117, { texts: paths.map((path) => path.slice(path.lastIndexOf("/") + 1)) }],
    [1118, { texts: folders }],
    [5011, { int32: [SHA256] }],
  ];
}

/** A package. The same input gives the same bytes. */
export function writeRpm(made: RpmPackage, { gzip, digest }: RpmTools): Uint8Array<ArrayBuffer> {
  const { name, version, release, architecture, summary, description, license, scripts, modified } = made;
  const files = made.files.toSorted((a, b) => withoutEnd(a.path) < withoutEnd(b.path) ? -1 : 1);
  const archive = writeCpio(files.map((file): CpioEntry => ({
    name: `.${withoutEnd(file.path)}`,
    mode: (isFolder(file) ? FOLDER : REGULAR) | file.mode,
    content: file.content,
    modified,
  })));
  const payload = gzip(archive);
  const header = writeHeader(63, [
    [100, { texts: ["C"] }],
    [1000, { text: name }],
    [1001, { text: version }],
    [1002, { text: release }],
    [1004, { translated: summary }],
    [1005, { translated: description }],
    [1006, { int32: [modified] }],
    [1007, { text: "localhost" }],
    [1009, { int32: [files.reduce((sum, { content }) => sum + content.length, 0)] }],
    [1014, { text: license }],
    [1016, { translated: "System Environment/Daemons" }],
    [1021, { text: "linux" }],
    [1022, { text: architecture }],
    [1024, { text: scripts.afterInstall }],
    [1025, { text: scripts.beforeRemove }],
    [1044, { text: `${name}-${version}-${release}.src.rpm` }],
    [1047, { texts: [name] }],
    [1048, { int32: REQUIRED.map(([, , sense]) => sense) }],
    [1049, { texts: REQUIRED.map(([required]) => required) }],
    [1050, { texts: REQUIRED.map(([, least]) => least) }],
    [1064, { text: "4.18.0" }],
    [1086, { text: "/bin/sh" }],
    [1087, { text: "/bin/sh" }],
    [1112, { int32: [SENSE.equal] }],
    [1113, { texts: [`${version}-${release}`] }],
    [1124, { text: "cpio" }],
    [1125, { text: "gzip" }],
    [1126, { text: "9" }],
    [5092, { texts: [digest("sha256", payload)] }],
    [5093, { int32: [SHA256] }],
    ...fileTags(files, modified, digest),
  ]);
  const signed = joined([header, payload]);
  const signature = writeHeader(62, [
    [269, { text: digest("sha1", header) }],
    [273, { text: digest("sha256", header) }],
    [1000, { int32: [signed.length] }],
    [1004, { bytes: Uint8Array.fromHex(digest("md5", signed)) }],
    [1007, { int32: [archive.length] }],
  ]);
  // What follows the signature begins at a multiple of 8
  const gap = new Uint8Array((8 - signature.length % 8) % 8);
  return joined([lead(made), signature, gap, signed]);
}
