/** Files with profiles, on this host: read within bounds, written as a whole. */
import { basename, dirname, isAbsolute, join } from "node:path";
import { ContractError } from "../../lib/contract/errors.ts";
import { message } from "../../lib/i18n/message.ts";
import { MOST_PROFILE_BYTES, READ_ENDINGS, WRITTEN_ENDING } from "../../lib/profiles/file.ts";
import { messageOf } from "../../lib/text/message.ts";
import { log } from "../log.ts";
import { openFile, statFile } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";

const ioError = (path: string, reason: string, cause?: unknown) =>
  new ContractError("IoError", { path, reason }, { cause });

function requireName(path: string, endings: readonly string[]): void {
  const name = basename(path);
  if (!isAbsolute(path)) throw ioError(path, "give an absolute path on the host");
  if (path.split("/").includes("..")) throw ioError(path, "give a path without ..");
  if (!endings.some((ending) => name.endsWith(ending))) {
    throw ioError(path, `its name must end in ${endings.join(" or ")}`);
  }
}

/** Why the system refused a path, without the path. */
function reasonOf(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) return "there is none";
  if (error instanceof Deno.errors.PermissionDenied) return "KVM Manager may not";
  if (error instanceof Deno.errors.NotADirectory) return "a part of the path is no directory";
  return messageOf(error);
}

/** The text of a file. @throws {ContractError} IoError, InvalidFormat, StorageNotResponding */
export async function readProfileFile(path: string): Promise<string> {
  requireName(path, READ_ENDINGS);
  try {
    // Looked at before it is opened: the opening of a pipe waits for who writes into it
    const { isFile, size } = await statFile(path);
    if (!isFile) throw ioError(path, "it is no regular file");
    if (size > MOST_PROFILE_BYTES) throw tooLarge();
    const file = await openFile(path);
    try {
      const bytes = new Uint8Array(MOST_PROFILE_BYTES + 1);
      let length = 0;
      while (length < bytes.length) {
        const more = await file.read(bytes.subarray(length));
        if (more === null) break;
        length += more;
      }
      if (length > MOST_PROFILE_BYTES) throw tooLarge();
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, length));
    } finally {
      file.close();
    }
  } catch (error) {
    if (error instanceof ContractError) throw error;
    if (error instanceof TypeError) throw new ContractError("InvalidFormat", { reason: "it is no UTF-8" });
    throw ioError(path, reasonOf(error), error);
  }
}

const tooLarge = () =>
  new ContractError("InvalidFormat", {
    reason: message`it is larger than ${MOST_PROFILE_BYTES / 1024} KiB, the most a profile has`,
  });

/**
 * Writes a file: whole, or not at all. What has its name is replaced only where that is a regular file; a link is not followed.
 *
 * @returns its size in bytes
 * @throws {ContractError} IoError, StorageNotResponding
 */
export async function writeProfileFile(path: string, text: string): Promise<number> {
  requireName(path, [WRITTEN_ENDING]);
  const bytes = new TextEncoder().encode(text);
  const draft = join(dirname(path), `.${crypto.randomUUID()}.tmp`);
  try {
    const before = await hostFiles.lstat(path).catch((error) => {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    });
    if (before !== undefined && !before.isFile) throw ioError(path, "something else has that name");
    try {
      await hostFiles.writeFile(draft, bytes, { createNew: true, mode: 0o600 });
      await hostFiles.rename(draft, path);
    } catch (error) {
      // Where the directory is read-only, there is no draft to remove
      await hostFiles.remove(draft).catch((cause) =>
        log.debug("no draft was removed", { draft, error: cause })
      );
      throw error;
    }
    return bytes.length;
  } catch (error) {
    if (error instanceof ContractError) throw error;
    throw ioError(path, reasonOf(error), error);
  }
}
