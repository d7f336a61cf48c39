/** libvirt's snapshots of a VM, read again. */
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { ContractError, type ErrorCode, type VM } from "../../../lib/contract/mod.ts";
import { type SnapshotSummary, summarizeSnapshot } from "../../../lib/formats/xml/snapshot.ts";
import { contractError, isUnsupported } from "../../libvirt/failure.ts";
import { noteSnapshots } from "../../storage/snapshot_files.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";

/** A snapshot that is there. */
export interface FoundSnapshot extends SnapshotSummary {
  readonly isCurrent: boolean;
}

/** The snapshots there are, parents before their children. None where the driver does not know any. */
export async function scan(
  { link }: Pick<LibvirtHost, "link">,
  { id: uuid }: Pick<VM, "id">,
): Promise<FoundSnapshot[]> {
  try {
    const records = await link.call("snapshotScan", { uuid });
    const found = records.map(({ xml, isCurrent }) => ({ ...summarizeSnapshot(xml), isCurrent }));
    noteSnapshots(link, uuid, found.map(({ name }) => name));
    return found;
  } catch (error) {
    if (isUnsupported(error)) return [];
    throw error;
  }
}

/** Converts an error of libvirt into one of the contract. */
export function snapshotError(error: unknown, name: string, code: ErrorCode, command: string): unknown {
  if (error instanceof LibvirtError && error.code === VIR_ERR.NO_DOMAIN_SNAPSHOT) {
    return new ContractError("SnapshotNotFound", { name }, { cause: error });
  }
  return contractError(error, code, command);
}

/** Paths of the images that are the content of external snapshots → names of those. */
export function contentsOf(snapshots: readonly SnapshotSummary[]): Map<string, string[]> {
  const contents = new Map<string, string[]>();
  for (const { name, externalDisks } of snapshots) {
    for (const { path } of externalDisks) {
      if (path !== undefined) contents.set(path, [...contents.get(path) ?? [], name]);
    }
  }
  return contents;
}
