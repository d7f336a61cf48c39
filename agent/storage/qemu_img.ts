/**
 * qemu-img for copies: libvirt's own take format and chain from the content, and no progress could be seen of one of raw
 * content is, nor end it. Here both are said, so nothing is guessed from what a guest wrote.
 */

import type { ArrivingFormat } from "../../lib/formats/foreign/mod.ts";
import { plainPath, reach } from "../machine/host_file.ts";
import type { CheckedImage } from "./disk_images/check.ts";
import { ToolError } from "../libvirt/failure.ts";
import { kill, killAndWait, ProgramLate, runProgram } from "../machine/programs.ts";
import { log } from "../log.ts";
import { requireResponding } from "../machine/mount_gate.ts";
import { tempFile } from "../machine/temp_file.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { LOCKS_HERE, NO_POOL } from "./locks.ts";

/** Milliseconds after which one that was told to end is ended. */
const GRACE_MS = 5000;
/** Milliseconds that it may take to tell its version. */
const VERSION_MS = 10_000;
/** Milliseconds that it may take to tell what an image has. */
const LOOK_MS = 10_000;
/** Bytes of a sector. */
const SECTOR = 512;
/** Characters kept of what it complains about. */
const MOST_COMPLAINT = 2000;

/** QEMU's words for an image that another process has open; it locks what it writes to. */
const IS_LOCKED = /Failed to get ".*" lock/;

/** An image is open in another process just now: the same works once that has ended. */
export class ImageLocked extends ToolError {}

/** Whether this host has a qemu-img. */
export async function hasQemuImg(): Promise<boolean> {
  try {
    return (await runProgram("qemu-img", ["--version"], { limitMs: VERSION_MS })).success;
  } catch (error) {
    if (error instanceof ProgramLate) log.warn("qemu-img does not answer", { error });
    if (error instanceof ProgramLate) return false;
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** An image as qemu-img is to open it. */
export type ImageNode = Pick<CheckedImage, "path" | "type" | "backing"> & {
  readonly format: ArrivingFormat;
  /** The image's part of the file if that holds more, in bytes. */
  readonly part?: { readonly offset: number; readonly size: number } | undefined;
};

/** Further options of a format for QEMU. */
const OPTIONS: Partial<Record<ArrivingFormat, object>> = {
  // The size that stands in the footer, which was judged, and not one that is worked out of cylinders.
  vpc: { force_size_calc: "current_size" },
};

/** Node of QEMU's block layer for an image: every node is named, nothing is read from a header. */
function nodeOf({ path, type, format, part, backing: [next, ...rest] }: ImageNode): object {
  const whole = { driver: type === "block" ? "host_device" : "file", filename: path };
  const file = part === undefined ? whole : { driver: "raw", ...part, file: whole };
  if (format === "raw") return part === undefined ? { driver: "raw", file } : file;
  // `null` ends the chain, whatever the header names.
  const backing = next === undefined ? null : nodeOf({ ...next, backing: rest });
  return { driver: format, ...OPTIONS[format], file, backing };
}

/** The argument list of a copy into a stream-optimised VMDK file, as OVAs have it. */
export function exportArgs(source: ImageNode, target: string): string[] {
  const node = `json:${JSON.stringify(nodeOf(source))}`;
  const options = "subformat=streamOptimized,adapter_type=lsilogic";
  return ["convert", "-p", "-O", "vmdk", "-o", options, "--", node, target];
}

/** The argument list of a copy into a volume that is there already and holds zeros. */
export function copyArgs(
  { source, target, format, isFile, snapshot, bytesPerSecond }: ImageCopy,
): string[] {
  const zero = isFile ? ["--target-is-zero"] : [];
  // Said by its name alone: qemu-img would take it for an id else, and a comma for the next option.
  const at = snapshot === undefined ? [] : ["-l", `snapshot.name=${snapshot.replaceAll(",", ",,")}`];
  const rate = bytesPerSecond === undefined ? [] : ["-r", String(Math.ceil(bytesPerSecond))];
  const node = `json:${JSON.stringify(nodeOf(source))}`;
  return [
    "convert",
    "-p",
    "-n",
    "-t",
    "writeback",
    ...zero,
    ...at,
    ...rate,
    "-O",
    format,
    "--",
    node,
    target,
  ];
}

/** The last share, 0 to 1, that a piece of qemu-img's output tells; undefined when it tells none. */
export function shareIn(text: string): number | undefined {
  const last = [...text.matchAll(/\((\d{1,3}(?:\.\d+)?)\/100%\)/g)].at(-1)?.[1];
  return last === undefined ? undefined : Math.min(1, Number(last) / 100);
}

/** Reads a stream of text to its end, piece by piece. */
async function readText(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onText: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) onText(text);
}

/** A copy to be made. */
export interface ImageCopy {
  readonly source: ImageNode;
  /** Path of the volume that is there already. */
  readonly target: string;
  /** The target's. */
  readonly format: "raw" | "qcow2";
  /** Whether the target is a new file: all of it is zeros. */
  readonly isFile: boolean;
  /** The snapshot within the source that is copied; else what it is now. */
  readonly snapshot?: string | undefined;
  /** Copies no faster than so many bytes a second. */
  readonly bytesPerSecond?: number | undefined;
}

/** How a copy is followed and ended. */
export interface CopyWatch {
  readonly signal: AbortSignal;
  /** Is told how much is done, 0 to 1. */
  readonly onShare: (share: number) => void;
}

/** An image by paths that programs take. */
const plain = (image: ImageNode, path: string): ImageNode => ({
  ...image,
  path,
  backing: image.backing.map((each) => ({ ...each, path: plainPath(each.path) })),
});

/**
 * Copies what a guest sees of an image. What was written by then stays in the target when it fails or is ended.
 *
 * @throws {ToolError} with qemu-img's own words @throws the signal's reason when that is aborted
 */
export async function copyImage({ signal, onShare, ...copy }: ImageCopy & CopyWatch): Promise<void> {
  using source = await reach(copy.source.path);
  const target = plainPath(copy.target);
  const args = copyArgs({ ...copy, source: plain(copy.source, source.path), target });
  await runQemuImg(args, [...pathsOf(copy.source), copy.target], { signal, onShare });
}

/** Bytes of an image as a guest sees them. @throws {ToolError} @throws the signal's reason when that is aborted */
export async function readImage(
  image: ImageNode,
  offset: number,
  length: number,
  signal: AbortSignal,
): Promise<Uint8Array> {
  // qemu-img counts in sectors, and what is to be skipped among what is read.
  const first = Math.floor(offset / SECTOR), end = Math.ceil((offset + length) / SECTOR);
  using file = await tempFile("kvmm-read-");
  const node = `json:${JSON.stringify(nodeOf(plain(image, plainPath(image.path))))}`;
  const range = [`bs=${SECTOR}`, `skip=${first}`, `count=${end}`];
  const args = ["dd", "-O", "raw", ...range, `if=${node}`, `of=${file.path}`];
  await runQemuImg(args, pathsOf(image), { signal, onShare: () => {} });
  const bytes = await file.bytes(), from = offset - first * SECTOR;
  return bytes.subarray(from, from + length);
}

/** As {@link copyImage}, into a stream-optimised VMDK file at a path. */
export async function exportImage(image: ImageNode, target: string, watch: CopyWatch): Promise<void> {
  using source = await reach(image.path);
  const args = exportArgs(plain(image, source.path), plainPath(target));
  await runQemuImg(args, [...pathsOf(image), target], watch);
}

/** The argument list of a copy to a server of QEMU's network block devices at a socket. @param isZero nothing was written there */
export function sendArgs(
  source: ImageNode,
  socket: string,
  { isZero, bytesPerSecond }: ImageSendOptions,
): string[] {
  const zero = isZero ? ["--target-is-zero"] : [];
  const rate = bytesPerSecond === undefined ? [] : ["-r", String(Math.ceil(bytesPerSecond))];
  const node = `json:${JSON.stringify(nodeOf(source))}`,
    target = `nbd+unix:///?socket=${encodeURIComponent(socket)}`;
  return ["convert", "-p", "-n", "-t", "writeback", ...zero, ...rate, "-O", "raw", "--", node, target];
}

/** How a copy is sent. */
export interface ImageSendOptions {
  readonly isZero: boolean;
  readonly bytesPerSecond?: number | undefined;
}

/** As {@link copyImage}, to such a server. */
export async function sendImage(
  image: ImageNode,
  socket: string,
  { isZero, bytesPerSecond, ...watch }: ImageSendOptions & CopyWatch,
): Promise<void> {
  using source = await reach(image.path);
  const args = sendArgs(plain(image, source.path), socket, { isZero, bytesPerSecond });
  await runQemuImg(args, pathsOf(image), watch);
}

/** The argument list that merges a qcow2 image into the one that it is built on. It keeps its own content. */
export function commitArgs(image: ImageNode): string[] {
  return ["commit", "-p", "-d", "-t", "writeback", "--", `json:${JSON.stringify(nodeOf(image))}`];
}

/** Merges a qcow2 image into the one that it is built on. Ended in the middle, it shows what it did before. */
export async function commitImage(image: ImageNode, watch: CopyWatch): Promise<void> {
  await runQemuImg(commitArgs(plain(image, plainPath(image.path))), pathsOf(image), watch);
}

/** Whether a guest sees the same of two images. @throws {ToolError} @throws the signal's reason when that is aborted */
export async function sameContent(one: ImageNode, other: ImageNode, signal: AbortSignal): Promise<boolean> {
  const nodes = [one, other].map((image) =>
    `json:${JSON.stringify(nodeOf(plain(image, plainPath(image.path))))}`
  );
  const touched = [...pathsOf(one), ...pathsOf(other)];
  const watch = { signal, onShare: () => {} };
  return await runQemuImg(["compare", "--", ...nodes], touched, watch, DIFFERENT) !== DIFFERENT;
}

/** Writes into a qcow2 image's head what it is built on. Nothing else of it changes. */
export async function rebaseImage(
  path: string,
  base: { readonly path: string; readonly format: string },
  signal: AbortSignal,
): Promise<void> {
  const args = ["rebase", "-u", "-f", "qcow2", "-F", base.format, "-b", base.path, "--", plainPath(path)];
  await runQemuImg(args, [path], { signal, onShare: () => {} });
}

/** A stretch of an image, as `qemu-img map` tells it; `present`: the image itself has something there, be it zeros. */
interface MappedStretch {
  readonly present: boolean;
}

/** Parts of a qcow2 image other than its data, as `qemu-img info` reports them. */
interface ImageExtras {
  readonly snapshots?: readonly unknown[];
  readonly "format-specific"?: { readonly data?: { readonly bitmaps?: readonly unknown[] } };
}

/**
 * Whether nothing was ever written to a qcow2 image: it has no data, no snapshots and no bitmaps of its own. Who asks holds
 * its locks, with which no QEMU could open it else.
 *
 * @throws {ToolError} @throws {ProgramLate} @throws {Deno.errors.NotFound} without qemu-img @throws {ContractError} StorageNotResponding
 */
export async function holdsNothing(path: string): Promise<boolean> {
  await requireResponding(path);
  // What it is built on is left out: only what it has itself is told
  const node = {
    driver: "qcow2",
    file: { driver: "file", filename: plainPath(path), locking: "off" },
    backing: null,
  };
  const ask = async (command: "info" | "map") => {
    const args = [command, "--output=json", "--", `json:${JSON.stringify(node)}`];
    const { success, stdout, stderr } = await runProgram("qemu-img", args, { limitMs: LOOK_MS });
    if (!success) throw new ToolError(stderr.trim() || "qemu-img failed");
    return JSON.parse(stdout);
  };
  const { snapshots = [], "format-specific": specific }: ImageExtras = await ask("info");
  const stretches: readonly MappedStretch[] = await ask("map");
  return snapshots.length === 0 && (specific?.data?.bitmaps ?? []).length === 0 &&
    stretches.every(({ present }) => present === false);
}

/** The files that an image consists of. */
const pathsOf = ({ path, backing }: ImageNode): string[] => [path, ...backing.map((each) => each.path)];

/** Keeps images from others until a program that works with them has ended. */
function keepUntil(end: Promise<unknown>, paths: readonly string[]): void {
  const held = new DisposableStack();
  for (const path of paths) {
    // Where the work that ends now holds it itself, it is kept from change at least.
    for (const hold of ["change", "read"] as const) {
      try {
        held.use(LOCKS_HERE.take(NO_POOL, path, { hold }));
        break;
      } catch (error) {
        if (!(error instanceof ContractError)) throw error;
        log.debug("an image is held by others already", { path, hold, error });
      }
    }
  }
  end.finally(() => held.dispose()).catch((error) => log.debug("how qemu-img ended is not known", { error }));
}

/** Exit status of `qemu-img compare` when the images differ. */
const DIFFERENT = 1;

/**
 * Runs it until it ends or is ended.
 *
 * @param touched the images that it opens
 * @param fine an exit status that is no failure, besides 0
 * @returns the exit status
 * @throws {ToolError} @throws {ContractError} StorageNotResponding @throws the signal's reason when that is aborted
 */
async function runQemuImg(
  args: string[],
  touched: readonly string[],
  { signal, onShare }: CopyWatch,
  fine = 0,
): Promise<number> {
  signal.throwIfAborted();
  await Promise.all(touched.map((path) => requireResponding(path)));
  const child = new Deno.Command("qemu-img", {
    args,
    env: { LC_ALL: "C" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let killing: ReturnType<typeof setTimeout> | undefined;
  const held = Promise.withResolvers<never>();
  const end = () => {
    kill(child, "SIGTERM");
    killing = setTimeout(async () => {
      if (await killAndWait(child, "qemu-img")) return;
      // The kernel holds it: the job ends, and what it may still write to is given out only after it has ended.
      keepUntil(child.status, touched);
      child.unref();
      held.reject(signal.reason);
    }, GRACE_MS);
  };
  signal.addEventListener("abort", end);
  let complaint = "";
  try {
    const running = Promise.all([
      child.status,
      readText(child.stdout, (text) => {
        const share = shareIn(text);
        if (share !== undefined) onShare(share);
      }),
      readText(child.stderr, (text) => complaint = (complaint + text).slice(0, MOST_COMPLAINT)),
    ]);
    const [{ code }] = await Promise.race([running, held.promise]);
    signal.throwIfAborted();
    if (code === 0 || code === fine) return code;
    const text = complaint.trim() || "qemu-img failed";
    throw IS_LOCKED.test(text) ? new ImageLocked(text) : new ToolError(text);
  } finally {
    signal.removeEventListener("abort", end);
    clearTimeout(killing);
  }
}
