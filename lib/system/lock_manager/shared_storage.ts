/** Finds storage that other hosts may reach as well, by its mounts and the types of pools. Pure. */
import type { SharedDisk } from "../../contract/lock_manager.ts";
import type { Disk } from "../../contract/vm.ts";
import { isBelow, type MountLine, mountOf } from "../../formats/mountinfo.ts";
import { child, children, childText, parseXml } from "../../formats/xml/tree.ts";

/** File systems that several hosts have at the same time. */
const NETWORK_FILE_SYSTEMS: ReadonlySet<string> = new Set([
  ...["nfs", "nfs4", "cifs", "smb3", "ceph", "gfs2", "ocfs2", "lustre", "beegfs", "glusterfs", "gpfs"],
  "fuse.glusterfs",
  "fuse.ceph",
  "fuse.ceph-fuse",
  "fuse.sshfs",
  "fuse.mfs",
  "fuse.juicefs",
  "fuse.moosefs",
]);

/** Device links of udev for disks on iSCSI and Fibre Channel. */
const NETWORK_DEVICE = /^\/dev\/disk\/by-path\/(?:ip-|[^/]*-fc-)/;

/** Kinds of pools whose volumes are on the network, and whether lockd sees a path of them on the host. */
const NETWORK_POOLS: Readonly<Record<string, boolean>> = {
  netfs: true,
  iscsi: true,
  mpath: true,
  rbd: false,
  gluster: false,
  "iscsi-direct": false,
  sheepdog: false,
};

/** A pool as its XML tells. */
export interface PoolPlace {
  readonly name: string;
  readonly type: string;
  /** Its folder on the host. */
  readonly path: string | undefined;
  /** Its address on the network: `nfs://server/path`; undefined for one that is on this host. */
  readonly network: string | undefined;
}

/** Reads a pool's XML, as libvirt has written it. */
export function poolPlace(xml: string): PoolPlace {
  const root = parseXml(xml), source = child(root, "source"), type = root.attributes.type ?? "";
  const hosts = source === undefined
    ? []
    : children(source, "host").map(({ attributes }) => attributes.name ?? "");
  const part = source === undefined
    ? ""
    : child(source, "dir")?.attributes.path ?? child(source, "device")?.attributes.path ??
      childText(source, "name") ?? "";
  const name = source && childText(source, "name");
  const isNetwork = Object.hasOwn(NETWORK_POOLS, type);
  const below = type === "gluster" && name !== undefined ? name : part;
  return {
    name: childText(root, "name") ?? "",
    type,
    path: childText(child(root, "target"), "path"),
    network: isNetwork ? `${type}://${hosts.toSorted().join(",")}/${below.replace(/^\/+/, "")}` : undefined,
  };
}

/** Network file system of a path: `nfs://server/path`; undefined for a local one. @param path without links */
export function networkMount(mounts: readonly MountLine[], path: string): string | undefined {
  const mount = mountOf(mounts, path);
  if (mount === undefined || !NETWORK_FILE_SYSTEMS.has(mount.type)) return undefined;
  return `${mount.type.replace(/^nfs4$/, "nfs").replace(/^smb3$/, "cifs")}://${
    mount.source.replace(/^\/\//, "").replace(/:\//, "/")
  }`;
}

/** Mounts and pools of the host. */
export interface StorageKnowledge {
  readonly mounts: readonly MountLine[];
  readonly pools: readonly PoolPlace[];
  /** Folder → the linked host that sees it as well. */
  readonly seenBy: ReadonlyMap<string, string>;
}

const folderOf = (path: string) => path.slice(0, path.lastIndexOf("/"));

/** Shared storage of a disk; undefined if it is this host's alone. */
function placeOf(
  disk: Disk,
  { mounts, pools, seenBy }: StorageKnowledge,
): Omit<Place, "shareable"> | undefined {
  const { type, source } = disk;
  if (source === undefined) return undefined;
  if (type === "network") return { storage: source, guarded: false };
  if (type === "volume") {
    const pool = pools.find(({ name }) => name === source.split("/")[0]);
    if (pool?.network !== undefined) {
      return { storage: pool.network, guarded: NETWORK_POOLS[pool.type] ?? false };
    }
    const mount = pool?.path === undefined ? undefined : networkMount(mounts, pool.path);
    return mount === undefined ? undefined : { storage: mount, guarded: true };
  }
  if (!source.startsWith("/")) return undefined;
  const pool = pools.find(({ network, path }) =>
    network !== undefined && path !== undefined && type === "block" && isBelow(source, path) &&
    !path.startsWith("/dev/")
  );
  const network = (type === "block" && NETWORK_DEVICE.test(source) ? "iSCSI, Fibre Channel" : undefined) ??
    pool?.network ?? (type === "file" ? networkMount(mounts, source) : undefined);
  if (network !== undefined) return { storage: network, guarded: true };
  const host = seenBy.get(folderOf(source));
  return host === undefined
    ? undefined
    : { storage: `${folderOf(source)}, which ${host} sees as well`, guarded: true };
}

type Place = Pick<SharedDisk, "storage" | "guarded" | "shareable">;

/** The writable disks of a VM that others may write to at the same time. */
export function sharedDisks(vm: string, disks: readonly Disk[], knowledge: StorageKnowledge): SharedDisk[] {
  return disks.flatMap((disk): SharedDisk[] => {
    if (disk.readOnly || disk.device === "cdrom" || disk.device === "floppy") return [];
    const place = placeOf(disk, knowledge);
    if (place === undefined && !disk.shareable) return [];
    const { storage = disk.source ?? "", guarded = disk.type === "file" || disk.type === "block" } = place ??
      {};
    return [{ vm, target: disk.target, storage, shareable: disk.shareable, guarded }];
  });
}

/** Network storage of pools and disks, each once. */
export function networkStorageOf(knowledge: StorageKnowledge, disks: readonly SharedDisk[]): string[] {
  const ofPools = knowledge.pools.flatMap(({ network, path }) => {
    const mount = path === undefined ? undefined : networkMount(knowledge.mounts, path);
    return [network, mount].filter((each) => each !== undefined);
  });
  return [
    ...new Set([
      ...ofPools,
      ...disks.filter(({ storage }) => storage.includes("://")).map(({ storage }) => storage),
    ]),
  ]
    .toSorted();
}
