/** Moving the content of volumes in and out over HTTP. The content itself travels as the body, not as a field. */
import Type from "typebox";
import { command } from "./command.ts";
import { closed } from "./schema.ts";

/** Where the content of a volume is, below `/api/v1`: PUT and GET. */
export const CONTENT_PATH = "/pools/{pool}/volumes/{name}/content";

/** Names as libvirt takes them: never a path. */
const PoolName = Type.String({ minLength: 1, maxLength: 255, pattern: "^[^/\\u0000-\\u001f\\u007f]+$" });
const NewVolumeName = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: "^[A-Za-z0-9_][A-Za-z0-9._+@ -]*$",
  description: "letters, digits and ._+@-, not beginning with a dot or a dash",
});
const VolumeName = Type.String({ minLength: 1, maxLength: 255, pattern: "^[^/\\u0000-\\u001f\\u007f]+$" });
const Bytes = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: "bytes" });

export const transferCommands = {
  upload_volume: command({
    summary: "Upload a file as a new volume",
    description:
      "PUT the file itself. With Content-Range (bytes FIRST-LAST/SIZE) an upload that breaks off is kept " +
      "for an hour and goes on at the offset that get_upload tells; without, it is removed. " +
      "`?checksum=` (SHA-256, hex) has the content checked. It is a job: list_jobs has its progress, cancel_job ends and removes it.",
    role: "operator",
    input: closed({
      pool: PoolName,
      name: NewVolumeName,
      size: Type.Optional(Type.Integer({
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
        description: "bytes of the whole file",
      })),
      offset: Type.Optional(Bytes),
      resumable: Type.Optional(Type.Boolean({ default: false })),
      checksum: Type.Optional(Type.String({ maxLength: 64, pattern: "^[0-9a-f]{64}$" })),
    }),
    output: Type.Object({
      pool: Type.String(),
      name: Type.String(),
      path: Type.String(),
      format: Type.Optional(Type.String({ description: "as libvirt reads it from the content" })),
      size: Bytes,
      sha256: Type.String({ description: "of the content that arrived" }),
    }),
    errors: [
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "VolumeExists",
      "DiskExceedsPool",
      "DiskRefused",
      "ContentExpected",
      "UploadRunning",
      "UploadNotFound",
      "UploadOffset",
      "UploadBroken",
      "UploadFailed",
      "ChecksumMismatch",
      "JobCancelled",
    ],
    route: `PUT ${CONTENT_PATH}`,
    cli: ["volume", "upload", "<pool>", "<name>"],
    readOnly: false,
    content: "upload",
  }),
  get_upload: command({
    summary: "Show how far an upload that broke off had come",
    role: "operator",
    input: closed({ pool: PoolName, name: VolumeName }),
    output: Type.Object({ offset: Bytes, size: Bytes }),
    errors: ["UploadNotFound"],
    route: "GET /pools/{pool}/volumes/{name}/upload",
    cli: ["volume", "upload-state", "<pool>", "<name>"],
    readOnly: true,
  }),
  download_volume: command({
    summary: "Download a volume's content",
    description: "GET the file itself, as it is stored. With Range (bytes=FIRST-) from there on.",
    role: "operator",
    input: closed({ pool: PoolName, name: VolumeName, offset: Type.Optional(Bytes) }),
    output: Type.Object({ name: Type.String(), size: Bytes, offset: Bytes }),
    errors: [
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "VolumeNotFound",
      "ContentExpected",
      "DownloadFailed",
    ],
    route: `GET ${CONTENT_PATH}`,
    cli: ["volume", "download", "<pool>", "<name>"],
    readOnly: true,
    content: "download",
  }),
};
