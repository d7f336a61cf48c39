/**
 * Devices that suspended VMs resume with, if they are not those of the definition: another program may have
 * changed that since. Used to find out whether a disk, an address or a network is in use.
 */
import type { DomainRecord } from "../../ffi/calls/mod.ts";
import { LibvirtError } from "../../ffi/error.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { type DomainSummary, summarizeDomain } from "../../lib/formats/xml/domain.ts";
import { isConnectionLost } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";

type Services = Pick<LibvirtHost, "inventory" | "link">;

/** Records are replaced, never changed: a VM that is defined or suspended again has another one. */
const known = new WeakMap<DomainRecord, Promise<DomainSummary | undefined>>();

/** The parts of a definition that other VMs could use as well. */
const usedBy = ({ disks, interfaces, otherPaths }: DomainSummary): string =>
  JSON.stringify([
    disks.map(({ target, source, readOnly, shareable }) => [target, source, readOnly, shareable]),
    interfaces.map(({ mac, type, network }) => [mac.toLowerCase(), type, network]),
    otherPaths,
  ]);

async function read(
  { link }: Services,
  { uuid, name, summary }: DomainRecord,
): Promise<DomainSummary | undefined> {
  try {
    const xml = await link.call("domainSavedXml", { uuid });
    const saved = summarizeDomain(xml);
    return usedBy(saved) === usedBy(summary) ? undefined : saved;
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
    log.info("the saved memory of a VM cannot be read, nor gone on with", { vm: name, error });
    return undefined;
  }
}

/**
 * Devices that a VM resumes with; undefined if it has no saved memory, or resumes with its definition.
 * @throws {LibvirtError}
 */
export async function savedDevices(
  host: Services,
  { id }: Pick<VM, "id">,
): Promise<DomainSummary | undefined> {
  const record = host.inventory.record(id);
  if (record === undefined || !record.managedSave || host.inventory.active().includes(id)) return undefined;
  let reading = known.get(record);
  if (reading === undefined) {
    known.set(record, reading = read(host, record));
    reading.catch(() => known.delete(record));
  }
  return await reading;
}

/**
 * VMs, and once more those whose saved memory goes on otherwise than they are defined, as it does. One that does not
 * respond keeps no other from being looked at.
 *
 * @param unread is told of each whose saved memory cannot be read now
 */
export async function withSaved(
  host: Services,
  vms: readonly VM[],
  unread?: (vm: VM) => void,
): Promise<VM[]> {
  const all = await Promise.all(vms.map(async (vm) => {
    const saved = await savedDevices(host, vm).catch((error) => {
      if (!isConnectionLost(error)) throw error;
      log.debug("the saved memory of a VM cannot be read now", { vm: vm.name, error });
      unread?.(vm);
      return undefined;
    });
    if (saved === undefined) return [vm];
    const networkInterfaces = saved.interfaces.map((nic) => ({ ...nic, ipAddresses: [] }));
    return [vm, { ...vm, disks: saved.disks, networkInterfaces }];
  }));
  return all.flat();
}
