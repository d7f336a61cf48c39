/** Entries in the bins of pools that the database does not know: the notes next to the files describe them. */
import type { StoredEntry } from "../../lib/bin/entry.ts";
import { entryOfNote, splitPath } from "../../lib/bin/place.ts";
import { MOST_NOTE_BYTES, readNote } from "../../lib/bin/note.ts";
import { TPM_FOLDER } from "../../lib/formats/swtpm.ts";
import { describePool } from "../../lib/formats/xml/pool.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import { isKept, namesInBin, noteIn } from "../storage/bin/folder.ts";

/** Folders of libvirt's own in which VMs have files other than their disks. */
const LIBVIRTS = ["/var/lib/libvirt/qemu/nvram", TPM_FOLDER];
/** Kinds of pools that are this host's alone: of a share another host may have put things into the bin. */
const OWN_POOLS: ReadonlySet<string> = new Set(["dir", "fs"]);

/** The entry that the note in a folder describes, with the files that are there. */
async function foundIn(folder: string, name: string, id: string): Promise<StoredEntry | undefined> {
  const text = await noteIn(folder, name, MOST_NOTE_BYTES);
  const entry = text === undefined ? undefined : readNote(text, id, folder);
  if (entry === undefined) return undefined;
  const there = await Promise.all(entry.files.map((file) => isKept(file)));
  const files = entry.files.filter((_, index) => there[index]);
  return files.length === 0 ? undefined : { ...entry, files };
}

/** Takes in what is in the bins of a host's own folders and was not known. @returns how many entries */
export async function takeFound(host: LibvirtHost): Promise<number> {
  const { bin, link, inventory, id: hostId } = host;
  if (link.machine === null) return 0;
  const pools = inventory.storage.records().flatMap(({ volumes, xml }) => {
    const { type, path } = describePool(xml);
    return volumes !== null && path !== undefined && OWN_POOLS.has(type) ? [path] : [];
  });
  const found = new Map<string, StoredEntry>();
  for (const folder of [...pools, ...(link.machine.isSystem ? LIBVIRTS : [])]) {
    try {
      for (const name of await namesInBin(folder)) {
        const id = entryOfNote(name);
        if (id === undefined || bin.get(id) !== undefined) continue;
        const entry = await foundIn(folder, name, id);
        if (entry === undefined) continue;
        const files = [...found.get(id)?.files ?? [], ...entry.files];
        found.set(id, { ...entry, host: hostId, files });
      }
    } catch (error) {
      log.warn("the bin of a folder cannot be read", { folder, error });
    }
  }
  for (const entry of found.values()) {
    // Somebody may have put it there meanwhile.
    if (bin.get(entry.id) !== undefined) continue;
    log.info("found in the bin", {
      entry: entry.name,
      folders: entry.files.map(({ path }) => splitPath(path).folder),
    });
    bin.put(entry);
  }
  return found.size;
}
