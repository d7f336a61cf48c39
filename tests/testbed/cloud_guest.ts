/**
 * The cloud guest: Debian with the real cloud-init, systemd and the guest agent, as a disk and the kernel to boot it
 * with. It is built once (debootstrap, two to three minutes) and kept outside the repository; machines get overlays.
 *
 * Debian's finished cloud images would do as well, but are not to be had from the package archive.
 */
import { built } from "./built.ts";
import type { Guest } from "./guest.ts";
import { ensurePackages } from "./packages.ts";
import { ProcessError, run } from "./process.ts";
import { Unavailable } from "./unavailable.ts";

/** Files that a machine needs to run it. */
export interface CloudGuest extends Guest {
  /** A qcow2 image, to be the base of overlays: it must not be written to. */
  readonly disk: string;
}

const SUITE = "bookworm";
const MIRROR = "http://deb.debian.org/debian";
const PACKAGES = [
  "systemd",
  "systemd-sysv",
  "udev",
  "dbus",
  "ifupdown",
  "iproute2",
  "sudo",
  "locales",
  "tzdata",
  "cloud-init",
  "python3-cffi-backend", // debootstrap does not see that it provides what python3-cryptography needs
  "qemu-guest-agent",
  "linux-image-cloud-amd64",
  "initramfs-tools",
] as const;
const TOOLS = ["debootstrap", "e2fsprogs"] as const;
const DISK_SIZE = "1500M";

/** The names of interfaces are the kernel's: fewer surprises in tests. */
const CMDLINE = "root=/dev/vda rw console=ttyS0 quiet mitigations=off no_timer_check net.ifnames=0 panic=-1";

let building: Promise<CloudGuest> | undefined;

/** The guest, built when it is not in the cache yet. @throws {Unavailable} when it cannot be built here */
export function buildCloudGuest(): Promise<CloudGuest> {
  return building ??= build();
}

async function build(): Promise<CloudGuest> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64" || Deno.uid() !== 0) {
    throw new Unavailable("the cloud guest is built by root on linux-x86_64");
  }
  const folder = await built("cloud-guest", [await Deno.readTextFile(new URL(import.meta.url))], buildIn);
  return {
    kernel: `${folder}/vmlinuz`,
    initrd: `${folder}/initrd.img`,
    cmdline: CMDLINE,
    disk: `${folder}/disk.qcow2`,
  };
}

/** Builds in `work`. Files to be kept go into its folder `out`. */
async function buildIn(work: string): Promise<void> {
  await ensurePackages(...TOOLS);
  const root = `${work}/root`, out = `${work}/out`;
  await bootstrap(root);
  for (const name of ["vmlinuz", "initrd.img"]) {
    await Deno.copyFile(await Deno.realPath(`${root}/${name}`), `${out}/${name}`);
  }
  await Deno.writeTextFile(`${root}/etc/fstab`, "/dev/vda / ext4 defaults 0 1\n");
  // Only what a seed may be on: other sources are asked over a network that is not there.
  await Deno.writeTextFile(
    `${root}/etc/cloud/cloud.cfg.d/90_kvmm.cfg`,
    "datasource_list: [ NoCloud, None ]\n",
  );
  await run(["mke2fs", "-q", "-t", "ext4", "-d", root, `${work}/disk.raw`, DISK_SIZE]);
  await run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", `${work}/disk.raw`, `${out}/disk.qcow2`]);
}

async function bootstrap(root: string): Promise<void> {
  try {
    await run(["debootstrap", "--variant=minbase", `--include=${PACKAGES.join(",")}`, SUITE, root, MIRROR]);
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error;
    throw new Unavailable(`debootstrap failed: ${error.message.slice(-500)}`, { cause: error });
  }
}

if (import.meta.main) console.log(await buildCloudGuest());
