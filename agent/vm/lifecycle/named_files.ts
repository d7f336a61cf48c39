/**
 * Files that libvirt finds by a VM's name. The UEFI variables – boot entries, enrolled keys – follow their VM to another
 * name; what an earlier VM of a name has left, saved memory too, is given to no other.
 */
import { ContractError } from "../../../lib/contract/mod.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { nvramOf } from "../../../lib/formats/xml/identity.ts";
import { hasUsualNvram, setNvram, usualNvram } from "../../../lib/formats/xml/nvram.ts";
import { FileRefused, isTaken } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import { hostFiles } from "../../machine/host_files.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { identityAt, isSame } from "../../operations/file_identity.ts";
import { log } from "../../log.ts";
import type { NvramMove } from "../../operations/step.ts";
import { otherUserOf } from "./other_user.ts";

/** libvirt's file with the saved memory of a suspended VM. */
const savedMemory = (name: string): string => `/var/lib/libvirt/qemu/save/${name}.save`;

/** Whether something lies at a place of libvirt's on this host. What cannot be looked at is not there. */
async function lies({ link }: Pick<LibvirtHost, "link">, path: string): Promise<boolean> {
  if (!link.machine?.isSystem) return false;
  try {
    return await link.machine.files.isTaken(plainPath(path));
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}

/** Whether a VM that is off has a file of saved memory, be it one of an earlier VM of its name. */
export const hasSavedMemory = (host: Pick<LibvirtHost, "link">, name: string): Promise<boolean> =>
  lies(host, savedMemory(name));

/** Files of an earlier VM of a name that a new one would get, each as an error. */
export interface LeftByName {
  /** UEFI variables, where the VM has such. */
  readonly nvram?: ContractError;
  /** Saved memory, which would keep it from starting: libvirt sees that it is another VM's. */
  readonly memory?: ContractError;
}

/** Looks what an earlier VM of a name has left. */
export async function leftByName(host: Pick<LibvirtHost, "link">, name: string): Promise<LeftByName> {
  const error = (code: "NvramLeft" | "MemoryLeft", path: string) => new ContractError(code, { name, path });
  const nvram = usualNvram(name), memory = savedMemory(name);
  return {
    ...(await lies(host, nvram) && { nvram: error("NvramLeft", nvram) }),
    ...(await lies(host, memory) && { memory: error("MemoryLeft", memory) }),
  };
}

/**
 * Refuses a definition whose VM would get what an earlier one of its name has left.
 *
 * @throws {ContractError} NvramLeft, MemoryLeft
 */
export async function requireNothingLeft(
  host: Pick<LibvirtHost, "link">,
  document: XmlDocument,
  name: string,
): Promise<void> {
  const { nvram, memory } = await leftByName(host, name);
  if (memory !== undefined) throw memory;
  if (nvram !== undefined && hasUsualNvram(document)) throw nvram;
}

/**
 * Plans the move of the file of UEFI variables when a VM gets another name; null where it stays where it is.
 *
 * @param xml the VM's stored definition
 * @throws {ContractError} RenameFailed, NvramLeft, MemoryLeft
 */
export async function planNvramMove(
  host: LibvirtHost,
  xml: string,
  { uuid, from: oldName, to: newName }: { readonly uuid: string; readonly from: string; readonly to: string },
): Promise<NvramMove | null> {
  const document = new XmlDocument(xml), from = usualNvram(oldName);
  const left = await leftByName(host, newName);
  if (left.memory !== undefined) throw left.memory;
  const isNamed = nvramOf(document) === from;
  if (!isNamed && !hasUsualNvram(document)) return null;
  if (!host.machine?.isSystem) {
    if (isNamed) return null;
    const error =
      "its UEFI variables are found by its name, and KVM Manager cannot move that file on another host";
    throw new ContractError("RenameFailed", { error });
  }
  const user = await otherUserOf(host, uuid, from);
  if (user !== undefined) {
    if (isNamed) {
      log.info("the UEFI variables of a renamed VM stay: they are another one's, too", { path: from, user });
      return null;
    }
    const error =
      `${user} has the same UEFI variables, ${from}, and would lose them. Give it variables of its own first`;
    throw new ContractError("RenameFailed", { error });
  }
  if (left.nvram !== undefined) throw left.nvram;
  return { from, to: usualNvram(newName), file: await identityAt(from), isNamed };
}

/** Moves the file, unless it was moved or never was. @throws {FileRefused} @throws {Error} an error of the kernel */
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
  { link }: Pick<LibvirtHost, "link">,
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
