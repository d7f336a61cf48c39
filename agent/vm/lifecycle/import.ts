/** Defining a VM from XML that somebody brings. */
import { vmName } from "../../../lib/i18n/message.ts";
import { ContractError, type Input, type Output } from "../../../lib/contract/mod.ts";
import { summarizeDomain } from "../../../lib/formats/xml/domain.ts";
import {
  dropMacs,
  type Identity,
  identityOf,
  setCreatedAt,
  setName,
  setUuid,
} from "../../../lib/formats/xml/identity.ts";
import { freeHostIdentities } from "../../../lib/formats/xml/host_identities.ts";
import { dropFilterAddresses } from "../../../lib/formats/xml/filter.ts";
import { dropLabels } from "../../../lib/formats/xml/labels.ts";
import { addressesLeftText } from "../../../lib/vm/addresses_left.ts";
import { labelsLeftText } from "../../../lib/vm/labels_left.ts";
import { dropGeneratedSockets } from "../../../lib/formats/xml/own_files.ts";
import { protectNewDomain } from "../../../lib/formats/xml/screen_passwords.ts";
import { lookAt } from "../../machine/files.ts";
import { isConnectionLost } from "../../libvirt/failure.ts";
import { oneLine } from "../../../lib/text/text.ts";
import { log } from "../../log.ts";
import type { Noted } from "../../operations/operation.ts";
import type { DomainMade } from "../../operations/step.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { findVolumeAt } from "../../storage/volumes.ts";
import { macOwner } from "../mac_owner.ts";
import { requireNothingLeft } from "./named_files.ts";
import { requireFreeVmName } from "./rename.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { defineError, invalidXml, readChecked } from "../xml.ts";
import { leaveOthersNvram, refuseOthersFiles } from "../others_files.ts";
import { sizeOfDefinition } from "../vm_size.ts";
import { pinImages } from "../pinned_images.ts";
import { isNotResponding } from "../../machine/mount_gate.ts";
import { withSaved } from "../../storage/saved_devices.ts";

/** Refuses what would take an existing VM's place. libvirt would replace a VM of the same name and id. */
async function refuseTaken(host: LibvirtHost, { name, uuid, macs }: Identity): Promise<void> {
  const { bin, id, inventory } = host;
  requireFreeVmName(host, name);
  const same = uuid === undefined ? undefined : host.vmAnywhere(uuid);
  if (same) throw new ContractError("VmIdTaken", { id: same.id, name: vmName(same) });
  // Its backups, rights and schedules are those of the VM that is in the bin, and can come back.
  const kept = uuid === undefined ? undefined : bin.all(id).find(({ vmId }) => vmId === uuid);
  if (kept) throw new ContractError("VmIdInBin", { id: uuid!, name: vmName({ id: uuid!, name: kept.name }) });
  const other = macOwner(await withSaved(host, inventory.vms()), macs);
  if (other !== undefined) throw new ContractError("MacInUse", other);
}

const isDenied = (error: unknown) => error instanceof Deno.errors.PermissionDenied;

/** @throws {ContractError} PathRefused */
async function isMissing({ link }: LibvirtHost, path: string): Promise<boolean> {
  // Another host's paths are not here; its pools may know them.
  if (link.machine === null) return await findVolumeAt(link, path) === undefined;
  try {
    return await lookAt(path, link.machine.files.statFile) === undefined;
  } catch (error) {
    const isUnknown = isNotResponding(error) || !(error instanceof ContractError) || isDenied(error.cause);
    if (!isUnknown) throw error;
    log.debug("a disk cannot be looked at", { path, error }); // unknown is not missing
    return false;
  }
}

/** Defines it as an operation: when it is not known what came of it, it is taken back, and can be imported again. */
async function define(
  { link, operations }: LibvirtHost,
  xml: string,
  { name, uuid }: Identity & { readonly uuid: string },
  { actor, keys }: { readonly actor: string; readonly keys: readonly string[] },
): Promise<string> {
  const spec = { command: "import_vm", subject: name, vmId: uuid, actor, keys } as const;
  return await operations.run(spec, async (operation) => {
    let noted: Noted<DomainMade> | undefined;
    try {
      // libvirt would replace a VM of the same name and id.
      if (await link.call("domainRead", { uuid }) !== null) {
        throw new ContractError("VmIdTaken", { id: uuid, name });
      }
      noted = operation.add<DomainMade>({
        kind: "domain-made",
        uuid,
        name,
        at: Date.now(),
        keepsState: true,
      });
      return await link.call("domainDefineXml", { xml });
    } catch (error) {
      if (!isConnectionLost(error)) noted?.drop();
      throw defineError(error, xml, "import_vm");
    }
  });
}

/**
 * Defines a VM; nothing is started.
 *
 * @param actor name of the principal
 * @throws {ContractError} HostInMaintenance, XmlInvalid, InvalidName, VmNameExists, VmIdTaken, VmIdInBin, MacInUse,
 * DisksMissing, PathRefused, DiskRefused, ProjectNotFound, QuotaExceeded
 */
export async function importVm(
  host: LibvirtHost,
  { xml, name, project: wanted, newId = false, newMacs = false, allowMissing = false }: Input<"import_vm">,
  actor: string,
): Promise<Output<"import_vm">> {
  const admissions = host.requireAdmissions();
  host.requireFilled();
  using held = new DisposableStack();
  const read = await readChecked(host, xml);
  if ("problem" in read) throw invalidXml(read.problem);
  const { document } = read;
  dropGeneratedSockets(document);
  const original = identityOf(document).name;
  if (name !== undefined) setName(document, name);
  // What is defined is known before libvirt is asked for it.
  const given = newId ? undefined : identityOf(document).uuid;
  const uuid = given ?? crypto.randomUUID();
  if (given === undefined) setUuid(document, uuid);
  const warnings: string[] = [];
  if (newId) {
    // Of another VM: that one has them.
    const labelsLeft = labelsLeftText(dropLabels(document), original);
    if (labelsLeft !== undefined) warnings.push(labelsLeft);
    const addressesLeft = addressesLeftText(dropFilterAddresses(document), original);
    if (addressesLeft !== undefined) warnings.push(addressesLeft);
    setCreatedAt(document, Date.now());
    const left = freeHostIdentities(document, { from: original, to: identityOf(document).name });
    if (left.length > 0) {
      warnings.push(
        `Left out, as one VM alone can have it: ${oneLine(left.join(", "))}. The original keeps it.`,
      );
    }
  }
  if (newMacs) dropMacs(document);
  protectNewDomain(document);
  const identity = { ...identityOf(document), uuid };
  if (newId) {
    const variablesLeft = await leaveOthersNvram(host, document, identity);
    if (variablesLeft !== undefined) warnings.push(variablesLeft);
  }
  const keys = [keyOf.vmName(identity.name), keyOf.vm(uuid)];
  await host.operations.ready(keys);
  await refuseTaken(host, identity);
  // What is brought as it was may find the variables that it left; what is new has none.
  if (newId || name !== undefined) await requireNothingLeft(host, document, identity.name);
  const missing = await missingFiles(host, document.toString());
  if (missing.length > 0 && !allowMissing) {
    throw new ContractError("DisksMissing", { paths: missing.join(", "), missing });
  }
  await refuseOthersFiles(host, document, identity);
  await pinImages(host, document, { vm: { name: identity.name }, held });
  const changed = document.toString();
  // One that was undefined by another program is in its project still
  const project = host.projects.idOf(wanted) ?? host.projects.projectOf(uuid);
  using admission = admissions.admit(
    { vmId: uuid, name: identity.name, project },
    await sizeOfDefinition(host, changed, project),
  );
  const vmId = await define(host, changed, identity, { actor, keys });
  admission.keep();
  await host.inventory.refresh(vmId).catch((error) =>
    log.debug("an imported domain could not be read", { name: identity.name, error })
  );
  return { vmId, name: identity.name, missing, warnings };
}

/** Files and devices of this host that the VM needs and that are not there. */
async function missingFiles(host: LibvirtHost, xml: string): Promise<string[]> {
  const missing: string[] = [];
  for (const { type, source } of summarizeDomain(xml).disks) {
    if (source === undefined || (type !== "file" && type !== "block") || missing.includes(source)) continue;
    if (await isMissing(host, source)) missing.push(source);
  }
  return missing;
}
