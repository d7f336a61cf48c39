/** A machine's XML: its version, checking an edited one without applying it, and replacing it. */
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError, type Input, type Output, type VM, type XmlProblem } from "../../lib/contract/mod.ts";
import type { XmlDocument } from "../../lib/xml/edit.ts";
import { lineOf } from "../../lib/xml/locate.ts";
import {
  lineFrom,
  onlyChild,
  readDomain,
  refusedOutright,
  trialFault,
  trialXml,
} from "../../lib/xml/trial.ts";
import { contractError } from "../libvirt/failure.ts";
import type { VmServices } from "./services.ts";

/** The version of an XML: its SHA-256, in hexadecimal. */
export async function etagOf(xml: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(xml));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The XML that can be edited: of the next start, whole, passwords included. @throws {LibvirtError} */
export function editableXml({ link }: VmServices, vm: VM): Promise<string> {
  return link.call("domainXml", { uuid: vm.id, secure: true, inactive: true });
}

/** A problem as the error it is when somebody wants the XML applied. */
export function invalidXml(problem: XmlProblem): ContractError {
  const { message, line } = problem;
  const error = line === undefined ? message : `${message} (line ${line})`;
  return new ContractError("XmlInvalid", { error, ...problem });
}

/**
 * What every XML from outside goes through before libvirt is asked to make something of it: refused outright, or
 * wrong by libvirt's schemas.
 */
export async function readChecked(
  { link }: VmServices,
  xml: string,
): Promise<{ document: XmlDocument } | { problem: XmlProblem }> {
  const refused = refusedOutright(xml);
  if (refused) return { problem: refused };
  const fault = await link.call("domainSchemaFault", { xml });
  if (fault) return { problem: fault };
  const read = readDomain(xml);
  return "fault" in read ? { problem: read.fault } : read;
}

/** Which machine the XML is for: by both marks that libvirt goes by, each there once and as it is. */
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
  services: VmServices,
  { vmId, xml }: Input<"check_vm_xml">,
): Promise<Output<"check_vm_xml">> {
  const vm = services.requireVm(vmId);
  return { problem: await problemOf(services, vm, xml) };
}

async function problemOf(services: VmServices, vm: VM, xml: string): Promise<XmlProblem | null> {
  const read = await readChecked(services, xml);
  if ("problem" in read) return read.problem;
  const identity = identityFault(read.document, vm);
  if (identity) {
    const { line, ...details } = identity;
    return { message: new ContractError("XmlIdentity", details).message, line };
  }
  const trial = trialXml(read.document, vm.name);
  return trialFault(await services.link.call("domainTryXml", { xml: trial }), xml);
}

/**
 * Replaces a machine's stored XML. What somebody else changed since the version `etag` is not overwritten.
 *
 * @throws {ContractError} VmNotFound, VmNotPersistent, XmlInvalid, XmlIdentity, XmlChanged, VmBusy
 */
export async function setVmXml(
  services: VmServices,
  { vmId, xml, etag }: Input<"set_vm_xml">,
): Promise<Output<"set_vm_xml">> {
  const vm = services.requireVm(vmId);
  if (!vm.persistent) throw new ContractError("VmNotPersistent");
  const read = await readChecked(services, xml);
  if ("problem" in read) throw invalidXml(read.problem);
  const identity = identityFault(read.document, vm);
  if (identity) throw new ContractError("XmlIdentity", identity);
  let saved = "";
  await services.operate(vm, "updating", async () => {
    try {
      if (etag !== undefined && await etagOf(await editableXml(services, vm)) !== etag) {
        throw new ContractError("XmlChanged");
      }
      await services.link.call("domainDefineXml", { xml });
      saved = await editableXml(services, vm);
    } catch (error) {
      throw defineError(error, xml, "set_vm_xml");
    }
  });
  return { etag: await etagOf(saved), pending: services.inventory.active().includes(vm.id) };
}

/** What libvirt said to a definition: about the XML when it is libvirt itself that refuses, else what any call gives. */
export function defineError(thrown: unknown, xml: string, operation: string): unknown {
  const error = contractError(thrown, "XmlInvalid", operation);
  const isRefused = error instanceof ContractError && error.code === "XmlInvalid" &&
    thrown instanceof LibvirtError;
  if (!isRefused) return error;
  const line = lineFrom(thrown.message, xml);
  return invalidXml({ message: thrown.message, ...(line !== undefined && { line }) });
}
