/**
 * The service of the seed (mvirt): its calls, messages and numbers, so that its clients work with KVM Manager. `network` of a
 * card and `format` of a disk are ours: this host has networks in the place of taps, and guesses no format. Pure.
 */
import { field, type ProtoField, type ProtoFile, type ProtoMessage } from "./model.ts";

const PACKAGE = "mvirt";
export const SEED_SERVICE = `${PACKAGE}.VmService`;

const maybe = { presence: "optional" } as const, many = { presence: "repeated" } as const;
const own = (name: string) => `${PACKAGE}.${name}`;
const message = (name: string, ...fields: ProtoField[]): ProtoMessage => ({ name: own(name), fields });

const id = field(1, "id", "string", { comment: "UUID of the VM, or its name" });
const vmId = field(1, "vm_id", "string", { comment: "UUID of the VM, or its name" });

export const SEED_FILE: ProtoFile = {
  path: "mvirt.proto",
  package: PACKAGE,
  imports: [],
  comment: "The service of mvirt, carried out by commands of KVM Manager. See docs/grpc.md.",
  enums: [{
    name: own("VmState"),
    values: [
      "VM_STATE_UNSPECIFIED",
      "VM_STATE_STOPPED",
      "VM_STATE_STARTING",
      "VM_STATE_RUNNING",
      "VM_STATE_STOPPING",
    ],
  }],
  messages: [
    message(
      "Vm",
      field(1, "id", "string"),
      field(2, "name", "string", maybe),
      field(3, "state", own("VmState")),
      field(4, "config", own("VmConfig"), maybe),
      field(5, "created_at", "int64", {
        comment: "seconds since 1970-01-01T00:00:00Z; 0 where it is not known",
      }),
      field(6, "started_at", "int64", maybe),
    ),
    message(
      "VmConfig",
      field(1, "vcpus", "uint32"),
      field(2, "memory_mb", "uint64"),
      field(3, "kernel", "string", { comment: "path on the host; empty: the VM boots from its disks" }),
      field(4, "initramfs", "string", maybe),
      field(5, "cmdline", "string", maybe),
      field(6, "disks", own("DiskConfig"), many),
      field(7, "nics", own("NicConfig"), many),
      field(8, "user_data", "string", { ...maybe, comment: "cloud-init user-data" }),
    ),
    message(
      "DiskConfig",
      field(1, "path", "string"),
      field(2, "readonly", "bool"),
      field(3, "format", "string", {
        ...maybe,
        comment: "qcow2 or raw; what its storage pool has on record when left out",
      }),
    ),
    message(
      "NicConfig",
      field(1, "tap", "string", { ...maybe, comment: "the device on the host; it cannot be chosen" }),
      field(2, "mac", "string", maybe),
      field(3, "network", "string", { ...maybe, comment: "network of libvirt; default when left out" }),
    ),
    message("CreateVmRequest", field(1, "name", "string", maybe), field(2, "config", own("VmConfig"), maybe)),
    message("GetVmRequest", id),
    message("ListVmsRequest"),
    message("ListVmsResponse", field(1, "vms", own("Vm"), many)),
    message("DeleteVmRequest", id),
    message("DeleteVmResponse"),
    message("StartVmRequest", id),
    message(
      "StopVmRequest",
      id,
      field(2, "timeout_seconds", "uint32", {
        comment: "how long to wait until it is off; it is not forced",
      }),
    ),
    message("KillVmRequest", id),
    message("AttachDiskRequest", vmId, field(2, "disk", own("DiskConfig"), maybe)),
    message("DetachDiskRequest", vmId, field(2, "path", "string")),
    message("AttachNicRequest", vmId, field(2, "nic", own("NicConfig"), maybe)),
    message("DetachNicRequest", vmId, field(2, "mac", "string")),
    message(
      "ConsoleInput",
      { ...vmId, comment: "in the first message" },
      field(2, "data", "bytes", { comment: "what is typed" }),
    ),
    message("ConsoleOutput", field(1, "data", "bytes")),
  ],
  services: [{
    name: SEED_SERVICE,
    methods: [
      ...[
        ["CreateVm", "CreateVmRequest", "Vm"],
        ["GetVm", "GetVmRequest", "Vm"],
        ["ListVms", "ListVmsRequest", "ListVmsResponse"],
        ["DeleteVm", "DeleteVmRequest", "DeleteVmResponse"],
        ["StartVm", "StartVmRequest", "Vm"],
        ["StopVm", "StopVmRequest", "Vm"],
        ["KillVm", "KillVmRequest", "Vm"],
        ["AttachDisk", "AttachDiskRequest", "Vm"],
        ["DetachDisk", "DetachDiskRequest", "Vm"],
        ["AttachNic", "AttachNicRequest", "Vm"],
        ["DetachNic", "DetachNicRequest", "Vm"],
      ].map(([name = "", input = "", output = ""]) => ({ name, input: own(input), output: own(output) })),
      {
        name: "Console",
        input: own("ConsoleInput"),
        output: own("ConsoleOutput"),
        clientStreams: true,
        serverStreams: true,
      },
    ],
  }],
};
