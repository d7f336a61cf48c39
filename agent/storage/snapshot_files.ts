/** The files of the host that VMs' snapshots need: without them none can be reverted to. */
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { diskImagesOf, type SnapshotSummary, summarizeSnapshot } from "../../lib/formats/xml/snapshot.ts";
import { namedPaths } from "../../lib/formats/xml/named_paths.ts";
import { isUnsupported } from "../libvirt/failure.ts";
import type { LinkCaller } from "./volumes.ts";

/** A file that a snapshot needs. */
export interface SnapshotFile {
  readonly path: string;
  /** Its format, where it is an image. */
  readonly format?: string | undefined;
}

/** The files of one snapshot: images that keep its disks, its memory, and what its definition names beside disks. Pure. */
export function filesOfSnapshot(
  { externalDisks, internalDisks, memoryFile, domains }: SnapshotSummary,
): SnapshotFile[] {
  const within = domains.flatMap(diskImagesOf).filter(({ target }) => internalDisks.includes(target));
  const images = [...externalDisks, ...within].flatMap(({ path, format }) =>
    path === undefined ? [] : [{ path, format }]
  );
  const named = domains.flatMap((domain) => namedPaths(domain, { disks: false })).map((path) => ({ path }));
  return [...images, ...named, ...memoryFile === undefined ? [] : [{ path: memoryFile }]];
}

/**
 * The files of all snapshots, by the VM's UUID. One that is gone meanwhile has none.
 *
 * @param isLeftOut VMs that are not asked
 * @throws {LibvirtError}
 */
export async function snapshotFiles(
  link: LinkCaller,
  isLeftOut: (uuid: string) => boolean = () => false,
): Promise<Map<string, SnapshotFile[]>> {
  let uuids: readonly string[];
  try {
    uuids = (await link.call("domainsWithSnapshots")).filter((uuid) => !isLeftOut(uuid));
  } catch (error) {
    if (isUnsupported(error)) return new Map();
    throw error;
  }
  return new Map(
    await Promise.all(uuids.map(async (uuid) => [uuid, await filesOf(link, uuid)] as const)),
  );
}

async function filesOf(link: LinkCaller, uuid: string): Promise<SnapshotFile[]> {
  try {
    return (await link.call("snapshotScan", { uuid })).flatMap(({ xml }) =>
      filesOfSnapshot(summarizeSnapshot(xml))
    );
  } catch (error) {
    if (isUnsupported(error)) return [];
    if (error instanceof LibvirtError && error.code === VIR_ERR.NO_DOMAIN) return [];
    throw error;
  }
}
