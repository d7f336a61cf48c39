/** Images: the ISOs and disk images of all pools, where new ones come from, and what may be fetched. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { closed, NO_OUTER_BLANK, NOTHING_OUT, oneOf, SentenceText, withOthers } from "./schema.ts";
import { StorageUser } from "./storage.ts";

/** Kinds of images: `iso` goes into a drive, `disk` becomes a disk. */
export const IMAGE_KINDS = ["iso", "disk"] as const;
export type ImageKind = typeof IMAGE_KINDS[number];

export const Image = Type.Object({
  pool: Type.String(),
  name: Type.String(),
  path: Type.String(),
  kind: oneOf(IMAGE_KINDS),
  format: Type.Optional(Type.String({ description: "absent where volumes have none (LVM)" })),
  sizeBytes: Type.Integer({ description: "what it takes" }),
  virtualBytes: Type.Integer({ description: "what a guest sees" }),
  usedBy: Type.Array(StorageUser),
  isBase: Type.Boolean({ description: "other images are built on it, or a template or the bin needs it" }),
  osId: Type.Optional(Type.String({ description: "operating system that its name says" })),
  osName: Type.Optional(Type.String()),
});
export type Image = Static<typeof Image>;

/** A line of text without control characters. */
const line = (maxLength: number) =>
  Type.String({ minLength: 1, maxLength, pattern: "^[^\\u0000-\\u001f\\u007f]+$" });
const CatalogUrl = Type.String({
  minLength: 8,
  maxLength: 2048,
  pattern: "^https?://[^\\s\\u0000-\\u001f\\u007f]+$",
});

/** One image of a catalogue. */
export const CatalogImage = closed({
  id: Type.String({ minLength: 1, maxLength: 64, pattern: "^[a-z0-9][a-z0-9._-]*$" }),
  name: line(100),
  arch: Type.String({ minLength: 1, maxLength: 32, pattern: "^[a-z0-9_]+$" }),
  url: CatalogUrl,
  checksumUrl: Type.Optional(CatalogUrl),
  sha256: Type.Optional(Type.String({ pattern: "^[0-9a-fA-F]{64}$" })),
  format: oneOf(["qcow2", "raw"], { description: "what it is when it is unpacked" }),
  user: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: "^[A-Za-z_][A-Za-z0-9._-]*$" })),
  osId: Type.Optional(Type.String({ minLength: 1, maxLength: 64, pattern: "^[A-Za-z0-9][A-Za-z0-9._+-]*$" })),
  sizeBytes: Type.Optional(Type.Integer({
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
    description: "of the file at the URL",
  })),
  published: Type.Optional(Type.String({
    pattern: "^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$",
    description: "day it was published: YYYY-MM-DD",
  })),
});
export type CatalogImage = Static<typeof CatalogImage>;

const PoolName = Type.String({ minLength: 1, maxLength: 256, description: "name of the storage pool" });
const NewImageName = Type.String({
  minLength: 1,
  maxLength: 128,
  pattern: `${NO_OUTER_BLANK}[A-Za-z0-9_]([A-Za-z0-9._+@ -]*[A-Za-z0-9._+@-])?$`,
  description: "letters, digits and ._+@-, not beginning with a dot or a dash",
});
const Url = Type.String({ minLength: 1, maxLength: 4096, description: "http or https" });
/** Sizes are bounded by what JSON's numbers hold in bytes. */
const Gib = (description: string) => Type.Integer({ minimum: 1, maximum: 1_048_576, description });

/** Policy for downloads of images. */
export const ImagePolicy = closed({
  internet: Type.Boolean({ description: "public addresses may be asked" }),
  hosts: Type.Array(Type.String({ minLength: 1, maxLength: 253, pattern: "^[^\\s,]+$" }), {
    maxItems: 200,
    uniqueItems: true,
    description:
      "addresses and subnets that may be asked although they are not public; names and *.domains that may be asked as " +
      "far as they lead to public addresses",
  }),
  privateNames: Type.Boolean({
    description: "the names in hosts may lead to private networks, too; never to this host itself",
  }),
  maxImageGb: Gib("largest file, unpacked, in GiB"),
  maxVirtualGb: Gib("largest disk that an image may be, as a guest sees it, in GiB"),
  linkedImages: Type.Boolean({
    description:
      "keep images that name other files or are of foreign formats; VMs are not given them unchecked",
  }),
});
export type ImagePolicy = Static<typeof ImagePolicy>;

/** Policy until an administrator changes it. */
export const DEFAULT_IMAGE_POLICY: ImagePolicy = {
  internet: true,
  hosts: [],
  privateNames: false,
  maxImageGb: 256,
  maxVirtualGb: 4096,
  linkedImages: false,
};

const Hex = (length: number, more = {}) =>
  Type.String({
    minLength: length,
    maxLength: length,
    pattern: `^[0-9A-Fa-f]{${length}}$`,
    description: "of the file at the URL",
    ...more,
  });

export const imageCommands = {
  list_images: command({
    summary: "List the ISOs and disk images of all storage pools",
    description:
      "What VMs can be made from. Cloud-init seeds, overlays and what they are built on, and what templates, " +
      "snapshots and the bin keep are none of them.",
    role: "viewer",
    input: closed({
      vmDisks: Type.Optional(
        Type.Boolean({ description: "disks that VMs have, too, with what they are built on" }),
      ),
    }),
    output: Type.Object({
      images: Type.Array(Image),
      unread: Type.Array(Type.Object({ pool: Type.String(), reason: SentenceText() }), {
        description: "pools that do not answer: what is in them is not known",
      }),
    }),
    errors: ["StorageUnknown"],
    route: "GET /images",
    cli: ["image", "list"],
    columns: ["name", "pool", "kind", "sizeBytes", "virtualBytes", "osName", "usedBy"],
    wide: ["format", "isBase", "path"],
    rows: "images",
    readOnly: true,
  }),
  download_image: command({
    summary: "Download an image into a storage pool",
    description:
      "Give a URL, or the id of an image of the catalogue. Answers when the download has begun: it is a job. It goes " +
      "on by itself when the connection breaks off. gzip, xz, zstd and bzip2 are unpacked on the way. A VMDK, VDI, " +
      "VHD or VHDX becomes a qcow2 image: web.qcow2 of web.vmdk. Its checksum is that of the file at the URL, as it " +
      "is published; what does not match is removed.",
    role: "operator",
    input: closed({
      url: Type.Optional(Url),
      catalogId: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
      pool: Type.Optional(PoolName),
      name: Type.Optional(NewImageName),
      sha256: Type.Optional(Hex(64, withOthers("sha512", "checksumUrl"))),
      sha512: Type.Optional(Hex(128)),
      checksumUrl: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 4096,
          pattern: "^[A-Za-z]+://",
          description: "published file: SHA256SUMS, CHECKSUM, IMAGE.sha512",
        }),
      ),
      unpack: Type.Optional(oneOf(["auto", "never"], { description: "auto when left out" })),
    }),
    output: Type.Object({
      jobId: Type.String(),
      pool: Type.String(),
      name: Type.String(),
    }),
    errors: [
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "VolumeExists",
      "NotOnThisHost",
      "DiskExceedsPool",
      "StoragePoolReadOnly",
      "DiskRefused",
      "ImageUrlRefused",
      "DownloadTargetRefused",
      "ImageFetchFailed",
      "ImageUnpackFailed",
      "ImageTooLarge",
      "ImageChecksumMissing",
      "ImageChecksumAmbiguous",
      "ImageChecksumMismatch",
      "CatalogImageNotFound",
      "CatalogUnusable",
      "TooManyRequests",
      "StorageBusy",
      "JobCancelled",
    ],
    route: "POST /images",
    cli: ["image", "download"],
    examples: [
      "kvm-manager image download --catalog-id debian-12",
      "kvm-manager image download --url https://… --no-wait",
    ],
    exampleFields: ["url", "pool"],
    readOnly: false,
  }),
  list_image_catalog: command({
    summary: "List the cloud images that can be downloaded with one word",
    description: "A site sets its own list with serve --image-catalog FILE.",
    role: "viewer",
    input: closed({}),
    output: Type.Array(CatalogImage),
    errors: ["CatalogUnusable"],
    route: "GET /images/catalog",
    cli: ["image", "catalog"],
    lookup: { fields: ["catalogId"], by: "id", more: "name" },
    columns: ["id", "name", "arch", "format", "user"],
    wide: ["sizeBytes", "published", "url", "checksumUrl"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  get_image_policy: command({
    summary: "Show what may be downloaded, from where",
    role: "viewer",
    input: closed({}),
    output: ImagePolicy,
    errors: ["StoreUnavailable"],
    route: "GET /images/policy",
    cli: ["image", "policy"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  set_image_policy: command({
    summary: "Say what may be downloaded, from where",
    description:
      "What is left out stays as it is. Addresses that are not public are asked only when they are named here.",
    role: "administrator",
    changesAllHosts: true,
    input: closed({
      internet: Type.Optional(ImagePolicy.properties.internet),
      hosts: Type.Optional(ImagePolicy.properties.hosts),
      privateNames: Type.Optional(ImagePolicy.properties.privateNames),
      maxImageGb: Type.Optional(ImagePolicy.properties.maxImageGb),
      maxVirtualGb: Type.Optional(ImagePolicy.properties.maxVirtualGb),
      linkedImages: Type.Optional(ImagePolicy.properties.linkedImages),
    }),
    output: NOTHING_OUT,
    errors: ["StoreUnavailable"],
    route: "PUT /images/policy",
    cli: ["image", "set-policy"],
    exampleFields: ["internet"],
    readOnly: false,
    withoutLibvirt: true,
  }),
};
