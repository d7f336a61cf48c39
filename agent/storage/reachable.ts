/**
 * Checks that files respond before libvirt opens them for a VM: it opens them with the VM's lock held, and on
 * a mount that does not respond it keeps that lock for ever, so that no list of VMs ever ends.
 */
import { describePool } from "../../lib/formats/xml/pool.ts";
import { sourcePaths } from "../../lib/formats/xml/source_paths.ts";
import { PATH_TYPES } from "../../lib/storage/pool_types.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { log } from "../log.ts";
import { isNotResponding } from "../machine/mount_gate.ts";
import { backingImages } from "./disk_images/backing.ts";

type Places = Pick<LibvirtHost, "link" | "machine" | "inventory">;

/** Looks at something; any failure but a mount that does not respond is for libvirt to report. */
async function probe(path: string, look: () => Promise<unknown>): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (isNotResponding(error)) throw error;
    log.debug("a file that libvirt is to open cannot be looked at", { path, error });
  }
}

/** The folder of a pool whose volumes are files below it; undefined for any other one. */
export function poolFolder({ inventory }: Pick<LibvirtHost, "inventory">, pool: string): string | undefined {
  const { type, path } = describePool(inventory.storage.record(pool)?.xml ?? "<pool/>");
  return PATH_TYPES.has(type) ? path : undefined;
}

/**
 * Refuses what libvirt would wait for: a domain, a device or a snapshot with a file on a mount that does not respond.
 * Nothing is looked at for a libvirt elsewhere.
 *
 * @param xml as it is given to libvirt @throws {ContractError} StorageNotResponding
 */
export async function requireReachable(host: Places, xml: string): Promise<void> {
  if (host.machine === null) return;
  const { files } = host.machine;
  const { paths, pools, open } = sourcePaths(xml);
  const folders = pools.flatMap((pool) => poolFolder(host, pool) ?? []);
  await Promise.all([...paths, ...folders].map((path) => probe(path, () => files.statFile(path))));
  await Promise.all(open.map((path) => probe(path, () => backingImages(path))));
}

/**
 * As {@link requireReachable}, of all that a VM's stored definition names: disks, drives, shared folders, firmware,
 * kernels.
 *
 * @throws {ContractError} StorageNotResponding @throws {LibvirtError}
 */
export async function requireSourcesReachable(
  host: Places,
  { id: uuid }: { readonly id: string },
): Promise<void> {
  if (host.machine === null) return;
  const { files } = host.machine;
  // What is known of it first: libvirt may wait for one of these already, and would not answer.
  const known = host.inventory.vm(uuid)?.disks.flatMap(({ source }) =>
    source?.startsWith("/") ? [source] : []
  );
  await Promise.all((known ?? []).map((path) => probe(path, () => files.statFile(path))));
  await requireReachable(host, await host.link.call("domainXml", { uuid, secure: false, inactive: true }));
}

/** Refuses work on a pool of this host whose folder's mount does not respond. @throws {ContractError} StorageNotResponding */
export async function requirePoolReachable(host: Places, pool: string): Promise<void> {
  if (host.machine === null) return;
  const { files } = host.machine;
  const folder = poolFolder(host, pool);
  if (folder !== undefined) await probe(folder, () => files.statFile(folder));
}
