/**
 * Block devices of this host, as the kernel's tree has them: what lies on which hardware, and which of them the host itself
 * reads and writes. Source: the kernel's sysfs and proc(5).
 */
import { isBelow } from "../../lib/formats/mountinfo.ts";
import { namesIn, textAt, undefinedIfMissing } from "../machine/files.ts";
import { hostFiles } from "../machine/host_files.ts";
import { mountedDevices } from "./mounts.ts";

export const BLOCKS = "/sys/class/block";
const NVME = /^(.*\/nvme-subsystem\/[^/]+)\//;

/**
 * Places of the hardware below a block device: below a mapped one (LVM, LUKS, RAID) those of all it lies on, and of an
 * NVMe disk with several ways to it each controller.
 */
export async function hardwareBelow(name: string, seen: Set<string> = new Set()): Promise<string[]> {
  if (seen.has(name)) return [];
  seen.add(name);
  const path = await undefinedIfMissing(Deno.realPath(`${BLOCKS}/${name}`));
  if (path === undefined) return [];
  // A partition lies in the folder of its disk, which alone has what it lies on.
  const slaves = await namesIn(`${path}/slaves`);
  const below = (await Promise.all(slaves.map((each) => hardwareBelow(each, seen)))).flat();
  const subsystem = NVME.exec(path)?.[1];
  if (subsystem === undefined) return [path, ...below];
  const controllers = (await namesIn(subsystem)).filter((each) => /^nvme\d+$/.test(each));
  const places = await Promise.all(
    controllers.map((each) => undefinedIfMissing(Deno.realPath(`${subsystem}/${each}`))),
  );
  return [path, ...below, ...places.filter((each) => each !== undefined)];
}

/** Folders in which udev has stable names of block devices, whatever the kernel calls these. */
const STABLE = ["/dev/disk/by-id", "/dev/mapper"];
/** Names of what is on a device, which may be copied to another one. */
const OF_CONTENT = /^lvm-pv-uuid-/;

/**
 * The name that a block device keeps when the kernel numbers devices otherwise: of several one by UUID, else the first.
 *
 * @param device its path by the kernel's name
 * @returns undefined where udev has given it none
 */
export async function stableName(
  device: string,
  folders: readonly string[] = STABLE,
): Promise<string | undefined> {
  for (const folder of folders) {
    const names = (await namesIn(folder)).filter((name) => !OF_CONTENT.test(name)).sort();
    const own: string[] = [];
    for (const name of names) {
      if (await undefinedIfMissing(Deno.realPath(`${folder}/${name}`)) === device) own.push(name);
    }
    const best = own.find((name) => /^\w+-uuid-/.test(name)) ?? own[0];
    if (best !== undefined) return `${folder}/${best}`;
  }
}

/** Block devices that are mounted or swapped to, by the kernel's name, with what for. */
export async function liveBlocks(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const { name, at } of await mountedDevices()) {
    if (!found.has(name)) found.set(name, `the file system ${at} is on it (${name})`);
  }
  for (const line of (await textAt("/proc/swaps") ?? "").split("\n").slice(1)) {
    const [file = ""] = line.split(/\s/);
    const real = file.startsWith("/dev/") ? await undefinedIfMissing(Deno.realPath(file)) : undefined;
    const name = real?.split("/").at(-1);
    if (name !== undefined && !found.has(name)) found.set(name, `the host swaps to it (${name})`);
  }
  return found;
}

/** A block device that is mounted or swapped to, with what for, and the places of the hardware below it. */
interface LiveBlock {
  readonly reason: string;
  readonly paths: readonly string[];
}

/**
 * Returns a function that reads the host's block devices in use once, at its first call, however many devices are
 * compared with them.
 */
export function liveOnce(): () => Promise<readonly LiveBlock[]> {
  let reading: Promise<readonly LiveBlock[]> | undefined;
  const read = async () =>
    await Promise.all(
      [...await liveBlocks()].map(async ([name, reason]) => ({ reason, paths: await hardwareBelow(name) })),
    );
  return () => reading ??= read();
}

/**
 * The host's use of a block device, of a partition of it or of a device built on it: a guest that writes to
 * it, too, would destroy that data. Undefined if nothing is mounted or swapped to there.
 *
 * @param device a path, by any of its names
 * @param live the host's devices in use, shared by several calls so that they are read once
 */
export async function hostUseOf(device: string, live = liveOnce()): Promise<string | undefined> {
  const real = await undefinedIfMissing(hostFiles.realPath(device));
  const own = real && await undefinedIfMissing(Deno.realPath(`${BLOCKS}/${real.split("/").at(-1)}`));
  if (!own) return undefined;
  return (await live()).find(({ paths }) => paths.some((path) => isBelow(path, own)))?.reason;
}
