/** Mounts of this host. Source: proc(5), mountinfo. */
import { hiddenFolders, isBelow, mountLines, mountOf, parseMounts } from "../../lib/formats/mountinfo.ts";
import { namesIn, textAt, undefinedIfMissing } from "../machine/files.ts";
import { hostFiles } from "../machine/host_files.ts";

const mountinfo = () => Deno.readTextFile("/proc/self/mountinfo");

/** The folder on the way to a path that systemd hides from this process; undefined where it sees the path. */
export async function hiddenFolderOf(path: string): Promise<string | undefined> {
  const hidden = hiddenFolders(await mountinfo());
  return hidden.find((at) => isBelow(path, at));
}

/** The first mount at a folder or below it. @param folder without links */
export async function mountBelow(folder: string): Promise<string | undefined> {
  return mountLines(await mountinfo()).find(({ at }) => isBelow(at, folder))?.at;
}

const mounts = async () => parseMounts(await mountinfo());

/** Whether what is below a folder cannot be written because of how it is mounted; false where there is no folder. */
export async function isReadOnly(folder: string): Promise<boolean> {
  const real = await undefinedIfMissing(hostFiles.realPath(folder));
  return real !== undefined && (mountOf(await mounts(), real)?.readOnly ?? false);
}

/** Whether this process cannot write what is below a folder because of how it is mounted for it. */
export async function isReadOnlyHere(folder: string): Promise<boolean> {
  const real = await undefinedIfMissing(hostFiles.realPath(folder));
  return real !== undefined && (mountOf(await mounts(), real)?.readOnlyHere ?? false);
}

/** A block device that is mounted, by the kernel's name, and where. */
export interface MountedDevice {
  readonly name: string;
  readonly at: string;
}

/** Block devices of ZFS, whose mounts name a dataset: udev has read what is on each. */
async function zfsMembers(): Promise<string[]> {
  const folder = "/run/udev/data";
  const found = (await namesIn(folder)).filter((name) => /^b\d+:\d+$/.test(name)).map(async (name) => {
    const isMember = (await textAt(`${folder}/${name}`))?.includes("\nE:ID_FS_TYPE=zfs_member\n") ?? false;
    return isMember ? await undefinedIfMissing(Deno.realPath(`/sys/dev/block/${name.slice(1)}`)) : undefined;
  });
  return (await Promise.all(found)).flatMap((path) => path?.split("/").at(-1) ?? []);
}

/** Disks of each mounted Btrfs, which may have several and names one. */
async function btrfsMembers(): Promise<string[][]> {
  const folder = "/sys/fs/btrfs";
  return await Promise.all((await namesIn(folder)).map((name) => namesIn(`${folder}/${name}/devices`)));
}

/** Every block device that this process sees mounted: also all that a file system of several disks lies on. */
export async function mountedDevices(): Promise<MountedDevice[]> {
  const found: MountedDevice[] = [], lines = mountLines(await mountinfo());
  for (const { number, at, source } of lines) {
    // The number is the disk's own but for file systems of several disks; bcachefs names them all.
    const paths = [
      `/sys/dev/block/${number}`,
      ...source.split(":").filter((each) => each.startsWith("/dev/")),
    ];
    for (const path of paths) {
      const name = (await undefinedIfMissing(hostFiles.realPath(path)))?.split("/").at(-1);
      if (name !== undefined) found.push({ name, at });
    }
  }
  for (const members of await btrfsMembers()) {
    const at = found.find(({ name }) => members.includes(name))?.at ?? "of Btrfs";
    found.push(...members.map((name) => ({ name, at })));
  }
  if (lines.some(({ type }) => type === "zfs")) {
    found.push(...(await zfsMembers()).map((name) => ({ name, at: "of ZFS" })));
  }
  return found;
}
