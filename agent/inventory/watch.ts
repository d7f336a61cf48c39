/**
 * libvirt's own folders, watched: it tells no event when a stored configuration changes without a redefinition
 * (`virsh setmem --config`, `attach-device --config`), nor for autostart or a removed managed save. Its files tell.
 */
import { basename } from "node:path";
import { log } from "../log.ts";
import type { Inventory } from "./inventory.ts";

/** Folders of the system QEMU driver, and what a file there is named after. */
const FOLDERS = [
  { path: "/etc/libvirt/qemu", ending: ".xml", of: "vm" },
  { path: "/etc/libvirt/qemu/autostart", ending: ".xml", of: "vm" },
  { path: "/var/lib/libvirt/qemu/save", ending: ".save", of: "vm" },
  { path: "/etc/libvirt/qemu/networks", ending: ".xml", of: "network" },
  { path: "/etc/libvirt/qemu/networks/autostart", ending: ".xml", of: "network" },
] as const;

/** Milliseconds to wait for the rest of a change: libvirt writes a file beside and renames it. */
const SETTLE_MS = 50;

/** Milliseconds between looks for a folder that is not there yet: libvirt makes some only when first needed. */
const APPEAR_MS = 1000;

type Folder = typeof FOLDERS[number];

/** Watches until the signal aborts. What cannot be watched is left to the reconcile. */
export function watchLibvirtFiles(inventory: Inventory, signal: AbortSignal): void {
  for (const folder of FOLDERS) {
    follow(folder, inventory, signal).catch((error) =>
      log.warn("a folder of libvirt cannot be watched: changes there show later", {
        path: folder.path,
        error,
      })
    );
  }
}

async function follow(folder: Folder, inventory: Inventory, signal: AbortSignal): Promise<void> {
  if (!await appeared(folder, inventory, signal)) return;
  await watch(folder, inventory, signal);
}

/** Waits for a folder; what already lies in one that has just been made is read at once. False when aborted. */
async function appeared(folder: Folder, inventory: Inventory, signal: AbortSignal): Promise<boolean> {
  for (let late = false; !signal.aborted; late = true) {
    try {
      const files = await Array.fromAsync(Deno.readDir(folder.path));
      if (late) { for (const { name } of files) refresh(name, folder, inventory); }
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    await pause(APPEAR_MS, signal);
  }
  return false;
}

/** Sleeps, at most until the signal aborts. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const done = () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", done);
    resolve();
  };
  const timer = setTimeout(done, ms);
  signal.addEventListener("abort", done);
  return promise;
}

async function watch(folder: Folder, inventory: Inventory, signal: AbortSignal): Promise<void> {
  const watcher = Deno.watchFs(folder.path, { recursive: false });
  signal.addEventListener("abort", () => watcher.close(), { once: true });
  const changed = new Set<string>();
  for await (const event of watcher) {
    if (event.kind === "access") continue;
    for (const file of event.paths) {
      if (changed.has(file)) continue;
      changed.add(file);
      setTimeout(() => {
        changed.delete(file);
        refresh(basename(file), folder, inventory);
      }, SETTLE_MS);
    }
  }
}

/** Reads the machine or network anew that a file is named after. */
function refresh(file: string, { ending, of }: Folder, inventory: Inventory): void {
  if (!file.endsWith(ending)) return;
  if (of === "network") return inventory.refreshNetworksSoon(basename(file, ending));
  const vm = inventory.vmByName(basename(file, ending));
  if (vm) inventory.refreshSoon(vm.id);
}
