/** A VM's XML: its version, checking an edited one without applying it, and replacing it. */
import type { Unrendered } from "../../lib/i18n/message.ts";
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError, type Input, type Output, type VM, type XmlProblem } from "../../lib/contract/mod.ts";
import { summarizeDomain } from "../../lib/formats/xml/domain.ts";
import type { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { lineOf } from "../../lib/formats/xml/locate.ts";
import { relativePaths, withAbsolutePaths } from "../../lib/formats/xml/relative.ts";
import { withoutGeneratedPasswords } from "../../lib/formats/xml/screen_passwords.ts";
import {
  lineFrom,
  onlyChild,
  readDomain,
  refusedOutright,
  trialFault,
  trialXml,
} from "../../lib/formats/xml/trial.ts";
import { contractError } from "../libvirt/failure.ts";
import { changeMetadata } from "./own_metadata.ts";
import { broughtMac } from "./mac_owner.ts";
import { refuseOthersFiles } from "./others_files.ts";
import { sizeOfDefinition } from "./vm_size.ts";
import { pinImages } from "./pinned_images.ts";
import { requireNoSavedMemory } from "./saved_memory.ts";
import { lostUnknown } from "./snapshots/next_start.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";

/** The version of an XML: its SHA-256, in hexadecimal. A start, which renews generated passwords, is no new version. */
export async function xmlVersion(xml: string): Promise<string> {
  const bytes = new TextEncoder().encode(withoutGeneratedPasswords(xml));
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The XML that can be edited: of the next start, whole, passwords included. @throws {LibvirtError} */
export function editableXml({ link }: LibvirtHost, vm: VM): Promise<string> {
  return link.call("domainXml", { uuid: vm.id, secure: true, inactive: true });
}

/** A problem as the error it is when somebody wants the XML applied. */
export function invalidXml(problem: XmlProblem): ContractError {
  const { message, line } = problem;
  const error = line === undefined ? message : `${message} (line ${line})`;
  return new ContractError("XmlInvalid", { error, ...problem });
}

/**
 * Checks XML from outside before it is passed to libvirt: refused outright, or wrong by libvirt's schemas.
 *
 * @param relative relative paths that the VM has already: the schemas do not allow any
 */
export async function readChecked(
  { link }: LibvirtHost,
  xml: string,
  relative: readonly string[] = [],
): Promise<{ document: XmlDocument } | { problem: XmlProblem }> {
  const refused = refusedOutright(xml);
  if (refused) return { problem: refused };
  const read = readDomain(xml);
  // What our own reader does not take, the schemas say better.
  const judged = "fault" in read ? xml : withAbsolutePaths(xml, relative);
  const fault = await link.schema.faultOf(judged);
  if (fault) return { problem: fault };
  return "fault" in read ? { problem: read.fault } : read;
}

/** The mark by which the XML is not for this VM: UUID and name must be there once, unchanged. Null where both are. */
function identityFault(document: XmlDocument, vm: VM): { what: string; is: string; line: number } | null {
  const marks = [["uuid", "UUID", vm.id], ["name", "name", vm.name]] as const;
  for (const [tag, what, is] of marks) {
    const found = onlyChild(document.root, tag);
    const text = tag === "uuid" ? found?.text.trim().toLowerCase() : found?.text;
    if (text === is) continue;
    return { what, is, line: lineOf(document.toString(), (found ?? document.root).from) };
  }
  return null;
}

/**
 * Checks an edited XML without applying it.
 *
 * @throws {ContractError} VmNotFound, and what any libvirt call may give
 */
export async function checkVmXml(
  host: LibvirtHost,
  { vmId, xml, etag }: Input<"check_vm_xml">,
): Promise<Unrendered<Output<"check_vm_xml">>> {
  const vm = host.requireVm(vmId);
  return { problem: await problemOf(host, vm, xml, etag) };
}

async function problemOf(
  host: LibvirtHost,
  vm: VM,
  xml: string,
  etag: string | undefined,
): Promise<Unrendered<XmlProblem> | null> {
  const before = await editableXml(host, vm);
  const read = await readChecked(host, xml, relativePaths(before));
  if ("problem" in read) return read.problem;
  const identity = identityFault(read.document, vm);
  if (identity) {
    const { line, ...details } = identity;
    return { message: new ContractError("XmlIdentity", details).sentence, line };
  }
  const trial = trialXml(read.document, vm.name);
  const fault = trialFault(await host.link.call("domainValidateXml", { xml: trial }), xml);
  if (fault) return fault;
  if (etag !== undefined && await xmlVersion(before) !== etag) {
    return { message: new ContractError("XmlChanged").message };
  }
  const mac = broughtMac(host.inventory.vms(), vm, [read.document.root]);
  if (mac !== undefined) return { message: new ContractError("MacInUse", mac).sentence };
  return await fileProblem(host, read.document, vm, before);
}

/** Reason why set_vm_xml would refuse the files. */
async function fileProblem(
  host: LibvirtHost,
  document: XmlDocument,
  vm: VM,
  before: string,
): Promise<Unrendered<XmlProblem> | null> {
  try {
    await refuseOthersFiles(host, document, { uuid: vm.id, name: vm.name }, before);
    await pinImages(host, document, { vm, before, held: undefined });
    return null;
  } catch (error) {
    if (error instanceof ContractError) return { message: error.sentence };
    throw error;
  }
}

/**
 * Replaces a VM's stored XML. What somebody else changed since the version `etag` is not overwritten.
 *
 * @throws {ContractError} VmNotFound, VmNotPersistent, XmlInvalid, XmlIdentity, XmlChanged, MacInUse, VmBusy, PathRefused,
 * DiskRefused, QuotaExceeded
 */
export async function setVmXml(
  host: LibvirtHost,
  { vmId, xml, etag }: Input<"set_vm_xml">,
): Promise<Output<"set_vm_xml">> {
  const vm = host.requireVm(vmId);
  if (!vm.persistent) throw new ContractError("VmNotPersistent");
  const relative = relativePaths(await editableXml(host, vm));
  const read = await readChecked(host, xml, relative);
  if ("problem" in read) throw invalidXml(read.problem);
  const kept = relativePaths(xml);
  const identity = identityFault(read.document, vm);
  if (identity) throw new ContractError("XmlIdentity", identity);
  let saved = "";
  await host.claims.operate(vm, "updating", async () => {
    using held = new DisposableStack();
    await requireNoSavedMemory(host, vm);
    const before = await editableXml(host, vm);
    if (etag !== undefined && await xmlVersion(before) !== etag) throw new ContractError("XmlChanged");
    const mac = broughtMac(host.inventory.vms(), vm, [read.document.root]);
    if (mac !== undefined) throw new ContractError("MacInUse", mac);
    const lost = await lostUnknown(host, vm, xml);
    if (lost !== undefined) throw new ContractError("DiskRefused", lost);
    await refuseOthersFiles(host, read.document, { uuid: vm.id, name: vm.name }, before);
    await pinImages(host, read.document, { vm, before, held });
    const pinned = read.document.toString();
    const project = host.projects.projectOf(vm.id);
    using admission = host.projects.grow(vm, await sizeOfDefinition(host, pinned, project));
    try {
      // libvirt would check it by its schemas again, and refuse the relative paths that it has itself.
      host.labels.meant(vm.id, summarizeDomain(pinned));
      const unchecked = kept.length > 0 && kept.every((path) => relative.includes(path));
      await host.link.call("domainDefineXml", { xml: pinned, unchecked });
      admission.keep();
      saved = await tellRunning(host, vm, await editableXml(host, vm));
    } catch (error) {
      throw defineError(error, pinned, "set_vm_xml");
    }
  });
  return { etag: await xmlVersion(saved), pending: host.inventory.active().includes(vm.id) };
}

/**
 * Gives a running VM the tags and the group of its stored XML: no boot is needed for them, and rights go by the group.
 *
 * @returns the stored XML afterwards @throws {LibvirtError}
 */
async function tellRunning(host: LibvirtHost, vm: VM, saved: string): Promise<string> {
  const { inventory } = host;
  const next = summarizeDomain(saved), now = inventory.record(vm.id)?.summary;
  const isSame = now === undefined || (now.group === next.group && now.tags.join() === next.tags.join());
  if (isSame || !inventory.active().includes(vm.id)) return saved;
  await changeMetadata(host, vm.id, { tags: next.tags, group: next.group });
  return await editableXml(host, vm);
}

/** Converts libvirt's error about a definition: XmlInvalid where libvirt refuses the XML, else as for any call. */
export function defineError(thrown: unknown, xml: string, operation: string): unknown {
  const error = contractError(thrown, "XmlInvalid", operation);
  const isRefused = error instanceof ContractError && error.code === "XmlInvalid" &&
    thrown instanceof LibvirtError;
  if (!isRefused) return error;
  const line = lineFrom(thrown.message, xml);
  return invalidXml({ message: thrown.message, ...(line !== undefined && { line }) });
}
