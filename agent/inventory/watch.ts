/**
 * libvirt's own folders, watched: it tells no event when a stored configuration changes without a redefinition
 * (`virsh setmem --config`, `attach-device --config`), nor for autostart or a removed managed save. Its files tell.
 */
import { basename } from "node:path";
import { log } from "../log.ts";
import type { Inventory } from "./inventory.ts";

/** Folders of the system QEMU driver, and what a file there is named after. */
const FOLDERS = [
  { path: "/etc/libvirt/qemu", ending: ".xml" },
  { path: "/etc/libvirt/qemu/autostart", ending: ".xml" },
  { path: "/var/lib/libvirt/qemu/save", ending: ".save" },
] as const;

/** Milliseconds to wait for the rest of a change: libvirt writes a file beside and renames it. */
const SETTLE_MS = 50;

/** Watches until the signal aborts. Folders that are not there are not watched; the reconcile is what remains. */
export function watchLibvirtFiles(inventory: Inventory, signal: AbortSignal): void {
  for (const folder of FOLDERS) {
    watch(folder, inventory, signal).catch((error) =>
      log.debug("a folder is not watched", { path: folder.path, error })
    );
  }
}

async function watch(
  { path, ending }: typeof FOLDERS[number],
  inventory: Inventory,
  signal: AbortSignal,
): Promise<void> {
  const watcher = Deno.watchFs(path, { recursive: false });
  signal.addEventListener("abort", () => watcher.close(), { once: true });
  const changed = new Set<string>();
  for await (const event of watcher) {
    if (event.kind === "access") continue;
    for (const file of event.paths) {
      if (!file.endsWith(ending) || changed.has(file)) continue;
      changed.add(file);
      setTimeout(() => {
        changed.delete(file);
        const vm = inventory.vmByName(basename(file, ending));
        if (vm) inventory.refreshSoon(vm.id);
      }, SETTLE_MS);
    }
  }
}
