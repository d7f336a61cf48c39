/** Templates: VMs kept as they were, from which any number of new ones are made. */
import Type, { type Static } from "typebox";
import { FIRMWARES } from "./choices.ts";
import { CloudInit } from "./cloud_init.ts";
import { BinReceipt, PERMANENTLY } from "./bin.ts";
import { command } from "./command.ts";
import { ConfigFinding } from "./finding.ts";
import { BackingPlace, ImagePlace, VmConfig, VmName } from "./create.ts";
import { MOST_NEW_VMS, SEALS } from "./template_bounds.ts";
import { CLEARABLE, closed, oneOf, SentenceText, Timestamp } from "./schema.ts";
import { ProjectName } from "./vm.ts";

/** Most templates a host can have, and versions a template. */
export const MOST_TEMPLATES = 200;
export const MOST_TEMPLATE_VERSIONS = 50;
const TEMPLATE_ID = { minLength: 1, maxLength: 64, pattern: "^[0-9A-Za-z-]+$" } as const;
const TemplateId = Type.String({ ...TEMPLATE_ID, description: "id of the template" });
const TemplateName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[A-Za-z0-9_][A-Za-z0-9._-]*$",
  description:
    "letters, digits, dots, dashes and underscores; begins with a letter, a digit or an underscore",
});
const DESCRIPTION = {
  maxLength: 1000,
  pattern: "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]*$",
} as const;
const poolFor = (description: string) =>
  Type.Optional(Type.String({ minLength: 1, maxLength: 256, description }));
const version = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000, description }));

/** A disk of a template: a volume that is not written to. */
export const TemplateDisk = Type.Object({
  target: Type.String({ description: "vda, sda, …" }),
  pool: Type.String(),
  volume: Type.String(),
  path: Type.String(),
  capacityBytes: Type.Integer({ description: "what a guest sees" }),
  allocationBytes: Type.Integer({ description: "what it takes on the host" }),
});
export type TemplateDisk = Static<typeof TemplateDisk>;

export const TemplateVersion = Type.Object({
  version: Type.Integer(),
  createdAt: Timestamp,
  createdBy: Type.String(),
  source: SentenceText({ description: "name that the VM had of which it was made, or the image" }),
  cpuCount: Type.Integer(),
  memoryMb: Type.Integer(),
  firmware: oneOf(FIRMWARES),
  osType: Type.Optional(oneOf(["linux", "windows", "other"])),
  osVariant: Type.Optional(Type.String({ description: "libosinfo short id, e.g. debian12" })),
  disks: Type.Array(TemplateDisk),
});
export type TemplateVersion = Static<typeof TemplateVersion>;

/** A VM that was made of a template, while it is there. */
export const TemplateVm = Type.Object({
  vmId: Type.String(),
  name: Type.String(),
  version: Type.Integer(),
  linked: Type.Boolean({ description: "its disks need those of the template" }),
  createdAt: Timestamp,
});
export type TemplateVm = Static<typeof TemplateVm>;

export const Template = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: Type.String(),
  createdAt: Timestamp,
  versions: Type.Array(TemplateVersion, { description: "the newest first" }),
  vms: Type.Array(TemplateVm, { description: "the VMs made of it that are still there, and may be seen" }),
  missing: Type.Optional(Type.Array(Type.String(), {
    description: "files of it that are gone, as after an older state was put back: no VM is made of them",
  })),
});
export type Template = Static<typeof Template>;

const { osType, osVariant, cpuCount, memoryMb, diskSizeGb, firmware, tpm, network } = VmConfig.properties;

/** Source of a version: a VM that is off, or an image with a configuration; and the items to remove from its guest. */
const MADE_OF = {
  vmId: Type.Optional(
    Type.String({ minLength: 1, maxLength: 128, description: "UUID of the VM that it is made of" }),
  ),
  image: Type.Optional(
    Type.Unsafe<string>({
      ...ImagePlace,
      description: "image in a storage pool that it is made of instead of a VM: pool/volume, or its path",
    }),
  ),
  backingFile: Type.Optional(BackingPlace),
  osType,
  osVariant,
  cpuCount,
  memoryMb,
  firmware,
  tpm,
  network,
  diskSizeGb: Type.Optional(
    Type.Unsafe<number>({
      ...diskSizeGb,
      description: "GiB that the image is made larger to; without image and vmId, of an empty disk",
    }),
  ),
  seal: Type.Optional(
    Type.Array(oneOf(SEALS), {
      maxItems: SEALS.length,
      uniqueItems: true,
      description:
        "what is removed from a Linux guest in the new disks, with libguestfs; nothing is when it is left out",
    }),
  ),
};

/** As with `vm create`. */
const MADE_OF_FLAGS = { vm: "vmId", cpus: "cpuCount", memory: "memoryMb", os: "osVariant" };

const COPYING = [
  "VmNotFound",
  "VmMustBeOff",
  "VmNotPersistent",
  "TemplateRefused",
  "DiskNotClonable",
  "DiskRefused",
  "DiskExceedsPool",
  "StoragePoolNotFound",
  "StoragePoolNotActive",
  "StoragePoolReadOnly",
  "VolumeInUse",
  "StorageBusy",
  "TemplateFailed",
  "TemplateNotSealed",
  "InvalidCpuCount",
  "InvalidMemorySize",
  "InvalidDiskSize",
  "MemoryExceedsHost",
  "PathRefused",
  "DiskNotFound",
  "DiskInUse",
  "NetworkNotFound",
  "NotOnThisHost",
  "JobCancelled",
  "StoreUnavailable",
] as const;

const Definition = Type.String({ minLength: 1, maxLength: 400_000, description: "libvirt's XML" });

/** A version as another host takes it. */
export const TemplateExport = Type.Object({
  name: Type.String(),
  description: Type.String(),
  version: TemplateVersion,
  definition: Definition,
  variables: Type.Optional(Type.Object({ pool: Type.String(), volume: Type.String() }, {
    description: "the volume with its UEFI variables",
  })),
});
export type TemplateExport = Static<typeof TemplateExport>;

const ImportedVolume = Type.String({ minLength: 1, maxLength: 255, description: "volume of the pool" });

export const templateCommands = {
  export_template: command({
    summary: "Show what a version of a template consists of",
    description:
      "Its definition, and the volumes with its disks and UEFI variables, as import_template takes them.",
    role: "administrator",
    permission: "templates.manage",
    input: closed({ templateId: TemplateId, version: version("the newest when left out") }),
    output: TemplateExport,
    errors: ["TemplateNotFound", "TemplateVersionNotFound", "StoreUnavailable"],
    route: "GET /templates/{templateId}/definition",
    cli: ["template", "definition", "<templateId>"],
    readOnly: true,
  }),
  import_template: command({
    summary: "Make a template of volumes and a definition",
    description:
      "The volumes are the template's from then on; they are qcow2 images that stand alone, and no VM has them. What of the " +
      "definition is of another host is left out, and told.",
    role: "administrator",
    permission: "templates.manage",
    input: closed({
      name: TemplateName,
      description: Type.Optional(Type.String(DESCRIPTION)),
      definition: Definition,
      pool: Type.String({ minLength: 1, maxLength: 256, description: "the pool that has its volumes" }),
      disks: Type.Array(
        closed({
          target: Type.String({
            minLength: 3,
            maxLength: 8,
            pattern: "^[a-z]+$",
            description: "vda, sda, …",
          }),
          volume: ImportedVolume,
        }),
        { minItems: 1, maxItems: 64 },
      ),
      variables: Type.Optional({ ...ImportedVolume, description: "the volume with its UEFI variables" }),
      source: Type.Optional(Type.String({ maxLength: 256, description: "what it was made of" })),
    }),
    output: Type.Object({ ...Template.properties, warnings: Type.Array(SentenceText()) }),
    errors: [
      "TemplateExists",
      "TooManyTemplates",
      "TemplateRefused",
      "TemplateFailed",
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "VolumeNotFound",
      "VolumeInUse",
      "DiskRefused",
      "StorageBusy",
      "StoreUnavailable",
    ],
    route: "POST /templates/imported",
    makesAt: "/templates/{id}",
    cli: ["template", "import", "<name>"],
    examples: [
      `kvm-manager template import lab --definition '<domain/>' --pool default --disks '[{"target":"vda","volume":"lab.qcow2"}]'`,
    ],
    alsoNeeds: [{ permission: "storage.operate" }],
    readOnly: false,
  }),
  list_templates: command({
    summary: "List templates",
    role: "viewer",
    input: closed({}),
    output: Type.Array(Template),
    errors: ["StoreUnavailable"],
    route: "GET /templates",
    cli: ["template", "list"],
    lookup: { fields: ["templateId"], by: "name", more: "description", missing: "TemplateNotFound" },
    columns: ["name", "description", "createdAt"],
    wide: ["id"],
    readOnly: true,
  }),
  get_template: command({
    summary: "Show a template with its versions and the VMs made of it",
    role: "viewer",
    input: closed({ templateId: TemplateId }),
    output: Template,
    errors: ["TemplateNotFound", "StoreUnavailable"],
    route: "GET /templates/{templateId}",
    cli: ["template", "show", "<templateId>"],
    readOnly: true,
  }),
  create_template: command({
    summary: "Create a template of a stopped VM, of a disk image, or with an empty disk",
    description:
      "Of a VM (vmId): copies every disk into volumes of the template's own, which are not written to, and keeps the VM's " +
      "hardware. The VM stays as it is. Of what is special to the VM, its id, its MAC addresses, its group, its screen " +
      "passwords and its media are left out. Of an image (image), such as a cloud image: copies that, and has the " +
      "hardware that create_vm would give to a VM with these fields. Of neither (diskSizeGb): has that, and an empty disk, " +
      "for systems that are installed. What is inside the disks is copied as it is, but " +
      "for what seal names: see docs/templates.md. Answers when everything is copied; meanwhile it is a job (list_jobs) " +
      "that can be cancelled.",
    role: "administrator",
    permission: "templates.manage",
    input: closed({
      name: TemplateName,
      description: Type.Optional(Type.String(DESCRIPTION)),
      ...MADE_OF,
      pool: poolFor("pool for its disks, which must keep files; else each disk's own, where that does"),
    }),
    exampleFields: ["vmId"],
    output: Template,
    errors: [...COPYING, "TemplateExists", "TooManyTemplates"],
    joins: true,
    route: "POST /templates",
    cli: ["template", "create", "<name>"],
    flags: MADE_OF_FLAGS,
    examples: [
      "kvm-manager template create web --vm web1",
      "kvm-manager template create web --vm web1 --seal machine-id,cloud-init --no-wait",
      "kvm-manager template create debian --image default/debian-12.qcow2 --os debian12 --cpus 2 --memory 2G",
    ],
    alsoNeeds: [{ permission: "storage.operate" }],
    readOnly: false,
  }),
  update_template: command({
    summary: "Change a template, or give it a new version",
    description:
      "What is left out stays. With a VM, which must be off, or an image, a further version is made of it as create_template would; " +
      "the versions before stay until they are deleted.",
    role: "administrator",
    permission: "templates.manage",
    input: closed({
      templateId: TemplateId,
      name: Type.Optional(TemplateName),
      description: Type.Optional(Type.String({ ...DESCRIPTION, ...CLEARABLE })),
      ...MADE_OF,
      pool: poolFor("pool for the disks of the new version"),
    }),
    output: Template,
    errors: [...COPYING, "TemplateNotFound", "TemplateExists", "TooManyTemplates"],
    joins: true,
    route: "PATCH /templates/{templateId}",
    cli: ["template", "update", "<templateId>"],
    examples: ["kvm-manager template update web --vm web-patched"],
    alsoNeeds: [{ permission: "storage.operate" }],
    flags: MADE_OF_FLAGS,
    readOnly: false,
  }),
  delete_template: command({
    summary: "Delete a template, or a version of it, with its disks",
    description: "Refused while a linked VM, or a volume, is built on its disks. VMs with full copies stay.",
    role: "administrator",
    permission: "templates.manage",
    input: closed({
      templateId: TemplateId,
      version: version("only this one; else all of it"),
      permanently: PERMANENTLY,
    }),
    output: Type.Object({
      bin: Type.Union([BinReceipt, Type.Null()], {
        description: "where it is kept; null: it is gone for good",
      }),
    }),
    errors: [
      "TemplateNotFound",
      "TemplateVersionNotFound",
      "TemplateInUse",
      "StorageBusy",
      "StorageUnknown",
      "TemplateFailed",
      "StoreUnavailable",
    ],
    route: "DELETE /templates/{templateId}",
    cli: ["template", "delete", "<templateId>"],
    alsoNeeds: [{ permission: "storage.operate" }],
    destroys:
      "the template's disks, once their time in the bin is over; at once what the bin cannot keep, and with --permanently. The VMs made of it stay",
    readOnly: false,
  }),
  create_vm_from_template: command({
    summary: "Create VMs from a template",
    description:
      "Each has an id, MAC addresses, UEFI variables and an empty TPM of its own. Its disks keep only what changes and " +
      "need the template's (linked), or are full copies. With cloud-init, each gets a seed with a new instance-id and " +
      "its own name as host name. They are made one after the other: when one fails or the job is cancelled, that one " +
      "is taken back and the ones before stay. Answers when all are there; meanwhile it is a job (list_jobs).",
    role: "administrator",
    permission: "vms.administer",
    input: closed({
      templateId: TemplateId,
      name: Type.String({
        minLength: 1,
        maxLength: 64,
        pattern: "^[A-Za-z_][A-Za-z0-9_.#-]*$",
        description:
          "name of the VM; of several, # stands for the number (web-## → web-01), which else is put behind it (web-1)",
      }),
      count: Type.Optional(Type.Integer({ minimum: 1, maximum: MOST_NEW_VMS, default: 1 })),
      first: Type.Optional(
        Type.Integer({ minimum: 0, maximum: 999_999, default: 1, description: "number of the first" }),
      ),
      version: version("the newest when left out"),
      linked: Type.Optional(Type.Boolean({ default: true, description: "overlays instead of copies" })),
      pool: poolFor("pool for the disks; else those of the template's"),
      cloudInit: Type.Optional(CloudInit),
      start: Type.Optional(Type.Boolean({ default: false, description: "start each once all are there" })),
      project: Type.Optional(Type.String({
        ...ProjectName,
        description: "project of this KVM Manager that they are in: its quota must have room",
      })),
    }),
    output: Type.Object({
      vms: Type.Array(Type.Object({ vmId: Type.String(), name: VmName })),
      notStarted: Type.Array(Type.Object({ name: Type.String(), reason: SentenceText() })),
      warnings: Type.Array(ConfigFinding),
    }),
    errors: [
      "ProjectNotFound",
      "QuotaExceeded",
      "HostInMaintenance",
      "TemplateNotFound",
      "TemplateVersionNotFound",
      "InvalidName",
      "VmNameExists",
      "NvramLeft",
      "MemoryLeft",
      "DiskNotClonable",
      "DiskRefused",
      "DiskExceedsPool",
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "StoragePoolReadOnly",
      "StorageBusy",
      "VolumeInUse",
      "CloudInitFailed",
      "TemplateVmFailed",
      "JobCancelled",
      "StoreUnavailable",
    ],
    joins: true,
    route: "POST /templates/{templateId}/vms",
    makesVms: true,
    cli: ["template", "create-vms", "<templateId>", "<name>"],
    examples: [
      "kvm-manager template create-vms web web-## --count 3 --start",
      "kvm-manager template create-vms debian web-## --count 3 --user me --ssh-key ~/.ssh/id_ed25519.pub --start",
      "kvm-manager template create-vms web web-copy --no-linked",
    ],
    readOnly: false,
  }),
};
