/** VMs of other hypervisors and of other libvirts, made into VMs here. */
import Type, { type Static } from "typebox";
import { DISK_BUSES, DISK_FORMATS, FIRMWARES, NIC_MODELS, OS_TYPES } from "./choices.ts";
import { command } from "./command.ts";
import { AllowOvercommit, ConfigFinding, CpuCount, MacAddress, MemoryMb, NewNic, VmName } from "./create.ts";
import { HostKey } from "./host_key.ts";
import { askedWith, closed, oneOf, SECRET } from "./schema.ts";
import { ProjectName } from "./vm.ts";

/** Sources on servers that are signed in to. */
export const FOREIGN_SERVERS = ["esxi", "vcenter", "proxmox-ssh"] as const;
export type ForeignServer = typeof FOREIGN_SERVERS[number];
/** Sources of foreign VMs. */
export const FOREIGN_KINDS = ["vmx", "proxmox", "hyperv", "libvirt", ...FOREIGN_SERVERS] as const;
export type ForeignKind = typeof FOREIGN_KINDS[number];
/** Characters of a definition that is sent along. */
export const MAX_DEFINITION = 256 * 1024;

const FROM = {
  kind: oneOf(FOREIGN_KINDS, {
    description:
      "vmx, proxmox, hyperv: files of VMware, Proxmox VE or Hyper-V in a folder; libvirt: another host that is managed here; " +
      "esxi, vcenter: VMware's servers; proxmox-ssh: a node of Proxmox VE by SSH",
  }),
  origin: Type.String({
    minLength: 1,
    maxLength: 4096,
    description:
      "folder on this host with the definition and the disks; for libvirt: the id or name of the host; for esxi and " +
      "proxmox-ssh: the server, `esxi1` or `esxi1:443`; for vcenter: the server with the path of an ESXi host, " +
      "`vcenter1/Datacenter/Cluster/esxi1`",
  }),
  username: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 255,
    pattern: "^[^\\u0000-\\u001f\\u007f]+$",
    description: "of a server: who signs in there; root when left out",
  })),
  password: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 1024,
    pattern: "^[^\\u0000-\\u001f\\u007f]+$",
    ...SECRET,
    ...askedWith("username"),
    description:
      "of that user. It is in memory alone, for as long as the import runs and for 15 minutes after its last use. Not needed by SSH " +
      "where KVM Manager's key (get_ssh_key) opens the node",
  })),
  certificate: Type.Optional(Type.String({
    maxLength: 95,
    pattern: "^[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2}){31}$",
    description:
      "of esxi and vcenter: SHA-256 fingerprint of the certificate, once it is compared; left out, it is told",
  })),
  hostKey: Type.Optional(HostKey),
};
const SOURCE = {
  ...FROM,
  vm: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 255,
    description:
      "which VM: the file of its definition in the folder (web.vmx, 100.conf), for Hyper-V the disk it boots from " +
      "(web.vhdx), for libvirt, esxi and vcenter its name, for proxmox-ssh its number; the only one there when left out",
  })),
  moreDisks: Type.Optional(Type.Array(Type.String({ minLength: 1, maxLength: 255 }), {
    maxItems: 23,
    description: "further disks of a Hyper-V VM: files in the folder",
  })),
  definition: Type.Optional(Type.String({
    minLength: 1,
    maxLength: MAX_DEFINITION,
    // It may hold the password of a screen.
    ...SECRET,
    description: "content of a .vmx or .conf file, where it is not in the folder",
  })),
  generation: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 2,
      description: "of a Hyper-V VM; 2 when left out, of .vhd files 1",
    }),
  ),
  osType: Type.Optional(
    oneOf(OS_TYPES, { description: "the kind of its guest, where the source does not say" }),
  ),
};

/** A VM that a source has. */
export const ForeignVmEntry = Type.Object({
  vm: Type.String({ description: "what `vm` takes" }),
  name: Type.String(),
  state: Type.Optional(Type.String({ description: "at the source, where it says" })),
});
export type ForeignVmEntry = Static<typeof ForeignVmEntry>;

/** Connection of a network interface on this host. */
const ForeignNicPlace = closed({
  network: NewNic.properties.network,
  bridge: NewNic.properties.bridge,
  model: NewNic.properties.model,
  mac: Type.Optional({ ...MacAddress, description: "instead of the source's" }),
  leaveOut: Type.Optional(Type.Boolean({ description: "the VM does not get it" })),
});
export type ForeignNicPlace = Static<typeof ForeignNicPlace>;

const ForeignDiskChoice = closed({
  bus: Type.Optional(oneOf(DISK_BUSES, { description: "what its guest boots from when left out" })),
  leaveOut: Type.Optional(Type.Boolean({ description: "the VM does not get it" })),
});
export type ForeignDiskChoice = Static<typeof ForeignDiskChoice>;

const Bytes = Type.Integer({ minimum: 0, description: "bytes" });

/** VM that an import would create. */
export const ForeignPreview = Type.Object({
  vm: Type.Optional(Type.String({ description: "what was found as the only one" })),
  name: Type.String({ description: "the VM's name as it may be here" }),
  originalName: Type.String({ description: "the VM's name at the source" }),
  description: Type.Optional(Type.String()),
  guest: Type.Optional(Type.String({ description: "the guest system as the source calls it" })),
  osType: Type.Optional(oneOf(OS_TYPES)),
  cpuCount: Type.Integer(),
  memoryMb: Type.Integer(),
  firmware: oneOf(FIRMWARES),
  tpm: Type.Boolean(),
  disks: Type.Array(Type.Object({
    file: Type.String({ description: "at the source" }),
    was: Type.String({ description: "its place at the source, in the source's words" }),
    format: Type.String({ description: "vmdk, qcow2, raw, vhdx, …" }),
    capacityBytes: Bytes,
    fileBytes: Bytes,
    bus: oneOf(DISK_BUSES, { description: "that its guest boots from here" }),
  })),
  nics: Type.Array(Type.Object({
    network: Type.String({ description: "at the source" }),
    was: Type.String({ description: "its model at the source" }),
    model: oneOf(NIC_MODELS),
    mac: Type.Optional(Type.String()),
    vlan: Type.Optional(Type.Integer()),
    linkUp: Type.Boolean(),
    taken: Type.Union([
      Type.Object({ network: Type.Optional(Type.String()), bridge: Type.Optional(Type.String()) }),
      Type.Null(),
    ], { description: "what it is connected to here when nothing is said; null where there is none" }),
  })),
  checksums: Type.Boolean({ description: "the folder has checksums, which the import compares" }),
  chosen: Type.Object({
    targetPool: Type.Optional(Type.String()),
    diskFormat: Type.Optional(oneOf(DISK_FORMATS)),
  }, { description: "pool and format of the last import" }),
  warnings: Type.Array(ConfigFinding, { description: "what has no match here, and what is taken instead" }),
});
export type ForeignPreview = Static<typeof ForeignPreview>;

const LIST_ERRORS = [
  "ForeignVmRefused",
  "SourceUnreachable",
  "SourceLoginRefused",
  "CertificateUnknown",
  "CertificateChanged",
  "HostKeyUnknown",
  "HostKeyChanged",
  "NotOnThisHost",
  "PathRefused",
  "FileNotFound",
  "HostNotFound",
  "HostUnreachable",
  "StorageNotResponding",
  "Forbidden",
] as const;
const READ_ERRORS = [
  ...LIST_ERRORS,
  "VmNotFound",
  "VmMustBeOff",
  "DiskNotFound",
  "DiskRefused",
  "DiskInUse",
  "VolumeInUse",
  "VmBusy",
  "StorageBusy",
  "StorageUnknown",
  "ImageTooLarge",
] as const;

export const foreignCommands = {
  list_foreign_vms: command({
    summary: "List the VMs that can be imported from a folder, another host or a server",
    description:
      "Of a folder on this host: the .vmx or .conf files in it, for Hyper-V its .vhdx and .vhd disks. Of another host: its " +
      "VMs, as this KVM Manager manages it. Of ESXi, vCenter and Proxmox VE: the VMs of the host that is named.",
    role: "administrator",
    permission: "vms.administer",
    input: closed(FROM),
    output: Type.Array(ForeignVmEntry),
    errors: LIST_ERRORS,
    // A password does not belong into an address.
    route: "POST /foreign-vms/list",
    cli: ["vm", "list-from", "<kind>", "<origin>"],
    alsoNeeds: [{ permission: "storage.operate" }],
    examples: [
      "kvm-manager vm list-from vmx /srv/vmware/web",
      "kvm-manager vm list-from esxi esxi1 --username root",
    ],
    columns: ["vm", "name", "state"],
    readOnly: true,
  }),
  inspect_foreign_vm: command({
    summary: "Show what a VM of another hypervisor would be imported as",
    description:
      "Reads its definition and the heads of its disks: hardware at the source next to hardware here. Nothing is made.",
    role: "administrator",
    permission: "vms.administer",
    input: closed(SOURCE),
    output: ForeignPreview,
    errors: READ_ERRORS,
    route: "POST /foreign-vms/inspect",
    cli: ["vm", "inspect-from", "<kind>", "<origin>"],
    alsoNeeds: [{ permission: "storage.operate" }],
    examples: ["kvm-manager vm inspect-from proxmox /mnt/old --vm 100.conf"],
    readOnly: true,
  }),
  import_foreign_vm: command({
    summary: "Create a VM from one of VMware, Proxmox VE, Hyper-V or another libvirt",
    description:
      "Its disks are converted into a storage pool, and the VM is defined, not started. The source stays as it is: the VM " +
      "must be off there. Disks start on SATA and network interfaces as e1000e where the guest may have no other driver. " +
      "Answers when all is done; meanwhile it is a job (list_jobs) that can be cancelled.",
    role: "administrator",
    permission: "vms.administer",
    input: closed({
      ...SOURCE,
      name: Type.Optional(VmName),
      targetPool: Type.Optional(
        Type.String({
          minLength: 1,
          maxLength: 255,
          description: "pool for its disks; the usual one when left out",
        }),
      ),
      diskFormat: Type.Optional(oneOf(DISK_FORMATS, { description: "qcow2 where the pool keeps files" })),
      project: Type.Optional(Type.String({
        ...ProjectName,
        description: "project of this KVM Manager that it is in: its quota must have room",
      })),
      cpuCount: Type.Optional(CpuCount),
      memoryMb: Type.Optional(MemoryMb),
      firmware: Type.Optional(oneOf(FIRMWARES)),
      tpm: Type.Optional(
        Type.Boolean({ description: "an emulated TPM 2.0; as at the source when left out" }),
      ),
      disks: Type.Optional(
        Type.Array(ForeignDiskChoice, {
          maxItems: 24,
          description: "for each disk of the preview, in its order",
        }),
      ),
      nics: Type.Optional(Type.Array(ForeignNicPlace, {
        maxItems: 16,
        description: "for each network interface of the preview, in its order; else what the preview says",
      })),
      keepMacs: Type.Optional(
        Type.Boolean({ default: true, description: "the MAC addresses of the source; new ones without" }),
      ),
      allowUnclean: Type.Optional(
        Type.Boolean({
          default: false,
          description: "take a Windows that was not shut down, which is refused otherwise",
        }),
      ),
      verify: Type.Optional(
        Type.Boolean({
          default: false,
          description:
            "compare each disk with its source after it was copied or converted; what comes from a server is read twice for it",
        }),
      ),
      allowOvercommit: Type.Optional(AllowOvercommit),
    }),
    output: Type.Object({
      vmId: Type.String(),
      name: Type.String(),
      disks: Type.Array(Type.Object({
        file: Type.String({ description: "at the source" }),
        path: Type.String({ description: "the VM's disk" }),
      })),
      warnings: Type.Array(ConfigFinding),
    }),
    errors: [
      "ProjectNotFound",
      "QuotaExceeded",
      ...READ_ERRORS,
      "HostInMaintenance",
      "FileDamaged",
      "GuestNotClean",
      "InvalidName",
      "VmNameExists",
      "NvramLeft",
      "MemoryLeft",
      "VolumeExists",
      "DiskExceedsPool",
      "StoragePoolNotFound",
      "StoragePoolNotActive",
      "StoragePoolReadOnly",
      "NetworkNotFound",
      "BridgeNotFound",
      "MacInUse",
      "MemoryExceedsHost",
      "InvalidCpuCount",
      "InvalidMemorySize",
      "CreateFailed",
      "ImportFailed",
      "JobCancelled",
    ],
    joins: true,
    route: "POST /foreign-vms/import",
    makesVm: "vmId",
    cli: ["vm", "import-from", "<kind>", "<origin>"],
    alsoNeeds: [{ permission: "storage.operate" }],
    examples: [
      "kvm-manager vm import-from vmx /srv/vmware/web --target-pool fast",
      "kvm-manager vm import-from proxmox /mnt/old --vm 100.conf --name web2",
      "kvm-manager vm import-from hyperv /mnt/old --vm web.vhdx --generation 2 --os-type windows --memory-mb 4096",
      "kvm-manager vm import-from libvirt host2 --vm web1",
      "kvm-manager vm import-from esxi esxi1 --username root --vm web1 --target-pool fast",
      "kvm-manager vm import-from proxmox-ssh node1 --vm 100",
    ],
    exampleFields: ["name"],
    readOnly: false,
  }),
};
