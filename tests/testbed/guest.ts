/**
 * The tiny guest: Debian's cloud kernel and an initramfs of busybox, qemu-ga and a few modules.
 *
 * Booted directly by QEMU it offers a serial shell, DHCP on eth0, the guest agent, balloon statistics, and it obeys
 * the power button. It is built once and kept outside the repository.
 *
 * Every machine boots from the same files. libvirt counts their users and remembers their owner in the files'
 * attributes, so a second libvirtd (`private_libvirt.ts`) must leave owners alone: once they differ from what is
 * remembered, libvirt refuses every start ("Setting different DAC user or group … already in use").
 */
import { built } from "./built.ts";
import { GUEST_MODULES, loadOrder } from "./modules.ts";
import { dependencies, downloadPackage, ensurePackages } from "./packages.ts";
import { run } from "./process.ts";
import { Unavailable } from "./unavailable.ts";

/** Files that a domain boots the test guest from directly. */
export interface Guest {
  readonly kernel: string;
  readonly initrd: string;
  /** Kernel command line; `hostname=<name>` may be appended. */
  readonly cmdline: string;
}

/** Line that the guest prints on its serial console once its agent runs. */
export const READY = "kvmm-guest ready";

const KERNEL = "linux-image-cloud-amd64";
const PACKAGES = ["busybox-static", "qemu-guest-agent", "cpio"] as const;
const AGENT = "/usr/sbin/qemu-ga";

/** Our own files in the initramfs: source in `guest/` → place in the guest. */
const FILES = {
  "init": "init",
  "udhcpc.script": "etc/udhcpc.script",
  "shutdown": "sbin/shutdown",
  "power-button": "etc/acpi/PWRF/00000080",
} as const;

/**
 * `mitigations=off`, `no_timer_check` and `cryptomgr.notests` (the kernel's proofs of its own ciphers, a sixth of the
 * boot) save time under emulation; `panic=-1` turns a panic into a reboot, which the serial log then shows twice, instead
 * of a guest that hangs without a word.
 */
const CMDLINE = "console=ttyS0 quiet mitigations=off no_timer_check cryptomgr.notests panic=-1";

let building: Promise<Guest> | undefined;

/**
 * The guest, built when it is not in the cache yet (about 5 s, needs apt).
 *
 * @throws {Unavailable} when it is not in the cache and cannot be built here
 */
export function buildGuest(): Promise<Guest> {
  return building ??= build();
}

async function build(): Promise<Guest> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    throw new Unavailable(`the test guest is for linux-x86_64, this is ${Deno.build.os}-${Deno.build.arch}`);
  }
  const sources = await Promise.all(Object.keys(FILES).map(readRecipe));
  const recipe = [
    KERNEL,
    ...PACKAGES,
    ...GUEST_MODULES,
    await Deno.readTextFile(new URL(import.meta.url)),
    ...sources,
  ];
  const folder = await built("guest", recipe, async (work) => {
    await ensurePackages(...PACKAGES);
    const system = await unpackKernel(work);
    await Deno.rename(system.kernel, `${work}/out/vmlinuz`);
    await layOut(`${work}/root`, await loadOrder(system.modules));
    await pack(`${work}/root`, `${work}/out/initrd`);
  });
  return { kernel: `${folder}/vmlinuz`, initrd: `${folder}/initrd`, cmdline: CMDLINE };
}

/** Downloads and unpacks the kernel package: nothing is installed, the machine's own boot is left alone. */
async function unpackKernel(work: string): Promise<{ kernel: string; modules: string }> {
  // The package with the plain name is empty; it depends on the real one, named after its version.
  const real = (await dependencies(KERNEL)).find((name) => name.startsWith("linux-image-"));
  if (real === undefined) throw new Unavailable(`the package sources have no ${KERNEL}`);
  await run(["dpkg-deb", "-x", await downloadPackage(real, work), `${work}/kernel`]);
  const release = real.slice("linux-image-".length);
  return {
    kernel: `${work}/kernel/boot/vmlinuz-${release}`,
    modules: `${work}/kernel/lib/modules/${release}`,
  };
}

async function layOut(root: string, modules: readonly string[]): Promise<void> {
  for (
    const folder of [
      "bin",
      "sbin",
      "etc/acpi/PWRF",
      "modules",
      "dev",
      "proc",
      "sys",
      "tmp",
      "usr/bin",
      "usr/sbin",
    ]
  ) {
    await Deno.mkdir(`${root}/${folder}`, { recursive: true });
  }
  for (const [index, file] of modules.entries()) {
    const place = `${String(index).padStart(2, "0")}-${file.slice(file.lastIndexOf("/") + 1)}`;
    await Deno.copyFile(file, `${root}/modules/${place}`); // the init loads them in the order of their names
  }
  for (const [source, place] of Object.entries(FILES)) {
    await Deno.writeTextFile(`${root}/${place}`, await readRecipe(source));
    await Deno.chmod(`${root}/${place}`, 0o755);
  }
  await Deno.copyFile(AGENT, `${root}/usr/sbin/qemu-ga`);
  for (const library of await librariesOf(AGENT)) {
    await Deno.mkdir(`${root}${library.slice(0, library.lastIndexOf("/"))}`, { recursive: true });
    await Deno.copyFile(library, `${root}${library}`);
  }
  // Busybox goes in last: made first, a link of one of its own names could replace it by a loop.
  const applets = (await run(["busybox", "--list"])).split("\n").filter((name) =>
    name !== "" && name !== "busybox"
  );
  for (const applet of applets) await Deno.symlink("/bin/busybox", `${root}/bin/${applet}`);
  await Deno.copyFile("/bin/busybox", `${root}/bin/busybox`);
}

/** The shared libraries of a program, its loader among them. */
async function librariesOf(program: string): Promise<string[]> {
  return [...(await run(["ldd", program])).matchAll(/(\/\S+) \(0x/g)].map((match) => match[1]!);
}

/** An uncompressed archive: packing it was measured to save an emulated guest nothing. */
async function pack(root: string, archive: string): Promise<void> {
  const names = (await run(["find", ".", "-mindepth", "1"], { cwd: root })).trimEnd();
  await run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0", "-F", archive], {
    cwd: root,
    stdin: names + "\n",
  });
}

function readRecipe(name: string): Promise<string> {
  return Deno.readTextFile(new URL(`guest/${name}`, import.meta.url));
}

if (import.meta.main) console.log(await buildGuest());
