/** The files of the host that VMs' snapshots need: without them none can be reverted to. */
import { ContractError } from "../../lib/contract/mod.ts";
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

/** The files of one snapshot: images that keep its disks, its memory, and what its definition names besides disks. Pure. */
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
    await Promise.all(uuids.map(async (uuid) => [uuid, await filesOf(link, uuid, isLeftOut)] as const)),
  );
}

/** Names of the snapshots that VMs had when they were read last, by UUID. */
const knownNames = new WeakMap<LinkCaller, Map<string, readonly string[]>>();
/** Milliseconds for which a snapshot that is being made is waited for; between the first two looks, and at most: each time twice as long. */
const MAKING_MS = { most: 60_000, first: 500, look: 8000 } as const;

/** Notes which snapshots a VM has: what libvirt does not tell while another one is made. */
export function noteSnapshots(link: LinkCaller, uuid: string, names: readonly string[]): void {
  let known = knownNames.get(link);
  if (known === undefined) knownNames.set(link, known = new Map());
  known.set(uuid, names);
}

/** libvirt tells no snapshot of a VM while it makes one whose name it does not have yet. */
const isBeingMade = (error: unknown) => error instanceof LibvirtError && error.code === VIR_ERR.INVALID_ARG;

/**
 * The snapshots of a VM. While one is made, which may take minutes, those that it has already are what it needs; where they
 * are not known, it is waited for, unless the VM stops to respond meanwhile.
 *
 * @throws {ContractError} VmBusy where that takes too long
 */
async function snapshotsOf(
  link: LinkCaller,
  uuid: string,
  isLeftOut: (uuid: string) => boolean,
): Promise<SnapshotSummary[]> {
  const end = performance.now() + MAKING_MS.most;
  for (let wait: number = MAKING_MS.first;; wait = Math.min(MAKING_MS.look, wait * 2)) {
    try {
      const records = await link.call("snapshotScan", { uuid, known: knownNames.get(link)?.get(uuid) ?? [] });
      const found = records.map(({ xml }) => summarizeSnapshot(xml));
      noteSnapshots(link, uuid, found.map(({ name }) => name));
      return found;
    } catch (error) {
      if (!isBeingMade(error)) throw error;
      if (performance.now() > end) {
        const operation =
          `a snapshot of the VM ${uuid} is being made, and until it is libvirt does not say what its snapshots need`;
        throw new ContractError("VmBusy", { operation }, { cause: error });
      }
      await new Promise((resolve) => setTimeout(resolve, wait));
      if (isLeftOut(uuid)) return [];
    }
  }
}

async function filesOf(
  link: LinkCaller,
  uuid: string,
  isLeftOut: (uuid: string) => boolean,
): Promise<SnapshotFile[]> {
  try {
    return (await snapshotsOf(link, uuid, isLeftOut)).flatMap(filesOfSnapshot);
  } catch (error) {
    if (isUnsupported(error)) return [];
    if (error instanceof LibvirtError && error.code === VIR_ERR.NO_DOMAIN) return [];
    throw error;
  }
}
