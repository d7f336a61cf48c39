/** Root's work in the data folder, done with the rights of the user whose folder it is. */
import { asUser } from "../../ffi/effective_user.ts";
import { undefinedIfMissing } from "../machine/files.ts";

/**
 * Works in a folder as its owner: the service could have put links there, which root must not follow.
 *
 * @throws {Error} when the folder is itself a link that is not root's
 */
export async function asOwner<T>(folder: string, run: () => Promise<T> | T): Promise<T> {
  if (Deno.uid() !== 0) return await run();
  const link = await undefinedIfMissing(Deno.lstat(folder));
  if (link?.isSymlink && link.uid !== 0) {
    throw new Error(`${folder} is a symbolic link that is not root's: name the folder itself`);
  }
  const owner = await undefinedIfMissing(Deno.stat(folder));
  if (owner === undefined) return await run();
  return await asUser({ uid: owner.uid ?? 0, gid: owner.gid ?? 0 }, run);
}
