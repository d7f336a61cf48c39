/** Defining a machine from XML that somebody brings. */
import { ContractError, type Input, type Output } from "../../lib/contract/mod.ts";
import { summarizeDomain } from "../../lib/xml/domain.ts";
import { dropMacs, type Identity, identityOf, setName, setUuid } from "../../lib/xml/identity.ts";
import { isLocal } from "../host/local.ts";
import { log } from "../log.ts";
import { volumeAt } from "../storage/volumes.ts";
import { requireFreeName } from "./rename.ts";
import type { VmServices } from "./services.ts";
import { defineError, invalidXml, readChecked } from "./xml.ts";

/** Refuses what would take an existing machine's place. libvirt would replace a machine of the same name and id. */
function refuseTaken(services: VmServices, { name, uuid, macs }: Identity): void {
  const { inventory } = services;
  requireFreeName(services, name);
  const same = uuid === undefined ? undefined : inventory.vm(uuid);
  if (same) throw new ContractError("VmIdTaken", { id: same.id, name: same.name });
  for (const vm of inventory.vms()) {
    const mac = vm.networkInterfaces.find((nic) => macs.includes(nic.mac.toLowerCase()))?.mac;
    if (mac !== undefined) throw new ContractError("MacInUse", { mac, vm: vm.name });
  }
}

async function isMissing({ link }: VmServices, path: string): Promise<boolean> {
  // Another host's paths are not here; its pools may know them.
  if (!isLocal(link.uri)) return await volumeAt(link, path) === undefined;
  try {
    await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return true;
    log.debug("a disk cannot be looked at", { path, error }); // unknown is not missing
  }
  return false;
}

/**
 * Defines a machine; nothing is started.
 *
 * @throws {ContractError} XmlInvalid, InvalidName, VmNameExists, VmIdTaken, MacInUse, DisksMissing
 */
export async function importVm(
  services: VmServices,
  { xml, name, newId = false, newMacs = false, allowMissing = false }: Input<"import_vm">,
): Promise<Output<"import_vm">> {
  services.requireFilled();
  const read = await readChecked(services, xml);
  if ("problem" in read) throw invalidXml(read.problem);
  const { document } = read;
  if (name !== undefined) setName(document, name);
  if (newId) setUuid(document, crypto.randomUUID());
  if (newMacs) dropMacs(document);
  const identity = identityOf(document);
  refuseTaken(services, identity);
  const changed = document.toString();
  const missing = await missingFiles(services, changed);
  if (missing.length > 0 && !allowMissing) {
    throw new ContractError("DisksMissing", { paths: missing.join(", "), missing });
  }
  let vmId: string;
  try {
    vmId = await services.link.call("domainDefineXml", { xml: changed });
  } catch (error) {
    throw defineError(error, changed, "import_vm");
  }
  await services.inventory.refresh(vmId).catch((error) =>
    log.debug("an imported domain could not be read", { name: identity.name, error })
  );
  return { vmId, name: identity.name, missing };
}

/** Files and devices of this host that the machine needs and that are not there. */
async function missingFiles(services: VmServices, xml: string): Promise<string[]> {
  const missing: string[] = [];
  for (const { type, source } of summarizeDomain(xml).disks) {
    if (source === undefined || (type !== "file" && type !== "block") || missing.includes(source)) continue;
    if (await isMissing(services, source)) missing.push(source);
  }
  return missing;
}
