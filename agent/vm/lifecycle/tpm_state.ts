/** The state of a VM's emulated TPM: read, and put where libvirt finds it. libvirt gives it to swtpm's user at each start. */
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import {
  MOST_TPM_BYTES,
  TPM_FILES,
  TPM_FOLDER,
  TPM_MODES,
  type TpmFile,
  tpmFolderOf,
} from "../../../lib/formats/swtpm.ts";
import type { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { chosenTpmPlace, hasEmulatedTpm } from "../../../lib/formats/xml/tpm.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { writeAll } from "../../../lib/write_all.ts";
import {
  FileRefused,
  isSystemError,
  isTaken,
  isThere,
  readRegular,
  undefinedIfMissing,
} from "../../machine/files.ts";
import { hostFiles } from "../../machine/host_files.ts";
import { identityAt } from "../../operations/file_identity.ts";
import { makeFolderAsStep } from "../../operations/made_folder.ts";
import type { Steps } from "../../operations/operation.ts";
import type { FileMade } from "../../operations/step.ts";
import type { StateChange } from "./replace_state.ts";

/** How often a file is read that swtpm replaces meanwhile. */
const MOST_TRIES = 5;

/** A file of a TPM's state. */
export interface TpmStateFile {
  readonly name: TpmFile;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The state of a TPM, of which there is none before its first start; or why it is not known, as the end of a sentence. */
export type TpmState = { readonly files: readonly TpmStateFile[] } | { readonly fault: string };

const folderOf = (uuid: string) => `${TPM_FOLDER}/${uuid}`;
const pathOf = (uuid: string, name: TpmFile) => `${folderOf(uuid)}/${tpmFolderOf(name)}/${name}`;

/** Why KVM Manager does not know where the state of a domain's TPM is; undefined where it does. */
export function tpmPlaceFault(
  { link }: Pick<LibvirtHost, "link">,
  document: XmlDocument,
): string | undefined {
  if (!link.machine?.isSystem) return "it is not kept by the system's libvirt of this host";
  const chosen = chosenTpmPlace(document);
  return chosen === undefined ? undefined : `it is kept in a place of its own (${oneLine(chosen, 200)})`;
}

/** A file that swtpm may be replacing, which it does by a rename; undefined where there is none. @throws {FileRefused} */
async function readFile(folder: string, name: TpmFile): Promise<TpmStateFile | undefined> {
  for (let tries = 1;; tries++) {
    try {
      const bytes = await undefinedIfMissing(readRegular(`${folder}/${name}`, MOST_TPM_BYTES));
      return bytes && { name, bytes };
    } catch (error) {
      if (!(error instanceof FileRefused) || tries === MOST_TRIES) throw error;
    }
  }
}

/**
 * Reads the state of a VM's TPM.
 *
 * @param document its definition
 * @returns undefined where it has no emulated TPM
 */
export async function readTpmState(
  host: Pick<LibvirtHost, "link">,
  document: XmlDocument,
  uuid: string,
): Promise<TpmState | undefined> {
  if (!hasEmulatedTpm(document)) return undefined;
  const fault = tpmPlaceFault(host, document);
  if (fault !== undefined) return { fault };
  const files: TpmStateFile[] = [];
  for (const [version, names] of Map.groupBy(TPM_FILES, tpmFolderOf)) {
    const path = `${folderOf(uuid)}/${version}`;
    try {
      if (!await isThere(path)) continue;
      // swtpm's user may put what it likes into its folder: no link in it is followed.
      using folder = await hostFiles.holdFolder(path);
      for (const name of names) files.push(...[await readFile(folder.path, name)].filter((each) => !!each));
    } catch (error) {
      if (error instanceof Deno.errors.PermissionDenied) {
        return { fault: `KVM Manager may not read ${path}` };
      }
      if (error instanceof FileRefused) return { fault: `${path} cannot be read: ${error.message}` };
      if (!isSystemError(error)) throw error;
      return { fault: messageOf(error) };
    }
  }
  return { files };
}

/** Writes a file where nothing is, so that it outlasts a power failure. */
async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  using file = await hostFiles.open(path, { write: true, createNew: true, mode: TPM_MODES.file });
  await writeAll(file, bytes);
  await file.sync();
}

/** Makes the folders that files of a VM's TPM lie in, as far as they are not there. */
async function makeFolders(steps: Steps, uuid: string, files: readonly TpmStateFile[]): Promise<void> {
  if (!await isThere(TPM_FOLDER)) {
    await hostFiles.mkdir(TPM_FOLDER);
    await hostFiles.chmod(TPM_FOLDER, TPM_MODES.vm); // libvirt makes it so with the first TPM
  }
  const folder = folderOf(uuid);
  if (!await isThere(folder)) await makeFolderAsStep(steps, folder, TPM_MODES.vm);
  for (const version of new Set(files.map(({ name }) => tpmFolderOf(name)))) {
    const path = `${folder}/${version}`;
    if (!await isThere(path)) await makeFolderAsStep(steps, path, TPM_MODES.state);
  }
}

/** Gives a VM that is not defined yet the state of its TPM. @throws {Error} an error of the kernel */
export async function putTpmState(
  steps: Steps,
  uuid: string,
  files: readonly TpmStateFile[],
): Promise<void> {
  if (files.length === 0) return;
  const folder = folderOf(uuid);
  if (await isTaken(folder)) throw new Deno.errors.AlreadyExists(`${folder} exists already`);
  await makeFolders(steps, uuid, files);
  for (const { name, bytes } of files) await writeNew(pathOf(uuid, name), bytes);
}

/**
 * Writes the new state of a VM's TPM next to its present one.
 *
 * @param mark the end of the names
 * @returns the moves and deletions for `replaceState()`
 */
export async function stageTpmState(
  steps: Steps,
  uuid: string,
  files: readonly TpmStateFile[],
  mark: string,
): Promise<StateChange> {
  if (files.length === 0) return { moves: [], gone: [] };
  await makeFolders(steps, uuid, files);
  const moves: (readonly [from: string, to: string])[] = [];
  for (const { name, bytes } of files) {
    const to = pathOf(uuid, name), from = `${to}.${mark}`;
    const noted = steps.add<FileMade>({ kind: "file-made", path: from, file: null, at: Date.now() });
    await writeNew(from, bytes);
    noted.know({ file: await identityAt(from) });
    moves.push([from, to]);
  }
  const kept = new Set(files.map(({ name }) => name));
  return { moves, gone: TPM_FILES.filter((name) => !kept.has(name)).map((name) => pathOf(uuid, name)) };
}
