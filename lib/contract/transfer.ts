/** Moving the content of volumes in and out over HTTP. The content itself travels as the body, not as a field. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { ConfigFinding } from "./create.ts";
import { closed, NOTHING_OUT, oneOf } from "./schema.ts";

/** Path of a volume's content, below `/api/v1`: PUT and GET. */
export const CONTENT_PATH = "/storage/pools/{pool}/volumes/{volume}/content";

/** Names as libvirt takes them: never a path. */
const PoolName = Type.String({ minLength: 1, maxLength: 255, pattern: "^[^/\\u0000-\\u001f\\u007f]+$" });
const NewVolumeName = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: "^[A-Za-z0-9_]([A-Za-z0-9._+@ -]*[A-Za-z0-9._+@-])?$",
  description: "letters, digits and ._+@-, not beginning with a dot or a dash",
});
const VolumeName = Type.String({ minLength: 1, maxLength: 1024, pattern: "^[^/\\u0000-\\u001f\\u007f]+$" });
const Bytes = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "bytes" });

/** A volume that is not whole yet. */
export const UnfinishedUpload = Type.Object({
  volume: Type.String(),
  offset: Type.Integer({ minimum: 0, description: "bytes that have arrived" }),
  size: Type.Integer({ minimum: 1, description: "bytes of the whole file" }),
  isRunning: Type.Boolean({ description: "false: it broke off, and is kept for an hour to be gone on with" }),
});
export type UnfinishedUpload = Static<typeof UnfinishedUpload>;

export const transferCommands = {
  upload_volume: command({
    summary: "Upload a file as a new volume",
    description:
      "PUT the file itself. With Content-Range (bytes FIRST-LAST/SIZE) an upload that breaks off is kept " +
      "for an hour and goes on at the offset that get_upload tells; without, it is removed. " +
      "`?checksum=` (SHA-256, hex) has the content checked. A VMDK, VDI, VHD or VHDX becomes a qcow2 volume; gzip, xz, zstd " +
      "and bzip2 are unpacked (`?unpack=never` keeps them). It is a job: list_jobs has its progress, cancel_job ends and removes it.",
    role: "operator",
    input: closed({
      pool: PoolName,
      volume: NewVolumeName,
      size: Type.Optional(Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "bytes of the whole file",
      })),
      offset: Type.Optional(Bytes),
      resumable: Type.Optional(Type.Boolean({ default: false })),
      checksum: Type.Optional(
        Type.String({
          maxLength: 64,
          pattern: "^[0-9a-fA-F]{64}$",
          description: "SHA-256 of the file, in hex",
        }),
      ),
      unpack: Type.Optional(oneOf(["auto", "never"], { description: "auto when left out" })),
    }),
    output: Type.Object({
      pool: Type.String(),
      name: Type.String({
        description: "of the volume that it became: web.qcow2 of web.vmdk or web.qcow2.xz",
      }),
      path: Type.String(),
      format: Type.Optional(Type.String({ description: "as libvirt reads it from the content" })),
      size: Bytes,
      sha256: Type.String({ description: "of the content that arrived" }),
      warnings: Type.Array(ConfigFinding, { description: "what speaks against its being a disk or an ISO" }),
    }),
    errors: [
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "VolumeExists",
      "DiskExceedsPool",
      "StoragePoolReadOnly",
      "UploadOfOther",
      "DiskRefused",
      "ImageTooLarge",
      "ImageUnpackFailed",
      "NotOnThisHost",
      "ContentExpected",
      "EncodedBody",
      "FileExpected",
      "UploadRunning",
      "TooManyUploads",
      "UploadNotFound",
      "UploadOffset",
      "UploadBroken",
      "UploadFailed",
      "ChecksumMismatch",
      "JobCancelled",
    ],
    route: `PUT ${CONTENT_PATH}`,
    cli: ["volume", "upload", "<pool>", "<volume>"],
    examples: ["kvm-manager volume upload default disk.qcow2 --from disk.qcow2"],
    readOnly: false,
    content: "upload",
    contentFields: ["checksum", "unpack"],
  }),
  list_uploads: command({
    summary: "List the uploads into a storage pool that are not whole",
    role: "operator",
    input: closed({ pool: PoolName }),
    output: Type.Array(UnfinishedUpload),
    errors: [],
    route: "GET /storage/pools/{pool}/uploads",
    cli: ["volume", "uploads", "<pool>"],
    columns: ["volume", "offset", "size", "isRunning"],
    readOnly: true,
  }),
  get_upload: command({
    summary: "Show how far an upload that broke off had come",
    role: "operator",
    input: closed({ pool: PoolName, volume: VolumeName }),
    output: Type.Object({
      offset: Bytes,
      size: Bytes,
      isRunning: Type.Boolean({
        description: "it has not broken off: the offset is not yet where it goes on",
      }),
    }),
    errors: ["UploadNotFound"],
    route: "GET /storage/pools/{pool}/volumes/{volume}/upload",
    cli: ["volume", "upload-state", "<pool>", "<volume>"],
    readOnly: true,
  }),
  delete_upload: command({
    summary: "Delete an upload that broke off",
    description: "One that still runs is a job: cancel_job ends and removes it.",
    role: "operator",
    input: closed({ pool: PoolName, volume: VolumeName }),
    output: NOTHING_OUT,
    errors: ["UploadNotFound", "UploadRunning", "UploadOfOther"],
    route: "DELETE /storage/pools/{pool}/volumes/{volume}/upload",
    cli: ["volume", "upload-remove", "<pool>", "<volume>"],
    readOnly: false,
  }),
  download_volume: command({
    summary: "Download a volume's content",
    description:
      "GET the file itself, as it is stored, or with Range a part of it (bytes=FIRST-LAST, FIRST- or -LENGTH; one). " +
      "Its ETag changes with its content: with If-Range the rest of a download that broke off is given only if the " +
      "content is still the same, else all of it. Volumes that are no files have no ETag.",
    role: "operator",
    input: closed({ pool: PoolName, volume: VolumeName }),
    output: Type.Object({ name: Type.String(), size: Bytes }),
    errors: [
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "VolumeNotFound",
      "DiskRefused",
      "StorageBusy",
      "ContentExpected",
      "PreconditionFailed",
      "RangeNotSatisfiable",
      "DownloadFailed",
    ],
    route: `GET ${CONTENT_PATH}`,
    cli: ["volume", "download", "<pool>", "<volume>"],
    examples: ["kvm-manager volume download default disk.qcow2 --out disk.qcow2"],
    readOnly: true,
    content: "download",
  }),
};
