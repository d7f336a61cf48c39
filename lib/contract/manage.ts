/** Managing VMs whole: their XML, their names, copies of them, taking them away and bringing them in. */
import Type, { type Static } from "typebox";
import { HOST_NETWORK } from "./access_rules.ts";
import { command } from "./command.ts";
import { VmName } from "./create.ts";
import { closed, NOTHING_OUT, oneOf, SECRET, SentenceText, VmId } from "./schema.ts";
import { ProjectName } from "./vm.ts";

/** Characters of the longest domain XML taken in: libvirt's own are a tenth of it on a VM full of devices. */
export const MAX_XML = 256 * 1024;

/** XML a person wrote. */
const DomainXml = Type.String({
  minLength: 1,
  maxLength: MAX_XML,
  ...SECRET,
  description: "libvirt domain XML, UTF-8, without a document type",
});
const Etag = Type.String({
  maxLength: 64,
  pattern: "^[0-9a-f]{64}$",
  description: "version of the XML that was edited, from get_vm_xml; another one in between is refused",
});

/** Error in an XML, with its position. */
export const XmlProblem = Type.Object({
  message: SentenceText({ description: "libvirt's own words where it has some" }),
  line: Type.Optional(Type.Integer({ description: "counted from 1; absent when it is not known" })),
  element: Type.Optional(Type.String({ description: "the element it is about" })),
  attribute: Type.Optional(Type.String({ description: "the attribute of it" })),
});
export type XmlProblem = Static<typeof XmlProblem>;

/** A disk of a VM that might be deleted with it. */
export const DoomedDisk = Type.Object({
  target: Type.String({ description: "vda, sda, …" }),
  path: Type.String(),
  pool: Type.Optional(Type.String({ description: "the pool it is a volume of; absent when it is in none" })),
  capacityBytes: Type.Optional(Type.Integer({ description: "what the guest sees; absent when unknown" })),
  allocationBytes: Type.Optional(
    Type.Integer({ description: "what it takes on the host; absent when unknown" }),
  ),
  deletable: Type.Boolean(),
  reason: Type.Optional(SentenceText({ description: "why it is not deletable" })),
  forGood: Type.Optional(
    Type.String({ description: "why the bin cannot keep it: deleted, it is gone at once" }),
  ),
});
export type DoomedDisk = Static<typeof DoomedDisk>;

/** Objects that are deleted with a VM. */
export const DeletePlan = Type.Object({
  vmId: Type.String(),
  disks: Type.Array(DoomedDisk, { description: "every disk with a medium; kept unless asked for" }),
  snapshots: Type.Integer({ description: "snapshots whose records go with the VM" }),
  checkpoints: Type.Integer({ description: "backup checkpoints whose records go with the VM" }),
  managedSave: Type.Boolean({ description: "saved memory that goes with the VM" }),
  nvram: Type.Optional(Type.String({ description: "file of UEFI variables that goes with the VM" })),
  binDays: Type.Integer({ description: "days that the bin keeps it; 0: it is deleted for good" }),
});
export type DeletePlan = Static<typeof DeletePlan>;

/** A disk of a clone. */
export const ClonedDisk = Type.Object({
  target: Type.String(),
  source: Type.String(),
  path: Type.String({ description: "the clone's own disk" }),
});

/** Handling of an emulated TPM in a clone. */
export const CLONED_TPMS = ["copy", "new"] as const;
export type ClonedTpm = typeof CLONED_TPMS[number];

export const manageCommands = {
  check_vm_xml: command({
    summary: "Check an edited libvirt XML of a VM without applying it",
    description:
      "Takes set_vm_xml's fields. Against libvirt's schemas, with lines, then by libvirt's own parser and validation. " +
      "Changes nothing.",
    role: "administrator",
    input: closed({ vmId: VmId, xml: DomainXml, etag: Type.Optional(Etag) }),
    output: Type.Object({ problem: Type.Union([XmlProblem, Type.Null()]) }),
    errors: ["VmNotFound"],
    route: "POST /vms/{vmId}/xml/check",
    cli: ["vm", "check-xml", "<vmId>"],
    readOnly: true,
  }),
  set_vm_xml: command({
    plan: "check_vm_xml",
    summary: "Replace a VM's libvirt XML",
    description:
      "It is checked against libvirt's schemas first. A running VM takes it at its next start, but for tags and group, " +
      "which count at once.",
    role: "administrator",
    input: closed({ vmId: VmId, xml: DomainXml, etag: Type.Optional(Etag) }),
    output: Type.Object({
      etag: Type.String({ description: "the new version" }),
      pending: Type.Boolean({ description: "the VM runs: this is for its next start" }),
    }),
    errors: [
      "QuotaExceeded",
      "VmNotFound",
      "HasSavedMemory",
      "VmNotPersistent",
      "XmlInvalid",
      "XmlChanged",
      "XmlIdentity",
      "MacInUse",
      "PathRefused",
      "DiskRefused",
    ],
    route: "PUT /vms/{vmId}/xml",
    cli: ["vm", "set-xml", "<vmId>"],
    examples: [
      "kvm-manager vm set-xml web1 --xml-file web1.xml",
      "kvm-manager vm xml web1 | sed … | kvm-manager vm set-xml web1 --xml -",
    ],
    mark: "change",
    readOnly: false,
  }),
  rename_vm: command({
    summary: "Rename a stopped VM",
    role: "operator",
    input: closed({ vmId: VmId, name: VmName }),
    output: NOTHING_OUT,
    errors: [
      "VmNotFound",
      "InvalidName",
      "VmNameExists",
      "VmMustBeOff",
      "VmNotPersistent",
      "NvramLeft",
      "MemoryLeft",
      "RenameFailed",
    ],
    route: "POST /vms/{vmId}/rename",
    cli: ["vm", "rename", "<vmId>", "<name>"],
    readOnly: false,
  }),
  clone_vm: command({
    summary: "Copy a VM",
    description: "Every disk it writes to is copied, or linked: a linked disk keeps only what changes and " +
      "needs the original's disk: the original does not start while it is there; raw disks are not linked. " +
      "A running or paused VM goes on, and only full copies are made of it: its disks are copied as they are at one moment, as after a power cut, " +
      "or with the file systems frozen where a guest agent answers; its memory is not copied. CDs and shared disks are used by both, but a " +
      "cloud-init seed stays with the original: its drive is empty in the copy. Shared folders stay with the original, too. " +
      "The copy has an id, a name, MAC addresses and UEFI variables of its own, and a copy of the state of an emulated " +
      "TPM, or a new one. Answers when everything is copied; meanwhile it is a job (list_jobs) that can be cancelled.",
    role: "administrator",
    permission: "vms.clone",
    input: closed({
      vmId: VmId,
      name: VmName,
      linked: Type.Optional(
        Type.Boolean({ default: false, description: "overlays instead of copies; not of a running VM" }),
      ),
      pool: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 256,
          description: "pool for its disks; else each disk's own",
        }),
      ),
      snapshot: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 255,
          description:
            "its disks as they were in this snapshot, with the VM's hardware of now; not linked, and not of a running VM",
        }),
      ),
      tpm: Type.Optional(oneOf(CLONED_TPMS, {
        description: "copy, the default: what the guest has sealed with its TPM opens in the copy, too; " +
          "new: an empty one, so that BitLocker asks for its recovery key",
      })),
    }),
    output: Type.Object({
      vmId: Type.String(),
      name: Type.String(),
      disks: Type.Array(ClonedDisk),
      warnings: Type.Array(SentenceText(), { description: "what is not as in the original" }),
    }),
    errors: [
      "QuotaExceeded",
      "HostInMaintenance",
      "VmNotFound",
      "InvalidName",
      "VmNameExists",
      "NvramLeft",
      "MemoryLeft",
      "VmMustBeOff",
      "VmNotPersistent",
      "SnapshotNotFound",
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "StoragePoolReadOnly",
      "DiskExceedsPool",
      "DiskNotClonable",
      "DiskRefused",
      "VolumeInUse",
      "StorageBusy",
      "CloneFailed",
      "JobCancelled",
    ],
    joins: true,
    route: "POST /vms/{vmId}/clone",
    makesAt: "/vms/{vmId}",
    makesVms: true,
    cli: ["vm", "clone", "<vmId>", "<name>"],
    examples: [
      "kvm-manager vm clone web1 web2",
      "kvm-manager vm clone web1 web2 --linked --no-wait",
      "kvm-manager vm clone web1 web2 --snapshot before",
      "kvm-manager vm clone win1 win2 --tpm new",
    ],
    // A clone has the network cards of its original.
    alsoNeeds: [{ permission: "storage.operate" }, { permission: HOST_NETWORK, of: "vm-on-host-network" }],
    mark: "change",
    readOnly: false,
  }),
  export_vm: command({
    summary: "Export a VM's definition",
    description: "The XML of its next start, without passwords unless asked for. Disks are not part of it.",
    role: "operator",
    input: closed({
      vmId: VmId,
      secure: Type.Optional(
        Type.Boolean({ default: false, description: "with passwords; administrators only" }),
      ),
    }),
    output: Type.Object({ fileName: Type.String(), xml: Type.String() }),
    errors: ["VmNotFound", "Forbidden"],
    route: "GET /vms/{vmId}/export",
    cli: ["vm", "export", "<vmId>"],
    file: { field: "xml" },
    examples: ["kvm-manager vm export web1 > web1.xml", "kvm-manager vm export web1 --out web1.xml"],
    readOnly: true,
  }),
  import_vm: command({
    summary: "Define a VM from libvirt XML",
    description: "Its disks must be there already. Nothing is started.",
    role: "administrator",
    input: closed({
      xml: DomainXml,
      name: Type.Optional(VmName),
      project: Type.Optional(Type.String({
        ...ProjectName,
        description: "project of this KVM Manager that it is in: its quota must have room",
      })),
      newId: Type.Optional(Type.Boolean({ default: false, description: "a new UUID instead of the XML's" })),
      newMacs: Type.Optional(Type.Boolean({ default: false, description: "new MAC addresses" })),
      allowMissing: Type.Optional(
        Type.Boolean({ default: false, description: "define it although disks are missing" }),
      ),
    }),
    output: Type.Object({
      vmId: Type.String(),
      name: Type.String(),
      missing: Type.Array(Type.String(), { description: "disks that are not there" }),
      warnings: Type.Array(SentenceText(), { description: "what is not as in the XML" }),
    }),
    errors: [
      "ProjectNotFound",
      "QuotaExceeded",
      "HostInMaintenance",
      "XmlInvalid",
      "InvalidName",
      "VmNameExists",
      "NvramLeft",
      "MemoryLeft",
      "VmIdTaken",
      "VmIdInBin",
      "MacInUse",
      "DisksMissing",
      "PathRefused",
      "DiskRefused",
      "DiskInUse",
      "StorageBusy",
      "ImportFailed",
    ],
    route: "POST /vms/import",
    makesVm: "vmId",
    cli: ["vm", "import"],
    aliases: ["vm define"],
    examples: ["kvm-manager vm import --xml-file web1.xml"],
    mark: "change",
    readOnly: false,
  }),
  get_delete_plan: command({
    summary: "Show exactly what goes when a VM is deleted",
    role: "administrator",
    permission: "vms.delete",
    input: closed({ vmId: VmId }),
    output: DeletePlan,
    errors: ["VmNotFound"],
    route: "GET /vms/{vmId}/delete-plan",
    cli: ["vm", "delete-plan", "<vmId>"],
    readOnly: true,
  }),
};
