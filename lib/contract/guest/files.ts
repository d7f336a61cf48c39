/** Files of a guest: listed, read, written, copied in and out. All that a guest tells is its own word. */
import Type, { type Static } from "typebox";
import { command } from "../command.ts";
import { closed, ForeignTimestamp, NOTHING_OUT, oneOf, SECRET, VmId } from "../schema.ts";
import { ByteCount, Encoding, FILE, FILES, GuestPath, Sha256 } from "./common.ts";

/** Path of a guest file's content, below `/api/v1`: PUT and GET, with `?path=`. */
export const GUEST_CONTENT_PATH = "/vms/{vmId}/guest/content";

/** Path of a guest folder as a tar file, likewise. */
const GUEST_FOLDER_PATH = "/vms/{vmId}/guest/folder";

/** Bytes of a file that are read or written at once. */
export const MOST_FILE = 512 * 1024;

/** Asks for one path in a guest. */
const ONE_PATH = closed({ vmId: VmId, path: GuestPath });

/** Common fields of copies, and their errors. */
const COPY = { ...FILE, privateTask: true, contentFields: ["path"] } as const;
const COPY_FROM = [...FILES, "ContentExpected", "GuestCopyFailed"] as const;
const COPY_TO = [...COPY_FROM, "EncodedBody", "FileExpected", "UploadBroken", "JobCancelled"] as const;

/** Permissions. */
const FileMode = Type.String({ maxLength: 4, pattern: "^[0-7]{3,4}$", description: "0755" });

export const GUEST_FILE_KINDS = ["file", "folder", "link", "other"] as const;

export const GuestFile = Type.Object({
  name: Type.String(),
  kind: oneOf(GUEST_FILE_KINDS),
  size: Type.Integer(),
  modifiedAt: ForeignTimestamp,
  mode: Type.String({ description: "0644" }),
  owner: Type.String(),
  group: Type.String(),
});
export type GuestFile = Static<typeof GuestFile>;

export const guestFileCommands = {
  guest_list_files: command({
    summary: "List a folder in a guest",
    ...FILE,
    input: ONE_PATH,
    output: Type.Object({
      path: Type.String(),
      files: Type.Array(GuestFile),
      truncated: Type.Boolean({ description: "the folder has more than are listed" }),
    }),
    errors: FILES,
    route: "GET /vms/{vmId}/guest/files",
    cli: ["guest", "list", "<vmId>", "<path>"],
    examples: ["kvm-manager guest list web1 /etc"],
    rows: "files",
    columns: ["name", "kind", "size", "mode", "owner", "modifiedAt"],
    readOnly: true,
    audited: true,
  }),
  guest_read_file: command({
    summary: "Read a part of a file in a guest",
    description: "For whole files of any size: guest_copy_from.",
    ...FILE,
    input: closed({
      vmId: VmId,
      path: GuestPath,
      offset: Type.Optional(ByteCount),
      length: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_FILE, description: "bytes" })),
      encoding: Encoding,
    }),
    output: Type.Object({
      content: Type.String(),
      length: Type.Integer({ description: "bytes that were read" }),
      isEnd: Type.Boolean({ description: "the file ends there" }),
    }),
    errors: FILES,
    route: "GET /vms/{vmId}/guest/file",
    cli: ["guest", "read", "<vmId>", "<path>"],
    examples: ["kvm-manager guest read web1 /etc/hostname"],
    readOnly: true,
    audited: true,
  }),
  guest_write_file: command({
    summary: "Write a small file in a guest",
    description:
      "It takes the place of what is there, or is appended to it. For files of any size: guest_copy_to.",
    ...FILE,
    input: closed({
      vmId: VmId,
      path: GuestPath,
      content: Type.String({ maxLength: 700_000, description: "the audit log does not keep it", ...SECRET }),
      encoding: Encoding,
      append: Type.Optional(Type.Boolean({ default: false })),
    }),
    output: Type.Object({ length: Type.Integer({ description: "bytes that were written" }) }),
    errors: FILES,
    route: "PUT /vms/{vmId}/guest/file",
    cli: ["guest", "write", "<vmId>", "<path>"],
    examples: ["kvm-manager guest write web1 /etc/motd --content-file motd.txt"],
    readOnly: false,
  }),
  guest_create_folder: command({
    summary: "Create a folder in a guest",
    description: "With the folders above it that are missing. One that is there stays as it is.",
    ...FILE,
    input: closed({ vmId: VmId, path: GuestPath, mode: Type.Optional(FileMode) }),
    output: NOTHING_OUT,
    errors: FILES,
    route: "POST /vms/{vmId}/guest/folders",
    cli: ["guest", "create-folder", "<vmId>", "<path>"],
    examples: ["kvm-manager guest create-folder web1 /srv/site"],
    readOnly: false,
  }),
  guest_copy_to: command({
    summary: "Copy a file into a guest",
    description:
      "PUT the file itself, with `?path=` of where it goes. Until all of it is there it lies next to that as " +
      "`PATH.kvm-manager-part`. It is a job: cancel_job ends and removes it.",
    ...COPY,
    input: closed({
      vmId: VmId,
      path: GuestPath,
      size: Type.Optional(ByteCount),
      mode: Type.Optional(FileMode),
      checksum: Type.Optional(Sha256),
    }),
    output: Type.Object({
      path: Type.String(),
      size: ByteCount,
      sha256: Type.String({ description: "of the content that arrived" }),
      verified: Type.Boolean({ description: "the guest has counted the same checksum of what it wrote" }),
    }),
    errors: [...COPY_TO, "ChecksumMismatch"],
    route: `PUT ${GUEST_CONTENT_PATH}`,
    cli: ["guest", "copy-to", "<vmId>", "<path>"],
    examples: ["kvm-manager vm cp app.conf web1:/etc/app.conf"],
    readOnly: false,
    content: "upload",
    contentFields: ["path", "mode", "checksum"],
  }),
  guest_copy_from: command({
    summary: "Copy a file out of a guest",
    description:
      "GET the file itself, with `?path=`. Of files whose size the guest knows, Range gives a part.",
    ...COPY,
    input: ONE_PATH,
    output: Type.Object({
      name: Type.String(),
      size: Type.Union([ByteCount, Type.Null()], { description: "null: it is known at the end alone" }),
    }),
    errors: [...COPY_FROM, "PreconditionFailed", "RangeNotSatisfiable"],
    route: `GET ${GUEST_CONTENT_PATH}`,
    cli: ["guest", "copy-from", "<vmId>", "<path>"],
    examples: ["kvm-manager vm cp web1:/var/log/syslog ."],
    readOnly: true,
    audited: true,
    content: "download",
  }),
  guest_copy_folder_to: command({
    summary: "Copy a folder into a guest",
    description: "PUT it as a tar file, with `?path=`. Links are left out. A copy that fails stays in part.",
    ...COPY,
    input: closed({ vmId: VmId, path: GuestPath, size: Type.Optional(ByteCount) }),
    output: Type.Object({
      files: Type.Integer(),
      folders: Type.Integer(),
      size: Type.Integer(),
      verified: Type.Boolean(),
    }),
    errors: COPY_TO,
    route: `PUT ${GUEST_FOLDER_PATH}`,
    cli: ["guest", "copy-folder-to", "<vmId>", "<path>"],
    examples: ["kvm-manager guest copy-folder-to web1 /srv/site --from site.tar"],
    readOnly: false,
    content: "upload",
  }),
  guest_copy_folder_from: command({
    summary: "Copy a folder out of a guest",
    description: "GET it as a tar file, with `?path=`, without links.",
    ...COPY,
    input: ONE_PATH,
    output: Type.Object({ name: Type.String(), size: ByteCount }),
    errors: COPY_FROM,
    route: `GET ${GUEST_FOLDER_PATH}`,
    cli: ["guest", "copy-folder-from", "<vmId>", "<path>"],
    examples: ["kvm-manager guest copy-folder-from web1 /etc/nginx --out nginx.tar"],
    readOnly: true,
    audited: true,
    content: "download",
  }),
};
