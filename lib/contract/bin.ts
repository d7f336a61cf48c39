/** The bin: what was deleted, until when it can come back, and what it takes. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { closed, NOTHING_OUT, oneOf, SentenceText, Timestamp } from "./schema.ts";
import { PoolName } from "./storage.ts";

/** Kinds of entries in the bin. */
export const BIN_KINDS = ["vm", "volume", "template"] as const;
export type BinKind = typeof BIN_KINDS[number];

/** Days something is kept, where nothing else is set. */
export const BIN_DAYS = { least: 0, usual: 7, most: 365 } as const;
/** Share of a pool that stays free, in percent: below it the oldest entries of that pool go. */
export const BIN_FREE_PERCENT = { least: 0, usual: 5, most: 50 } as const;

const EntryId = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[0-9A-Za-z-]+$",
  description: "id of the entry",
});
const Bytes = Type.Integer({ description: "what it takes on the host" });

/** Place of a deleted object in the bin, and the time that it is kept until. */
export const BinReceipt = Type.Object({
  entryId: Type.String({ description: "for restore_bin_entry" }),
  until: Timestamp,
  paths: Type.Array(Type.String(), { description: "the disks that are kept with it, as they were named" }),
});
export type BinReceipt = Static<typeof BinReceipt>;

/** The field of what is deleted for good at once. */
export const PERMANENTLY = Type.Optional(
  Type.Boolean({ default: false, description: "deletes it for good: it does not go into the bin" }),
);

/** A file that is kept. */
export const BinFile = Type.Object({
  path: Type.String({ description: "where it was" }),
  pool: Type.Union([Type.String(), Type.Null()], { description: "null: it was in no storage pool" }),
  bytes: Bytes,
});
export type BinFile = Static<typeof BinFile>;

export const BinEntry = Type.Object({
  id: Type.String(),
  kind: oneOf(BIN_KINDS),
  name: Type.String({ description: "of the VM or the template; pool/volume" }),
  host: Type.Optional(Type.String({ description: "missing: the local host" })),
  // Not vmId: the rights to a VM that is gone cannot be found by that, and its name would be hidden.
  uuid: Type.Optional(Type.String({ description: "UUID of the VM" })),
  group: Type.Optional(Type.String({ description: "group of the VM" })),
  deletedAt: Timestamp,
  until: Timestamp,
  deletedBy: Type.String(),
  bytes: Bytes,
  files: Type.Array(BinFile),
  lost: Type.Array(Type.String(), { description: "what could not be kept, and was deleted for good" }),
  missing: Type.Array(Type.String(), { description: "files of it that are gone from the bin" }),
  found: Type.Boolean({
    description: "found in a pool's folder, by the note next to its files: the database did not know it",
  }),
});
export type BinEntry = Static<typeof BinEntry>;

export const BinPolicy = Type.Object({
  days: Type.Integer({ description: "days until something is deleted for good; 0: the bin is off" }),
  freePercent: Type.Integer({
    description: "share of a storage pool that stays free: below it the oldest entries there are deleted",
  }),
});
export type BinPolicy = Static<typeof BinPolicy>;

export const BinUsage = Type.Object({
  bytes: Type.Integer({ description: "what all of it takes" }),
  pools: Type.Array(
    Type.Object({ pool: Type.String(), bytes: Bytes, entries: Type.Integer() }),
    { description: "what it takes of each storage pool" },
  ),
  policy: BinPolicy,
  held: Type.Optional(Type.String({ description: "why nothing is removed by age at the moment" })),
});
export type BinUsage = Static<typeof BinUsage>;

const ONE = { entryId: EntryId };

export const binCommands = {
  list_bin: command({
    summary: "List what is in the bin, the newest first",
    description: "What somebody may delete, they see here once it was deleted, and nothing else.",
    role: "viewer",
    permission: "signed-in",
    input: closed({}),
    output: Type.Array(BinEntry),
    errors: ["StoreUnavailable"],
    route: "GET /bin",
    cli: ["bin", "list"],
    lookup: { fields: ["entryId"], by: "name", more: "kind", missing: "BinEntryNotFound" },
    columns: ["name", "kind", "deletedAt", "until", "deletedBy", "bytes"],
    wide: ["id", "host", "lost"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  get_bin_usage: command({
    summary: "Show what the bin takes of each storage pool, and how long it keeps things",
    description: "Of what who asks sees in it.",
    role: "viewer",
    permission: "signed-in",
    input: closed({}),
    output: BinUsage,
    errors: ["StoreUnavailable"],
    route: "GET /bin/usage",
    cli: ["bin", "usage"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  restore_bin_entry: command({
    summary: "Bring something back from the bin",
    description:
      "A VM has its UUID, MAC addresses, disks, UEFI variables, TPM and snapshots again. Under another name it keeps its " +
      "UUID and MAC addresses, too, unless another VM has them by now; the answer says what is not as it was.",
    role: "operator",
    permission: "signed-in",
    input: closed({
      ...ONE,
      name: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 200,
          description: "another name, where its own was taken meanwhile",
        }),
      ),
    }),
    output: Type.Object({
      kind: oneOf(BIN_KINDS),
      name: Type.String({ description: "what it is called now" }),
      vmId: Type.Optional(Type.String({ description: "UUID of the VM" })),
      warnings: Type.Array(SentenceText(), { description: "what is not as it was" }),
    }),
    errors: [
      "QuotaExceeded",
      "HostInMaintenance",
      "BinEntryNotFound",
      "BinNameTaken",
      "BinRestoreFailed",
      "InvalidName",
      "VmIdTaken",
      "MacInUse",
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "StorageBusy",
      "StoreUnavailable",
    ],
    route: "POST /bin/{entryId}/restore",
    cli: ["bin", "restore", "<entryId>"],
    examples: ["kvm-manager bin restore web1", "kvm-manager bin restore web1 --name web1-restored"],
    onAnyHost: true,
    readOnly: false,
  }),
  delete_bin_entry: command({
    summary: "Delete something in the bin for good",
    role: "operator",
    permission: "signed-in",
    input: closed(ONE),
    output: NOTHING_OUT,
    errors: ["BinEntryNotFound", "BinDeleteFailed", "BinEntryInUse", "StorageUnknown", "StoreUnavailable"],
    route: "DELETE /bin/{entryId}",
    cli: ["bin", "delete", "<entryId>"],
    destroys: "what is kept of it: it cannot come back",
    onAnyHost: true,
    readOnly: false,
  }),
  empty_bin: command({
    summary: "Delete everything in the bin for good, or what is in one storage pool",
    role: "administrator",
    input: closed({ pool: Type.Optional(PoolName) }),
    output: Type.Object({
      deleted: Type.Integer({ description: "entries that are gone" }),
      bytes: Type.Integer({ description: "what they took" }),
      failed: Type.Array(Type.Object({ name: Type.String(), message: SentenceText() })),
    }),
    errors: ["StoreUnavailable"],
    route: "POST /bin/empty",
    cli: ["bin", "empty"],
    examples: ["kvm-manager bin empty --yes", "kvm-manager bin empty --pool default"],
    destroys: "everything in the bin, or all of one pool: it cannot come back",
    onAnyHost: true,
    readOnly: false,
  }),
  update_bin_policy: command({
    summary: "Set how long the bin keeps things, and how much of a pool stays free",
    description: "What is in the bin already keeps its time. 0 days: what is deleted is gone at once.",
    role: "administrator",
    input: closed({
      days: Type.Optional(Type.Integer({ minimum: BIN_DAYS.least, maximum: BIN_DAYS.most })),
      freePercent: Type.Optional(
        Type.Integer({ minimum: BIN_FREE_PERCENT.least, maximum: BIN_FREE_PERCENT.most }),
      ),
    }),
    output: BinPolicy,
    errors: ["StoreUnavailable"],
    route: "PUT /bin/policy",
    cli: ["bin", "policy"],
    examples: ["kvm-manager bin policy --days 14"],
    exampleFields: ["days"],
    readOnly: false,
    withoutLibvirt: true,
  }),
};
