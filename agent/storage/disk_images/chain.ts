/**
 * Backing chain of an image: on this machine by its files, on another one by libvirt's volumes. One policy
 * for every caller: an image may be built on the one its user names, and on volumes of libvirt's active
 * pools; nothing of the chain may name a data file, be encrypted or marked corrupt, or leave the format of
 * the image below it to be guessed. Read before QEMU or qemu-img would open any of it (CVE-2024-32498 and its
 * kin).
 */
import { message, render, type Sentence } from "../../../lib/i18n/message.ts";
import { dirname, resolve } from "node:path";
import {
  HEAD_BYTES,
  headRefusal,
  ImageError,
  looksLikeQcow2,
  type Qcow2Header,
  readQcow2Header,
} from "../../../lib/formats/qcow2/qcow2_header.ts";
import { isNameable, readStart, realPathOf } from "../../machine/host_file.ts";
import type { BackingImage } from "../../../lib/formats/xml/new_vm.ts";
import { lookAt } from "../../machine/files.ts";
import type { PoolVolume } from "../volumes.ts";
import type { ImageReader } from "./reader.ts";
import type { LocalMachine } from "../../machine/machine.ts";

/** Images in a chain that are followed; a header can make a chain point back to itself. */
const MOST_IMAGES = 64;

/** A reason not to use an image, fit to be shown. */
export class ImageRefused extends Error {
  override readonly name = "ImageRefused";

  constructor(readonly sentence: Sentence) {
    super(render(sentence));
  }
}

/** The path with every link followed; undefined when nothing is there. @throws {ContractError} PathRefused */
export const realPath = (path: string): Promise<string | undefined> => lookAt(path, realPathOf);

/** The first bytes of a file: {@link HEAD_BYTES}, or all of a shorter one. @throws {Error} when it cannot be read */
export const imageHeadBytes = ({ files }: LocalMachine, path: string): Promise<Uint8Array> =>
  files.readStart(path, HEAD_BYTES);

/**
 * Header of a qcow2 image; null if it is no qcow2 image.
 *
 * @throws {ImageRefused} when its values contradict each other
 */
export function qcow2Header(head: Uint8Array): Qcow2Header | null {
  try {
    return looksLikeQcow2(head) ? readQcow2Header(head) : null;
  } catch (error) {
    if (error instanceof ImageError) throw new ImageRefused(error.message);
    throw error;
  }
}

/** {@link qcow2Header} of the file at a path of this machine. @throws {ImageRefused} @throws {Error} when it cannot be read */
export async function qcow2Head(path: string): Promise<Qcow2Header | null> {
  return qcow2Header(await readStart(path, HEAD_BYTES));
}

/** Reader of an image's chain, and declarations about the image. */
export interface ChainRequest {
  readonly reader: ImageReader;
  /** The image that its user says it is built on. */
  readonly named?: string | undefined;
  /** Whether its format rests on more than its content: only then what it is built on is opened. */
  readonly isSaid: boolean;
  /** Whether images outside all pools may be below it, although the caller named none of them. */
  readonly anyBase?: boolean | undefined;
  /** The volume at a path; undefined when no active pool knows it. */
  readonly volumeAt: (path: string) => Promise<PoolVolume | undefined>;
  /** Told of each image below before its head is read: to lock it, and to say no. @throws {ImageRefused} */
  readonly enter: (image: BackingImage, volume: PoolVolume | undefined) => Promise<void>;
}

/**
 * The images that the qcow2 image at `path` is built on, nearest first.
 *
 * @throws {ImageRefused} when it must not be used @throws {LibvirtError}
 * @throws {Error} when an image of the chain cannot be read
 */
export async function checkedChain(path: string, wish: ChainRequest): Promise<BackingImage[]> {
  const { reader, named, isSaid, anyBase = false, volumeAt, enter } = wish;
  const pathAt = async (at: string) => (await reader.find(at))?.path;
  const wanted = named === undefined ? undefined : await pathAt(resolve(named));
  if (named !== undefined && wanted === undefined) {
    throw new ImageRefused(`there is no backing file ${named}`);
  }
  const chain: BackingImage[] = [];
  for (let at = path; chain.length < MOST_IMAGES;) {
    const isTop = at === path;
    const refuse = (reason: Sentence) =>
      new ImageRefused(isTop ? reason : message`of its backing file ${at}: ${reason}`);
    const head = qcow2Header(await reader.head(at));
    if (head === null) throw refuse("it is not a qcow2 image");
    const wrong = headRefusal(head);
    if (wrong !== null) throw refuse(wrong);
    if (head.backingFile === undefined) {
      if (isTop && named !== undefined) {
        throw refuse(message`it is not built on ${named}, nor on any other image`);
      }
      return chain;
    }
    const target = resolve(dirname(at), head.backingFile);
    const isNamed = isTop && wanted !== undefined && await pathAt(target) === wanted;
    if (isTop && named !== undefined && !isNamed) {
      throw refuse(message`it is built on ${target}, not on ${named}`);
    }
    const volume = await volumeAt(target);
    if (!isNamed && !anyBase && volume === undefined) {
      const hint = isTop ? ": name that as its backing file to allow it" : "";
      throw refuse(message`it is built on ${target}, which is in no storage pool${hint}`);
    }
    if (isTop && !isNamed && !isSaid) {
      throw refuse(message`it is built on ${target}; say that its format is qcow2 if that is meant`);
    }
    const next = await linkOf(reader, target, head.backingFormat, refuse);
    if (next.path === path || chain.some((each) => each.path === next.path)) break;
    await enter(next, volume);
    chain.push(next);
    if (next.format === "raw") return chain;
    at = next.path;
  }
  throw new ImageRefused("it is built on itself, or on too many images");
}

/** One image of the chain, as the VM's XML has it. */
async function linkOf(
  reader: ImageReader,
  target: string,
  format: string | undefined,
  refuse: (reason: Sentence) => ImageRefused,
): Promise<BackingImage> {
  if (format !== "qcow2" && format !== "raw") {
    throw refuse("it does not say the format of its backing file: set it with qemu-img rebase -u -F");
  }
  const found = await reader.find(target);
  if (found === undefined) throw refuse(message`its backing file ${target} is missing`);
  const { path, type } = found;
  if (!isNameable(path)) throw refuse(message`the name of its backing file ${target} is no UTF-8`);
  if (type !== "file" && type !== "block") {
    throw refuse(message`its backing file ${target} is neither a file nor a block device`);
  }
  return { path, type, format };
}
