/** Identity of the file at a path: another file can take its place. */
import { ContractError } from "../../lib/contract/errors.ts";
import { isSystemError } from "../machine/files.ts";
import type { LocalMachine } from "../machine/machine.ts";
import { log } from "../log.ts";

/**
 * Identity of the file at a path of this machine: its inode number and its birth time, as numbers are used
 * again.
 *
 * @returns null if there is no file; undefined if it cannot be looked at, which is logged
 */
export async function fileAt({ files }: LocalMachine, path: string): Promise<string | null | undefined> {
  try {
    const { ino, birthtime } = await files.lstat(path);
    return `${ino} ${birthtime?.getTime() ?? ""}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    if (!isSystemError(error) && !(error instanceof ContractError)) throw error;
    log.debug("which file is at a path cannot be looked at", { path, error });
    return undefined;
  }
}
