/** The size of an image on this host, without a program: from its head and from what the kernel says of its file. */
import { isSystemError } from "../../machine/files.ts";
import { ImageRefused, qcow2Head } from "./chain.ts";
import type { LocalMachine } from "../../machine/machine.ts";

/** Bytes of one block of `st_blocks`, and of a sector of a block device in /sys. Sources: stat(2), sysfs-block. */
const BLOCK = 512;

/** Size of an image, in bytes. */
export interface ImageSize {
  /** Size that a guest sees. */
  readonly capacity: number;
  /** Size on the host. */
  readonly allocation: number;
}

/** Bytes of a block device. Source: /sys/dev/block/MAJOR:MINOR/size. */
async function deviceBytes(rdev: number): Promise<number> {
  // makedev(3): the kernel's 12 bits of major and 20 of minor numbers, as stat(2) packs them
  const major = (rdev >>> 8) & 0xfff, minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfff00);
  return Number(await Deno.readTextFile(`/sys/dev/block/${major}:${minor}/size`)) * BLOCK;
}

/**
 * The size of the image at a path; `missing` if there is none, undefined if it is unknown: its format's
 * head is not read here, or it may not be opened.
 *
 * @param format the format in which a VM has it; one of none is raw
 * @param known its volume's record: the capacity of that counts for formats that are not read here
 * @throws {ContractError} StorageNotResponding
 */
export async function imageSize(
  { files }: LocalMachine,
  path: string,
  format: string | undefined,
  known?: Pick<ImageSize, "capacity">,
): Promise<ImageSize | "missing" | undefined> {
  try {
    const { isFile, isBlockDevice, size, blocks, rdev } = await files.statFile(path);
    if (!isFile && !isBlockDevice) return undefined;
    const whole = isFile ? size : await deviceBytes(rdev ?? 0);
    const allocation = isFile ? (blocks ?? 0) * BLOCK : whole;
    if (format === undefined || format === "raw") return { capacity: whole, allocation };
    const capacity = format === "qcow2" ? await qcow2Capacity(path) : known?.capacity;
    return capacity === undefined ? undefined : { capacity, allocation };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return "missing";
    if (isSystemError(error) || error instanceof ImageRefused) return undefined;
    throw error;
  }
}

async function qcow2Capacity(path: string): Promise<number | undefined> {
  const size = (await qcow2Head(path))?.virtualSize;
  return size === undefined ? undefined : Number(size);
}
