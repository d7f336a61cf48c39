/** Kernel modules for the test guest: which ones, and in which order they can be loaded. */
import { Unavailable } from "./unavailable.ts";

/** Modules that the guest needs, in addition to their dependencies. Those that a test waits for come first. */
export const GUEST_MODULES = [
  "virtio_pci",
  "virtio_console", // guest agent's channel
  "button", // ACPI power button …
  "evdev", // … as acpid reads it
  "virtio_net",
  "8021q", // tagged frames
  "virtio_blk",
  "virtio_balloon",
  "virtio-rng",
  "virtio_scsi",
  "sd_mod",
  "sr_mod",
  "isofs",
  "virtiofs", // shared folders
] as const;

/**
 * The files of modules and of all they depend on, each after its dependencies.
 *
 * Debian runs depmod when a kernel is installed; ours is only unpacked, so there is no modules.dep and the
 * dependencies are read from the modules' own `.modinfo` section.
 *
 * @param folder the kernel's module folder, `lib/modules/<release>`
 */
export async function loadOrder(
  folder: string,
  wanted: readonly string[] = GUEST_MODULES,
): Promise<string[]> {
  const files = new Map<string, string>();
  for await (const file of walk(`${folder}/kernel`)) files.set(moduleName(file), file);
  const order = new Set<string>();
  const add = async (name: string): Promise<void> => {
    const file = files.get(canonical(name));
    if (file === undefined) throw new Unavailable(`Debian's cloud kernel has no module ${name} any more`);
    if (order.has(file)) return;
    for (const dependency of dependsOf(await Deno.readFile(file))) await add(dependency);
    order.add(file);
  };
  for (const name of wanted) await add(name);
  return [...order];
}

/** The `depends=a,b` entry of a module; .modinfo is a row of zero-terminated `key=value` texts. */
function dependsOf(module: Uint8Array): string[] {
  const list = /\0depends=([^\0]*)\0/.exec(new TextDecoder("latin1").decode(module))?.[1] ?? "";
  return list.split(",").filter((name) => name !== "");
}

async function* walk(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) yield* walk(path);
    else if (path.endsWith(".ko")) yield path;
  }
}

function moduleName(file: string): string {
  return canonical(file.slice(file.lastIndexOf("/") + 1).replace(/\.ko$/, ""));
}

/** The kernel takes `-` and `_` in module names for the same. */
function canonical(name: string): string {
  return name.replaceAll("-", "_");
}
