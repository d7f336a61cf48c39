/** Proof that another host sees the same folder: a file that is put there, and looked for there. */
import type { VM } from "../../lib/contract/mod.ts";
import { messageOf } from "../../lib/text/message.ts";
import { newSecret } from "../access/secret.ts";
import { log } from "../log.ts";
import { isSystemError, undefinedIfMissing } from "../machine/files.ts";
import { plainPath } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";

/** The file in a folder. */
export interface FolderMark {
  readonly name: string;
  readonly content: string;
}

/** Files in the folders of a VM's images, until they are disposed of. */
export class FolderMarks implements AsyncDisposable {
  readonly #marks = new Map<string, FolderMark>();

  /** Puts them there. A folder that cannot be written to gets none, and is not taken for shared. @throws {ContractError} StorageNotResponding */
  static async put({ disks }: Pick<VM, "disks">): Promise<FolderMarks> {
    const folders = disks.flatMap(({ type, source = "" }) =>
      type === "file" && source.startsWith("/") ? [source.slice(0, source.lastIndexOf("/"))] : []
    );
    return await FolderMarks.inFolders(new Set(folders));
  }

  /** The same in any folders. @throws {ContractError} StorageNotResponding */
  static async inFolders(folders: Iterable<string>): Promise<FolderMarks> {
    const marks = new FolderMarks();
    try {
      for (const folder of folders) await marks.#put(folder);
      return marks;
    } catch (error) {
      await marks[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The mark next to an image; undefined where there is none. */
  ofImage(path: string | undefined): FolderMark | undefined {
    return path === undefined ? undefined : this.#marks.get(path.slice(0, path.lastIndexOf("/")));
  }

  /** Each folder that has one, with it. */
  all(): ReadonlyMap<string, FolderMark> {
    return this.#marks;
  }

  async #put(folder: string): Promise<void> {
    const mark = { name: `.kvm-manager-${crypto.randomUUID().replaceAll("-", "")}`, content: newSecret() };
    try {
      await hostFiles.writeTextFile(plainPath(`${folder}/${mark.name}`), mark.content, {
        createNew: true,
        mode: 0o644,
      });
      this.#marks.set(folder, mark);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      log.info("whether another host sees a folder cannot be found out", { folder, error: messageOf(error) });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const [folder, { name }] of this.#marks) {
      await undefinedIfMissing(hostFiles.remove(plainPath(`${folder}/${name}`)));
    }
  }
}
