/** Content of a folder of this host, to the last file: listed before the folder is deleted. */
import { undefinedIfMissing } from "../machine/files.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import { ContractError } from "../../lib/contract/mod.ts";
import { statInTime } from "../machine/resolved_path.ts";

/** A folder with more in it is not looked through. */
const MOST_FILES = 50_000;

/** A regular file. */
export interface FoundFile {
  readonly path: string;
  readonly info: Deno.FileInfo;
}

/**
 * Every regular file below a folder; links are not followed.
 *
 * @throws {ContractError} StorageUnknown where there are too many, StorageNotResponding
 */
export async function filesBelow(folder: string): Promise<FoundFile[]> {
  const found: FoundFile[] = [], left = [folder];
  let seen = 0;
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    for (const { name, isDirectory, isFile } of await hostFiles.readDir(plainPath(at))) {
      if (++seen > MOST_FILES) {
        const reason = `${folder} has more than ${MOST_FILES} files: too many to check for uses`;
        throw new ContractError("StorageUnknown", { reason });
      }
      const path = `${at}/${name}`;
      if (isDirectory) left.push(path);
      const info = isFile ? await undefinedIfMissing(hostFiles.lstat(path)) : undefined;
      if (info !== undefined) found.push({ path, info });
    }
  }
  return found;
}

const keyOf = ({ dev, ino }: Deno.FileInfo) => `${dev}:${ino}`;

/** File information of a path; a word if there is none. */
type FileLook = (path: string) => Promise<Deno.FileInfo | string>;

/** Finds the one of some paths that leads to a file: a hard link and a bind mount give it other paths. */
export class FileIdentities {
  #byFile: Promise<Map<string, string[]>> | undefined;

  constructor(private readonly places: readonly string[], private readonly look: FileLook = statInTime) {}

  /** File information of a path; undefined if there is none. */
  async infoAt(path: string): Promise<Deno.FileInfo | undefined> {
    const info = await this.look(path);
    return typeof info === "string" ? undefined : info;
  }

  /** The places that a regular file is. */
  async placesOf(info: Deno.FileInfo): Promise<readonly string[]> {
    if (!info.isFile) return [];
    this.#byFile ??= this.#read();
    return (await this.#byFile).get(keyOf(info)) ?? [];
  }

  async #read(): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>();
    await Promise.all(
      this.places.filter((place) => place.startsWith("/")).map(async (place) => {
        const info = await this.infoAt(place);
        if (info?.isFile) found.set(keyOf(info), [...found.get(keyOf(info)) ?? [], place]);
      }),
    );
    return found;
  }
}
