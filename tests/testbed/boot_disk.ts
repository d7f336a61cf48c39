/**
 * A disk image that boots by itself, as cloud images do: the tiny guest's kernel and initramfs on a file system that
 * SYSLINUX boots, as qcow2. It writes to its screen, and its agent answers.
 */
import { built } from "./built.ts";
import { buildGuest } from "./guest.ts";
import { ensurePackages } from "./packages.ts";
import { run } from "./process.ts";

const SIZE = "64M";

/** The path of the image, built when it is not in the cache yet. @throws {Unavailable} when it cannot be built here */
export async function buildBootDisk(): Promise<string> {
  const { kernel, initrd, cmdline } = await buildGuest();
  const config =
    `DEFAULT guest\nPROMPT 0\nLABEL guest\n KERNEL vmlinuz\n INITRD initrd\n APPEND ${cmdline} console=tty0\n`;
  const folder = await built("boot-disk", [kernel, config, SIZE], async (work) => {
    await ensurePackages("syslinux", "mtools", "dosfstools");
    const disk = `${work}/disk.img`;
    await Deno.writeTextFile(`${work}/syslinux.cfg`, config);
    await run(["truncate", "--size", SIZE, disk]);
    await run(["mkfs.vfat", "-F", "16", disk]);
    await run(["mcopy", "-i", disk, kernel, "::vmlinuz"]);
    await run(["mcopy", "-i", disk, initrd, "::initrd"]);
    await run(["mcopy", "-i", disk, `${work}/syslinux.cfg`, "::syslinux.cfg"]);
    await run(["syslinux", "--install", disk]);
    await run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", disk, `${work}/out/disk.qcow2`]);
  });
  return `${folder}/disk.qcow2`;
}
