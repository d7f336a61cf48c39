/** Storage pools: what there is, making and removing them, starting and stopping. */
import Type, { type Static } from "typebox";
import { FOUND_TYPES, type FoundType, POOL_TYPES } from "./choices.ts";
import { command } from "./command.ts";
import { closed, NO_OUTER_BLANK, NOTHING_OUT, oneOf, SentenceText } from "./schema.ts";

/** States of a pool. `inaccessible`: libvirt cannot reach its storage. */
export const POOL_STATES = ["inactive", "building", "running", "degraded", "inaccessible"] as const;

/** Any pool there is: other programs name theirs as they like. */
export const PoolName = Type.String({
  minLength: 1,
  maxLength: 256,
  description: "name of the storage pool",
});
/** A pool of ours. */
const NewPoolName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
  description: "1-64 letters, digits, dash, underscore, dot",
});
const Line = (description: string) =>
  Type.String({
    minLength: 1,
    maxLength: 1024,
    pattern: `${NO_OUTER_BLANK}[^\\u0000-\\u001f\\u007f]+$`,
    description,
  });

/** A VM, or something else, that needs a pool or a volume. */
export const StorageUser = Type.Object({
  vmId: Type.String({
    description:
      "empty for what has no page: a VM that may not be seen, a boot test's, a template, a backup, something in the bin",
  }),
  name: Type.String(),
});
export type StorageUser = Static<typeof StorageUser>;

export const StoragePool = Type.Object({
  name: Type.String(),
  uuid: Type.String(),
  type: Type.String({ description: "dir, fs, netfs, logical, …" }),
  state: oneOf(POOL_STATES),
  capacityBytes: Type.Optional(
    Type.Integer({
      description: "absent while the pool is not active, and while its figures cannot be believed",
    }),
  ),
  allocationBytes: Type.Optional(Type.Integer()),
  availableBytes: Type.Optional(Type.Integer()),
  volumes: Type.Optional(Type.Integer({ description: "how many; absent while it is not known" })),
  path: Type.Optional(Type.String({ description: "where its volumes appear on the host" })),
  source: Type.Optional(
    Type.String({ description: "where they come from: a device, an export, a volume group" }),
  ),
  autostart: Type.Boolean(),
  persistent: Type.Boolean(),
  keepsFiles: Type.Boolean({ description: "volumes have a format (qcow2, raw)" }),
  fixed: Type.Boolean({ description: "volumes are made elsewhere (iSCSI), not here" }),
  usedBy: Type.Array(StorageUser),
});
export type StoragePool = Static<typeof StoragePool>;

export const StoragePoolType = Type.Object({
  type: oneOf(POOL_TYPES),
  available: Type.Boolean(),
  reason: Type.Optional(SentenceText({ description: "why it is not available here, and what to install" })),
  formats: Type.Array(Type.String(), { description: "formats of its source that libvirt knows" }),
});
export type StoragePoolType = Static<typeof StoragePoolType>;

/** Something a pool can be made of: fields of create_storage_pool. */
export const StorageSource = Type.Object({
  sourceHost: Type.Optional(Type.String({ description: "server" })),
  sourcePath: Type.Optional(Type.String({ description: "exported folder" })),
  sourceName: Type.Optional(Type.String({ description: "volume group, Gluster volume" })),
  device: Type.Optional(Type.String({ description: "target (IQN)" })),
});
export type StorageSource = Static<typeof StorageSource>;

const POOL_ERRORS = ["StoragePoolNotFound", "StoragePoolFailed"] as const;

export const storageCommands = {
  get_storage_pools: command({
    summary: "List storage pools",
    role: "viewer",
    input: closed({}),
    output: Type.Array(StoragePool),
    errors: ["StorageUnknown"],
    route: "GET /storage/pools",
    cli: ["pool", "list"],
    lookup: { fields: ["pool", "targetPool"], by: "name", more: "state" },
    columns: ["name", "state", "type", "capacityBytes", "availableBytes", "volumes", "autostart"],
    wide: ["path", "usedBy", "uuid"],
    readOnly: true,
  }),
  get_storage_pool: command({
    summary: "Show a storage pool",
    role: "viewer",
    input: closed({ pool: PoolName }),
    output: StoragePool,
    errors: ["StoragePoolNotFound", "StorageUnknown"],
    route: "GET /storage/pools/{pool}",
    cli: ["pool", "show", "<pool>"],
    readOnly: true,
  }),
  get_storage_pool_types: command({
    summary: "List the types of storage pools, and which of them this host can have",
    role: "viewer",
    input: closed({}),
    output: Type.Array(StoragePoolType),
    errors: [],
    route: "GET /storage/pool-types",
    cli: ["pool", "types"],
    columns: ["type", "available", "formats", "reason"],
    readOnly: true,
  }),
  find_storage_sources: command({
    summary: "Look what a storage pool can be made of: NFS exports, iSCSI targets, volume groups",
    description: "Asks the server that is named, for 25 seconds at most.",
    role: "administrator",
    input: closed({
      type: oneOf(Object.keys(FOUND_TYPES) as FoundType[]),
      sourceHost: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 255,
          pattern: "^[A-Za-z0-9_\\[][A-Za-z0-9_.:\\[\\]-]*$",
          description: "server, with :port where it is not the usual one; all types but logical",
        }),
      ),
    }),
    output: Type.Array(StorageSource),
    errors: ["StorageSourcesFailed", "NotOnThisHost"],
    route: "GET /storage/pool-sources/{type}",
    cli: ["pool", "find", "<type>"],
    exampleFields: ["sourceHost"],
    columns: ["sourceHost", "sourcePath", "sourceName", "device"],
    readOnly: true,
  }),
  create_storage_pool: command({
    summary: "Create a storage pool and start it",
    description:
      "What was made is removed again when a later step fails. With build, a file system, volume group or " +
      "partition table is made on the device: what was on it is lost. A device that has one already is refused.",
    role: "administrator",
    input: closed({
      name: NewPoolName,
      type: oneOf(POOL_TYPES),
      path: Type.Optional(Line("folder on the host; dir, fs, netfs")),
      device: Type.Optional(Line("block device of fs, logical, disk, zfs; target (IQN) of iscsi")),
      sourceHost: Type.Optional(
        Line("server, with :port where it is not the usual one; netfs, iscsi, rbd, gluster"),
      ),
      sourcePath: Type.Optional(Line("exported folder of netfs; folder in a gluster volume")),
      sourceName: Type.Optional(Line("volume group, zpool, Ceph pool or gluster volume")),
      format: Type.Optional(Line("file system, kind of share or partition table; else libvirt finds out")),
      username: Type.Optional(Line("Ceph user; with secret")),
      secret: Type.Optional(Line("UUID of libvirt's secret with the Ceph user's key")),
      build: Type.Optional(Type.Boolean({ default: false, description: "prepare the device for it" })),
      autostart: Type.Optional(Type.Boolean({ default: true, description: "start it with the host" })),
    }),
    output: StoragePool,
    errors: ["StoragePoolExists", "StoragePoolFailed", "PathRefused", "NotOnThisHost"],
    route: "POST /storage/pools",
    cli: ["pool", "create", "<name>"],
    places: ["<name>", "<type>", "[path]"],
    examples: [
      "kvm-manager pool create lab dir /srv/lab",
      "kvm-manager pool create share netfs /mnt/share --source-host nas --source-path /export/vms",
    ],
    exampleFields: ["path"],
    readOnly: false,
  }),
  start_storage_pool: command({
    summary: "Start a storage pool",
    role: "operator",
    input: closed({ pool: PoolName }),
    output: NOTHING_OUT,
    errors: [...POOL_ERRORS, "StoragePoolActive"],
    route: "POST /storage/pools/{pool}/start",
    cli: ["pool", "start", "<pool>"],
    mark: "change",
    already: ["StoragePoolActive"],
    readOnly: false,
  }),
  stop_storage_pool: command({
    summary: "Stop a storage pool",
    description: "Refused while a running VM uses it. Nothing in it is lost.",
    role: "administrator",
    input: closed({ pool: PoolName }),
    output: NOTHING_OUT,
    errors: [...POOL_ERRORS, "StoragePoolNotActive", "StoragePoolInUse", "StoragePoolNeeded", "StorageBusy"],
    route: "POST /storage/pools/{pool}/stop",
    cli: ["pool", "stop", "<pool>"],
    mark: "change",
    already: ["StoragePoolNotActive"],
    readOnly: false,
  }),
  refresh_storage_pool: command({
    summary: "Look again what is in a storage pool",
    role: "operator",
    input: closed({ pool: PoolName }),
    output: NOTHING_OUT,
    errors: [...POOL_ERRORS, "StoragePoolNotActive"],
    route: "POST /storage/pools/{pool}/refresh",
    cli: ["pool", "refresh", "<pool>"],
    readOnly: false,
  }),
  delete_storage_pool: command({
    summary: "Remove a storage pool, and what is in it if asked to",
    description: "Without deleteContent everything in it stays where it is.",
    role: "administrator",
    input: closed({
      pool: PoolName,
      deleteContent: Type.Optional(
        Type.Boolean({ default: false, description: "delete every volume, and what the pool was built on" }),
      ),
    }),
    output: NOTHING_OUT,
    errors: [
      ...POOL_ERRORS,
      "StoragePoolInUse",
      "StoragePoolNeeded",
      "StorageBusy",
      "StoragePoolReadOnly",
      "VolumeInUse",
      "VolumeDeleteFailed",
      "BinNotEmpty",
    ],
    route: "DELETE /storage/pools/{pool}",
    cli: ["pool", "delete", "<pool>"],
    destroys: "the storage pool",
    readOnly: false,
  }),
  set_storage_pool_autostart: command({
    summary: "Start a storage pool with the host, or not",
    role: "operator",
    input: closed({ pool: PoolName, autostart: Type.Boolean() }),
    output: NOTHING_OUT,
    errors: [...POOL_ERRORS, "StoragePoolNotPersistent"],
    route: "PUT /storage/pools/{pool}/autostart",
    cli: ["pool", "autostart", "<pool>", "<autostart>"],
    readOnly: false,
  }),
};
