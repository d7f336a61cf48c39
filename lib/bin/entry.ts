/** Schema of an entry of the bin: as it is stored, and as the note next to its files has it. */
import Type, { type Static } from "typebox";
import { BIN_KINDS } from "../contract/bin.ts";
import { oneOf } from "../contract/schema.ts";

const text = Type.String();

/** Roles of the kept files. */
export const FILE_ROLES = ["disk", "nvram", "tpm"] as const;
export type FileRole = typeof FILE_ROLES[number];

/** A file in the bin of its folder. */
export const KeptFile = Type.Object({
  path: Type.String({ pattern: "^/", maxLength: 4096, description: "where it was" }),
  as: Type.String({ pattern: "^[0-9a-f-]{36}\\.\\d{1,4}$", description: "its name in the bin" }),
  role: oneOf(FILE_ROLES),
  file: Type.Object({ dev: Type.Number(), ino: Type.Number() }),
  pool: Type.Union([text, Type.Null()]),
  bytes: Type.Integer({ minimum: 0 }),
  backing: Type.Array(text, { description: "images that it is built on" }),
  // The format in which a VM had it: what its content looks like is its guest's choice.
  format: Type.Optional(oneOf(["raw", "qcow2"])),
});
export type KeptFile = Static<typeof KeptFile>;

/** In the place of a disk's target: UEFI variables that another VM has, too. */
export const LEFT_NVRAM = "nvram";

/** A disk that stayed where it was, and which file it was: its number, and when it was made. */
export const LeftFile = Type.Object({ target: text, path: text, file: text });
export type LeftFile = Static<typeof LeftFile>;

/** A VM's definition with what libvirt keeps with it. */
export const KeptDefinition = Type.Object({
  xml: text,
  autostart: Type.Boolean(),
  snapshots: Type.Array(Type.Object({ xml: text, isCurrent: Type.Boolean() }), {
    description: "parents before their children",
  }),
  left: Type.Optional(Type.Array(LeftFile)),
  // Its saved memory went when it was deleted: its disks are as after a power cut.
  lostMemory: Type.Optional(Type.Boolean()),
});
export type KeptDefinition = Static<typeof KeptDefinition>;

/** An entry: a deleted VM or volume. */
export const StoredEntry = Type.Object({
  id: Type.String({ pattern: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" }),
  host: Type.String({ description: "id of the host" }),
  kind: oneOf(BIN_KINDS),
  name: text,
  vmId: Type.Optional(text),
  group: Type.Optional(text),
  deletedAt: Type.Integer(),
  until: Type.Integer(),
  deletedBy: text,
  files: Type.Array(KeptFile),
  lost: Type.Array(text),
  definition: Type.Optional(KeptDefinition),
  // Of a template: what `agent/templates` keeps of it.
  template: Type.Optional(Type.Unknown()),
  found: Type.Boolean(),
  // `moving`: it goes in or out just now, or that was cut short and is settled soon.
  state: oneOf(["moving", "kept"]),
});
export type StoredEntry = Static<typeof StoredEntry>;

/** Size of an entry, in bytes. */
export const entryBytes = ({ files }: Pick<StoredEntry, "files">): number =>
  files.reduce((sum, { bytes }) => sum + bytes, 0);

/** Size of an entry's files in one pool, in bytes. */
export const bytesIn = ({ files }: Pick<StoredEntry, "files">, pool: string): number =>
  files.reduce((sum, file) => file.pool === pool ? sum + file.bytes : sum, 0);
