/** VMs as archives that other hypervisors read and write (OVA: an OVF description and its disks in a tar file). */
import Type, { type Static } from "typebox";
import { DISK_BUSES, DISK_FORMATS, FIRMWARES, NIC_MODELS, OS_TYPES } from "./choices.ts";
import { command } from "./command.ts";
import { AllowOvercommit, ConfigFinding, CpuCount, MemoryMb, NewNic, VmName } from "./create.ts";
import { closed, NO_OUTER_BLANK, oneOf, VmId } from "./schema.ts";
import { ProjectName } from "./vm.ts";
import { PoolName } from "./storage.ts";

/** The archive: a volume, as upload_volume makes it. */
const ARCHIVE = {
  pool: PoolName,
  volume: Type.String({ minLength: 1, maxLength: 1024, description: "the archive, a volume of the pool" }),
  withoutDisks: Type.Optional(Type.Boolean({
    default: false,
    description:
      "take an archive whose description gives the VM none of its disks, which is refused otherwise",
  })),
};
const Bytes = Type.Integer({ minimum: 0, description: "bytes" });

/** VM that the import of an archive would create. */
export const OvaPreview = Type.Object({
  name: Type.String({ description: "the VM's name as it may be here" }),
  originalName: Type.String({ description: "the VM's name in the archive" }),
  description: Type.Optional(Type.String()),
  osType: Type.Optional(oneOf(OS_TYPES)),
  cpuCount: Type.Integer(),
  memoryMb: Type.Integer(),
  firmware: oneOf(FIRMWARES),
  disks: Type.Array(Type.Object({
    file: Type.Union([Type.String(), Type.Null()], { description: "in the archive; null for an empty disk" }),
    format: Type.String({ description: "vmdk, qcow2, raw, …; new for an empty disk" }),
    capacityBytes: Bytes,
    fileBytes: Bytes,
    bus: oneOf(DISK_BUSES),
  })),
  nics: Type.Array(Type.Object({
    network: Type.String({ description: "where the VM comes from" }),
    model: oneOf(NIC_MODELS),
    mac: Type.Optional(Type.String()),
    taken: Type.Union([Type.String(), Type.Null()], {
      description: "the network here it is connected to when nothing is said; null where there is none",
    }),
  })),
  checksums: Type.Boolean({ description: "the archive has checksums, which the import compares" }),
  warnings: Type.Array(ConfigFinding, { description: "what has no match here, and what is taken instead" }),
});
export type OvaPreview = Static<typeof OvaPreview>;

/** Connection of a network card on this host. */
const NicPlace = closed({
  network: NewNic.properties.network,
  bridge: NewNic.properties.bridge,
  leaveOut: Type.Optional(Type.Boolean({ description: "the VM does not get this card" })),
});
export type NicPlace = Static<typeof NicPlace>;

const READ_ERRORS = [
  "StoragePoolNotFound",
  "StoragePoolNotActive",
  "VolumeNotFound",
  "VolumeInUse",
  "StorageBusy",
  "NotOnThisHost",
  "DiskRefused",
  "OvaRefused",
  "OvaDamaged",
  "ImageTooLarge",
] as const;

export const ovaCommands = {
  inspect_ova: command({
    summary: "Show what an OVA archive would be imported as",
    description:
      "Reads the description and the heads of its disks. Whether the archive is damaged is found out by the import.",
    role: "administrator",
    permission: "vms.administer",
    input: closed(ARCHIVE),
    output: OvaPreview,
    errors: READ_ERRORS,
    route: "GET /storage/pools/{pool}/volumes/{volume}/ova",
    cli: ["vm", "inspect-ova", "<pool>", "<volume>"],
    alsoNeeds: [{ permission: "storage.operate" }],
    examples: ["kvm-manager vm inspect-ova default web.ova"],
    readOnly: true,
  }),
  import_ova: command({
    summary: "Create a VM from an OVA archive",
    description:
      "The archive of VMware, VirtualBox, oVirt or KVM Manager is a volume: upload it first. Its checksums are compared, its " +
      "disks converted, and the VM defined, not started. Answers when all is done; meanwhile it is a job (list_jobs) " +
      "that can be cancelled. The archive stays.",
    role: "administrator",
    input: closed({
      ...ARCHIVE,
      name: Type.Optional(VmName),
      targetPool: Type.Optional(
        Type.String({ minLength: 1, maxLength: 255, description: "pool for its disks; else the archive's" }),
      ),
      diskFormat: Type.Optional(oneOf(DISK_FORMATS, { description: "qcow2 where the pool keeps files" })),
      diskBus: Type.Optional(oneOf(DISK_BUSES, { description: "of all disks; else what the archive says" })),
      cpuCount: Type.Optional(CpuCount),
      memoryMb: Type.Optional(MemoryMb),
      firmware: Type.Optional(oneOf(FIRMWARES)),
      nics: Type.Optional(Type.Array(NicPlace, {
        maxItems: 16,
        description:
          "for each card of the archive, in its order; else the network of the same name, or the usual one",
      })),
      keepMacs: Type.Optional(
        Type.Boolean({ default: false, description: "the MAC addresses of the archive instead of new ones" }),
      ),
      project: Type.Optional(Type.String({
        ...ProjectName,
        description: "project of this KVM Manager that it is in: its quota must have room",
      })),
      allowOvercommit: Type.Optional(AllowOvercommit),
    }),
    output: Type.Object({
      vmId: Type.String(),
      name: Type.String(),
      disks: Type.Array(Type.Object({
        file: Type.String({ description: "in the archive" }),
        path: Type.String({ description: "the VM's disk" }),
      })),
      warnings: Type.Array(ConfigFinding),
    }),
    errors: [
      "ProjectNotFound",
      "QuotaExceeded",
      "HostInMaintenance",
      ...READ_ERRORS,
      "InvalidName",
      "VmNameExists",
      "NvramLeft",
      "MemoryLeft",
      "VolumeExists",
      "DiskExceedsPool",
      "StoragePoolReadOnly",
      "NetworkNotFound",
      "BridgeNotFound",
      "MacInUse",
      "MemoryExceedsHost",
      "InvalidCpuCount",
      "InvalidMemorySize",
      "DiskInUse",
      "CreateFailed",
      "ImportFailed",
      "JobCancelled",
    ],
    joins: true,
    route: "POST /vms/import-ova",
    makesVm: "vmId",
    cli: ["vm", "import-ova", "<pool>", "<volume>"],
    alsoNeeds: [{ permission: "storage.operate" }],
    examples: [
      "kvm-manager volume upload default web.ova --from web.ova && kvm-manager vm import-ova default web.ova",
      "kvm-manager vm import-ova default web.ova --name web2 --target-pool fast",
    ],
    exampleFields: ["name"],
    readOnly: false,
  }),
  export_ova: command({
    summary: "Export a stopped VM with its disks as an OVA archive",
    description:
      "Writes the archive as a new volume; download_volume gives it. VMware, VirtualBox, oVirt and import_ova read it. While " +
      "it is made, the pool holds its disks twice, compressed. Answers when all is written; meanwhile it is a job " +
      "(list_jobs) that can be cancelled. Snapshots, UEFI variables, TPM state and media are not part of it.",
    role: "operator",
    input: closed({
      vmId: VmId,
      pool: Type.Optional(
        Type.String({ minLength: 1, maxLength: 255, description: "for the archive; else its first disk's" }),
      ),
      volume: Type.Optional(Type.String({
        minLength: 5,
        maxLength: 128,
        pattern: NO_OUTER_BLANK + "[A-Za-z0-9_][A-Za-z0-9._+@ -]*\\.ova$",
        description: "name of the archive; else the VM's with .ova",
      })),
    }),
    output: Type.Object({
      pool: Type.String(),
      volume: Type.String(),
      path: Type.String(),
      size: Bytes,
      warnings: Type.Array(ConfigFinding, { description: "what is not as in the VM" }),
    }),
    errors: [
      "VmNotFound",
      "VmMustBeOff",
      "VmNotPersistent",
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "StoragePoolReadOnly",
      "StorageBusy",
      "VolumeExists",
      "VolumeInUse",
      "NotOnThisHost",
      "DiskRefused",
      "DiskExceedsPool",
      "DiskNotExportable",
      "ExportFailed",
      "JobCancelled",
    ],
    joins: true,
    route: "POST /vms/{vmId}/export-ova",
    makesAt: "/storage/pools/{pool}/volumes/{volume}",
    cli: ["vm", "export-ova", "<vmId>"],
    alsoNeeds: [{ permission: "storage.operate" }],
    examples: [
      "kvm-manager vm export-ova web1 --pool default",
      "kvm-manager volume download default web1.ova --out web1.ova",
    ],
    readOnly: false,
  }),
};
