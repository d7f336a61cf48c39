/**
 * libvirt's own folders, watched: it tells no event when a stored configuration changes without a redefinition
 * (`virsh setmem --config`, `attach-device --config`), nor for autostart or a removed managed save. Its files tell.
 */
import { basename, dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { log } from "../../log.ts";
import type { Inventory } from "./inventory.ts";

/** Folders of the system QEMU driver, and what a file there is named after. */
const FOLDERS = [
  { path: "/etc/libvirt/qemu", ending: ".xml", of: "vm" },
  { path: "/etc/libvirt/qemu/autostart", ending: ".xml", of: "vm" },
  { path: "/var/lib/libvirt/qemu/save", ending: ".save", of: "vm" },
  { path: "/etc/libvirt/qemu/networks", ending: ".xml", of: "network" },
  { path: "/etc/libvirt/qemu/networks/autostart", ending: ".xml", of: "network" },
] as const;

/** Milliseconds to wait for the rest of a change: libvirt writes a new file and renames it. */
const SETTLE_MS = 50;

/** Milliseconds between looks for a folder that is not there yet: libvirt makes some only when first needed. */
const APPEAR_MS = 1000;

type Folder = typeof FOLDERS[number];

/**
 * Watches until the signal aborts, with one watcher for all folders: a host allows few of them. Where it allows none
 * now, it is tried again; what changes meanwhile is left to the reconcile.
 */
export async function watchLibvirtFiles(inventory: Inventory, signal: AbortSignal): Promise<void> {
  const watched = new Set<Folder>();
  let watcher: Deno.FsWatcher | undefined;
  let warned = false;
  const warn = (error: unknown) => {
    if (!warned) log.warn("libvirt's folders cannot be watched: changes there show later", { error });
    warned = true;
  };
  signal.addEventListener("abort", () => watcher?.close());
  for (let late = false; !signal.aborted; late = true) {
    try {
      const found = await newFolders(watched);
      if (found.length > 0) {
        const wider = Deno.watchFs([...watched, ...found].map(({ path }) => path), { recursive: false });
        watcher?.close();
        watcher = wider;
        follow(wider, inventory).catch((error) => {
          watched.clear();
          warn(error);
        });
        for (const folder of found) watched.add(folder);
        if (late) { for (const folder of found) await readAll(folder, inventory); }
        warned = false;
      }
    } catch (error) {
      warn(error);
    }
    // The timer ends early, and throws, only when the signal aborts.
    await delay(APPEAR_MS, undefined, { signal, ref: false }).catch(() => {});
  }
}

/** The folders that are there and not watched yet. */
async function newFolders(watched: ReadonlySet<Folder>): Promise<Folder[]> {
  const found: Folder[] = [];
  for (const folder of FOLDERS) {
    if (watched.has(folder)) continue;
    try {
      await Deno.stat(folder.path);
      found.push(folder);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return found;
}

/** Takes in what lies in a folder that has just been made. */
async function readAll(folder: Folder, inventory: Inventory): Promise<void> {
  for await (const { name } of Deno.readDir(folder.path)) refresh(name, folder, inventory);
}

/** Takes the changes in until the watcher is closed. */
async function follow(watcher: Deno.FsWatcher, inventory: Inventory): Promise<void> {
  const changed = new Set<string>();
  for await (const event of watcher) {
    if (event.kind === "access") continue;
    for (const file of event.paths) {
      const folder = FOLDERS.find(({ path }) => path === dirname(file));
      if (changed.has(file) || folder === undefined) continue;
      changed.add(file);
      setTimeout(() => {
        changed.delete(file);
        refresh(basename(file), folder, inventory);
      }, SETTLE_MS);
    }
  }
}

/** Reads the VM or network again that a file is named after. */
function refresh(file: string, { ending, of }: Folder, inventory: Inventory): void {
  if (!file.endsWith(ending)) return;
  if (of === "network") return inventory.networks.refreshSoon(basename(file, ending));
  inventory.changedOnDisk(basename(file, ending));
}
