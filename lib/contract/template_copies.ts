/** Templates that are copied from one host to another. */
import Type from "typebox";
import { command } from "./command.ts";
import { HostName } from "./on_host.ts";
import { closed, SentenceText } from "./schema.ts";
import { PoolName } from "./storage.ts";

const TemplateName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[A-Za-z0-9_][A-Za-z0-9._-]*$",
  description: "name of the copy; left out, that of the template",
});

export const templateCopyCommands = {
  copy_template_to_host: command({
    summary: "Copy a template to another host",
    description:
      "A version, the newest unless another one is named: its disks, its UEFI variables and its definition. Answers when " +
      "everything is copied; meanwhile it is a job on this KVM Manager. The content travels as that of copy_volume_to_host: " +
      "where a line breaks, it goes on at the byte that has arrived, and SHA-256 is compared at the end. Failed or cancelled, " +
      "nothing of it stays there.",
    role: "administrator",
    permission: "templates.manage",
    input: closed({
      templateId: Type.String({
        minLength: 1,
        maxLength: 64,
        pattern: "^[0-9A-Za-z-]+$",
        description: "id of the template",
      }),
      toHost: { ...HostName, description: "the host that it is copied to" },
      toPool: Type.Optional({
        ...PoolName,
        description: "storage pool of that host for its volumes; left out, the pool of the same name there",
      }),
      name: Type.Optional(TemplateName),
      version: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
      host: Type.Optional({
        ...HostName,
        description: "the host that it is copied from; this one when left out",
      }),
    }),
    output: Type.Object({
      host: Type.String({ description: "id of the host that has the copy" }),
      templateId: Type.String(),
      name: Type.String(),
      pool: Type.String(),
      warnings: Type.Array(SentenceText(), { description: "what of it was left out, or is missing there" }),
    }),
    errors: [
      "TemplateNotFound",
      "TemplateVersionNotFound",
      "TemplateExists",
      "TooManyTemplates",
      "TemplateRefused",
      "TemplateFailed",
      "StoreUnavailable",
      "HostNotFound",
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "VolumeNotFound",
      "VolumeExists",
      "VolumeInUse",
      "VolumeCopyFailed",
      "DiskExceedsPool",
      "StoragePoolReadOnly",
      "DiskRefused",
      "ImageTooLarge",
      "UploadRunning",
      "UploadOfOther",
      "TooManyUploads",
      "UploadFailed",
      "DownloadFailed",
      "ChecksumMismatch",
      "StorageBusy",
      "LinkedHostAway",
      "LinkUndecided",
      "LinkedHostNonsense",
      "JobCancelled",
    ],
    route: "POST /templates/{templateId}/copy",
    cli: ["template", "copy", "<templateId>", "<toHost>"],
    examples: [
      "kvm-manager template copy web kvm2",
      "kvm-manager template copy web kvm2 --to-pool fast --name web-copy",
    ],
    exampleFields: ["toPool"],
    alsoNeeds: [{ permission: "storage.operate" }],
    isJob: true,
    spansHosts: true,
    readOnly: false,
  }),
};
