/**
 * Manifest of a folder of backups, from which a host that knows nothing else can restore. Everything in it is from
 * outside: it is checked before it is used, and names no file by a path of its own. Pure.
 */
import Type, { type Static } from "typebox";
import { TPM_FILES, type TpmFile } from "../formats/swtpm.ts";
import { checker } from "../typebox/compile.ts";

/** The version of the format that is written, and the newest that is read. */
export const MANIFEST_VERSION = 1;
/** Bytes of a disk that are kept together, read and checked as one. */
export const CHUNK_BYTES = 2 * 1024 * 1024;
/** Largest disk that is restored, in bytes: a manifest that lies must not fill a host. */
const MOST_DISK_BYTES = 2 ** 50;
/** Most chunks of a disk, which are kept in memory: 64 TiB in chunks of {@link CHUNK_BYTES}. */
const MOST_CHUNKS = 2 ** 25;
/** Largest disk that is copied, in bytes. */
export const MOST_COPIED_BYTES = MOST_CHUNKS * CHUNK_BYTES;

const Digest = Type.String({ pattern: "^[0-9a-f]{64}$" });
const Text = (maxLength: number) => Type.String({ maxLength });
const Time = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const Size = Type.Integer({ minimum: 0, maximum: MOST_DISK_BYTES });

/** How far what was written in the guest is in it. */
export const CONSISTENCIES = ["stopped", "frozen", "crash"] as const;

/** A disk of a copy. Its file, next to the manifest, lists its chunks. */
export const ManifestDisk = Type.Object({
  target: Type.String({ pattern: "^[a-z]{2,8}$" }),
  format: Type.String({ enum: ["raw", "qcow2"] }),
  /** Size of the disk that the guest sees. */
  bytes: Size,
  /** SHA-256 of its list of chunks. */
  chunks: Digest,
  /** Identity of the image; only the same image is read incrementally. */
  image: Type.Optional(Text(4200)),
  /** Identity of the image: restored in place, the copy replaces it. */
  origin: Type.Optional(Text(4200)),
});
export type ManifestDisk = Static<typeof ManifestDisk>;

/** One VM as it was at one moment. */
export const BackupManifest = Type.Object({
  format: Type.Literal("kvm-manager-backup"),
  version: Type.Integer({ minimum: 1, maximum: MANIFEST_VERSION }),
  id: Type.String({ pattern: "^[0-9]{8}-[0-9]{6}-[0-9a-f]{8}$" }),
  backup: Type.Object({ id: Text(64), name: Text(100) }),
  run: Type.Object({ id: Text(64), startedAt: Time, actor: Text(128) }),
  host: Text(255),
  takenAt: Time,
  vm: Type.Object({ id: Text(64), name: Text(255) }),
  consistency: Type.String({ enum: [...CONSISTENCIES] }),
  chunkBytes: Type.Integer({ minimum: 65_536, maximum: 16 * 1024 * 1024, multipleOf: 65_536 }),
  disks: Type.Array(ManifestDisk, { maxItems: 256 }),
  /** SHA-256 of the definition. */
  definition: Digest,
  /** SHA-256 of the UEFI variables, where there are any. */
  nvram: Type.Optional(Digest),
  /** The state of an emulated TPM: none of these before its first start; left out where it is not known. */
  tpm: Type.Optional(
    Type.Array(Type.Object({ name: Type.String({ enum: [...TPM_FILES] }), digest: Digest }), {
      maxItems: TPM_FILES.length,
    }),
  ),
  /** Disks that are no part of it, and why. */
  left: Type.Array(Type.Object({ target: Text(32), reason: Text(300) }), { maxItems: 256 }),
  /** Bytes that this copy added to the folder. */
  storedBytes: Size,
  /** Bytes that were read of the VM's disks; fewer than they have where only what changed was. */
  readBytes: Type.Optional(Size),
});
export type BackupManifest = Static<typeof BackupManifest> & {
  readonly consistency: typeof CONSISTENCIES[number];
  readonly tpm?: readonly { readonly name: TpmFile; readonly digest: string }[];
};

const isManifest = checker(BackupManifest);

/** A folder of backups is damaged or not readable. */
export class ManifestError extends Error {
  override readonly name = "ManifestError";
}

/** Reads a manifest. @throws {ManifestError} */
export function readManifest(text: string): BackupManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ManifestError("its manifest is no JSON", { cause: error });
  }
  const { version } = (value ?? {}) as { version?: unknown };
  if (typeof version === "number" && version > MANIFEST_VERSION) {
    throw new ManifestError(`it was written by a newer KVM Manager (version ${version} of the format)`);
  }
  if (!isManifest(value)) throw new ManifestError("its manifest is damaged");
  const targets = new Set(value.disks.map(({ target }) => target));
  if (targets.size !== value.disks.length) throw new ManifestError("its manifest names a disk twice");
  if (value.tpm !== undefined && new Set(value.tpm.map(({ name }) => name)).size !== value.tpm.length) {
    throw new ManifestError("its manifest names a file of its TPM twice");
  }
  const { chunkBytes } = value;
  if (value.disks.some(({ bytes }) => bytes / chunkBytes > MOST_CHUNKS)) {
    throw new ManifestError("its manifest names a disk with more chunks than can be read");
  }
  return value as BackupManifest;
}

/** The id of a copy: when it was taken, in UTC, and something of its own. */
export const copyIdAt = (now: number, random: string): string =>
  `${new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}-${random}`;

/** Whether a name is that of a whole copy. */
export const isCopyId = (name: string): boolean => /^[0-9]{8}-[0-9]{6}-[0-9a-f]{8}$/.test(name);
