/** The list of operating systems: read from the osinfo database once, when it is first asked for. */
import type { OperatingSystem } from "../../lib/contract/mod.ts";
import { mergeSystems, readOsinfo } from "../../lib/vm/os/mod.ts";
import { log } from "../log.ts";

/** Folder in which distributions put osinfo-db. */
const FOLDER = "/usr/share/osinfo/os";

/** Path and text of each file of the database; none when it is not installed. */
async function files(folder: string): Promise<[string, string][]> {
  const found: [string, string][] = [];
  try {
    for await (const vendor of Deno.readDir(folder)) {
      if (!vendor.isDirectory) continue;
      for await (const { name, isFile } of Deno.readDir(`${folder}/${vendor.name}`)) {
        if (!isFile || !name.endsWith(".xml")) continue;
        const path = `${folder}/${vendor.name}/${name}`;
        found.push([path, await Deno.readTextFile(path)]);
      }
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return found;
}

export class OperatingSystems {
  #systems: Promise<OperatingSystem[]> | undefined;

  constructor(readonly folder: string = FOLDER) {}

  /** Every known system. What of the database cannot be read is logged and left out. */
  list(): Promise<OperatingSystem[]> {
    return this.#systems ??= this.#read();
  }

  async #read(): Promise<OperatingSystem[]> {
    try {
      const database = readOsinfo(
        await files(this.folder),
        (path, error) => log.warn("a file of the osinfo database is broken", { path, error }),
      );
      return mergeSystems(database);
    } catch (error) {
      log.warn("the osinfo database cannot be read: the built-in list is used", {
        folder: this.folder,
        error,
      });
      return mergeSystems([]);
    }
  }
}
