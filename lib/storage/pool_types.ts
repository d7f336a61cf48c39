/** The kinds of storage pools as data: what each needs to be told, and what the host needs for it. Pure. */
import { FOUND_TYPES, type FoundType, type PoolType } from "../contract/choices.ts";

/** Fields of a new pool in addition to its name and type. */
export const POOL_FIELDS = [
  "path",
  "device",
  "sourceHost",
  "sourcePath",
  "sourceName",
  "format",
  "username",
  "secret",
] as const;
export type PoolField = typeof POOL_FIELDS[number];

/** Fields and default target of a type of pools. */
export interface PoolKind {
  /** Fields it needs, and fields it may be given. */
  readonly needs: readonly PoolField[];
  readonly may: readonly PoolField[];
  /** Default path of its volumes; `{name}` is the pool's name, `{source}` its source's. */
  readonly target?: string;
  /**
   * `always`: building makes a folder, which harms nothing. `asked`: it makes a file system, a volume group or a
   * partition table, and what was on the device is lost. `never`: there is nothing to build.
   */
  readonly build: "always" | "asked" | "never";
  /** Debian's package with libvirt's own part. */
  readonly driver: string;
  /** The program libvirt runs for it, and the package that has it. */
  readonly tool?: { readonly program: string; readonly package: string };
}

const CORE = "libvirt-daemon";
const MOUNTS = "/var/lib/libvirt/pools/{name}";

export const POOL_KINDS: Readonly<Record<PoolType, PoolKind>> = {
  dir: { needs: ["path"], may: [], build: "always", driver: CORE },
  fs: { needs: ["device"], may: ["path", "format"], target: MOUNTS, build: "asked", driver: CORE },
  netfs: {
    needs: ["sourceHost", "sourcePath"],
    may: ["path", "format"],
    target: MOUNTS,
    build: "always",
    driver: CORE,
    tool: { program: "mount.nfs", package: "nfs-common" },
  },
  logical: {
    needs: ["sourceName"],
    may: ["device"],
    target: "/dev/{source}",
    build: "asked",
    driver: CORE,
    tool: { program: "vgchange", package: "lvm2" },
  },
  disk: {
    needs: ["device"],
    may: ["format"],
    target: "/dev",
    build: "asked",
    driver: CORE,
    tool: { program: "parted", package: "parted" },
  },
  iscsi: {
    needs: ["sourceHost", "device"],
    may: [],
    target: "/dev/disk/by-path",
    build: "never",
    driver: CORE,
    tool: { program: "iscsiadm", package: "open-iscsi" },
  },
  zfs: {
    needs: ["sourceName"],
    may: ["device"],
    target: "/dev/zvol/{source}",
    build: "asked",
    driver: "libvirt-daemon-driver-storage-zfs",
    tool: { program: "zpool", package: "zfsutils-linux" },
  },
  rbd: {
    needs: ["sourceHost", "sourceName"],
    may: ["username", "secret"],
    build: "never",
    driver: "libvirt-daemon-driver-storage-rbd",
  },
  gluster: {
    needs: ["sourceHost", "sourceName"],
    may: ["sourcePath"],
    build: "never",
    driver: "libvirt-daemon-driver-storage-gluster",
  },
};

/** Whether sources of a type can be looked for. */
export function isFoundType(type: string): type is FoundType {
  return Object.hasOwn(FOUND_TYPES, type);
}

/** Types whose volumes are files, and so have formats. */
export const FILE_TYPES: ReadonlySet<string> = new Set(["dir", "fs", "netfs", "gluster", "vstorage"]);
/** Types in which libvirt can make volumes at all. */
export const FIXED_TYPES: ReadonlySet<string> = new Set(["iscsi", "iscsi-direct", "scsi", "mpath"]);
/** Types whose volumes lie below the target's path, and nothing else does. */
export const PATH_TYPES: ReadonlySet<string> = new Set(["dir", "fs", "netfs", "logical", "zfs"]);

/** Fault of a pool's fields: a required one is missing, or one has no meaning for this type. */
export function poolFieldFault(
  type: PoolType,
  given: Readonly<Partial<Record<PoolField, string>>>,
): string | undefined {
  const { needs, may } = POOL_KINDS[type];
  const missing = needs.find((field) => given[field] === undefined);
  if (missing !== undefined) return `${missing} is missing: a pool of type ${type} needs it`;
  const strange = POOL_FIELDS.find((field) =>
    given[field] !== undefined && !needs.includes(field) && !may.includes(field)
  );
  if (strange !== undefined) return `${strange} means nothing to a pool of type ${type}`;
  if ((given.username === undefined) !== (given.secret === undefined)) {
    return "username and secret are given together, or not at all";
  }
  return undefined;
}

/** Folders of the system that no pool may take over, whatever an administrator typed. */
const SYSTEM = /^\/(?:(?:bin|boot|dev|etc|lib|lib32|lib64|proc|root|run|sbin|sys|usr)(?:\/|$)|$)|^\/var\/?$/;
/** Folders below those that are there for it. */
const MEANT = /^\/(?:run\/media|dev\/(?:disk\/by-(?:path|id|uuid)|mapper)$)/;

/** Why a folder cannot be a pool's place; undefined when it can. */
export function targetFault(type: PoolType, path: string): string | undefined {
  if (!path.startsWith("/")) return "path must begin with /";
  if (path.split("/").some((part) => part === ".." || part === ".")) return "path must not contain . or ..";
  const isFolder = type === "dir" || type === "fs" || type === "netfs";
  if (isFolder && SYSTEM.test(path.replaceAll(/\/{2,}/g, "/")) && !MEANT.test(path)) {
    return `${path} belongs to the system`;
  }
  return undefined;
}
