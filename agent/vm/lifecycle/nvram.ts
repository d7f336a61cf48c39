/**
 * The file of a VM's UEFI variables, where libvirt finds it by the VM's name: boot entries, enrolled keys and what a TPM is
 * measured by. It follows its VM to another name, and no VM gets what one of its name has left.
 */
import { ContractError } from "../../../lib/contract/mod.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { nvramOf } from "../../../lib/formats/xml/identity.ts";
import { hasUsualNvram, setNvram, usualNvram } from "../../../lib/formats/xml/nvram.ts";
import { FileRefused, isTaken } from "../../files.ts";
import { plainPath } from "../../host_file.ts";
import { hostFiles } from "../../host_files.ts";
import type { Host } from "../../hosts/host.ts";
import { isLocalSystem } from "../../libvirt/uri.ts";
import { identityAt, isSame } from "../../operations/file_identity.ts";
import type { NvramMove } from "../../operations/step.ts";

/** Whether a file of UEFI variables lies where a new VM of this name would get it. What cannot be looked at is not there. */
async function leftAt({ link }: Pick<Host, "link">, name: string): Promise<string | undefined> {
  if (!isLocalSystem(link.uri)) return undefined;
  const path = usualNvram(name);
  try {
    return await isTaken(plainPath(path)) ? path : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  }
}

/** Why a new VM of this name would begin with the UEFI variables of an earlier one; undefined where it does not. */
export async function nvramLeft(
  host: Pick<Host, "link">,
  name: string,
): Promise<ContractError | undefined> {
  const path = await leftAt(host, name);
  return path === undefined ? undefined : new ContractError("NvramLeft", { name, path });
}

/**
 * Refuses a definition whose VM would begin with the UEFI variables of an earlier one of its name.
 *
 * @throws {ContractError} NvramLeft
 */
export async function requireNoNvramLeft(
  host: Pick<Host, "link">,
  document: XmlDocument,
  name: string,
): Promise<void> {
  const error = hasUsualNvram(document) ? await nvramLeft(host, name) : undefined;
  if (error !== undefined) throw error;
}

/**
 * What is to be done with the file of UEFI variables when a VM gets another name; null where it stays where it is.
 *
 * @param xml the VM's stored definition
 * @throws {ContractError} RenameFailed, NvramLeft
 */
export async function planNvramMove(
  host: Pick<Host, "link">,
  xml: string,
  { from: oldName, to: newName }: { readonly from: string; readonly to: string },
): Promise<NvramMove | null> {
  const document = new XmlDocument(xml), from = usualNvram(oldName);
  const isNamed = nvramOf(document) === from;
  if (!isNamed && !hasUsualNvram(document)) return null;
  if (!isLocalSystem(host.link.uri)) {
    if (isNamed) return null;
    const error =
      "its UEFI variables are found by its name, and KVM Manager cannot move that file on another host";
    throw new ContractError("RenameFailed", { error });
  }
  const left = await nvramLeft(host, newName);
  if (left !== undefined) throw left;
  return { from, to: usualNvram(newName), file: await identityAt(from), isNamed };
}

/** Moves the file, unless it was moved or never was. @throws {FileRefused} @throws {Error} what the kernel says */
async function moveFile(from: string, to: string, { file }: Pick<NvramMove, "file">): Promise<void> {
  const now = file && await identityAt(from);
  if (file === null || now === null || !isSame(now, file)) return;
  if (await isTaken(plainPath(to))) throw new FileRefused(`${to} exists already`);
  await hostFiles.rename(plainPath(from), plainPath(to));
}

/** Moves a VM's UEFI variables to the place of its new name. @throws as {@link moveFile} */
export const moveNvram = (move: NvramMove): Promise<void> => moveFile(move.from, move.to, move);

/** … and back. @throws as {@link moveFile} */
export const moveNvramBack = (move: NvramMove): Promise<void> => moveFile(move.to, move.from, move);

/** Writes into a VM's stored definition where its UEFI variables are, where it names the file. @throws {LibvirtError} */
export async function storeNvram(
  { link }: Pick<Host, "link">,
  uuid: string,
  { isNamed }: NvramMove,
  path: string,
): Promise<void> {
  if (!isNamed) return;
  const document = new XmlDocument(await link.call("domainXml", { uuid, secure: true, inactive: true }));
  if (nvramOf(document) === path) return;
  setNvram(document, path);
  await link.call("domainDefine", { xml: document.toString() });
}
