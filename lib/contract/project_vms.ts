/** VMs that the members of a project create in it, of nothing but what the project names. */
import Type, { type Static } from "typebox";
import { MOST_SSH_KEYS } from "./cloud_init_bounds.ts";
import { command } from "./command.ts";
import { CpuCount, createCommands, DiskSizeGb, MemoryMb, VmConfig, VmName } from "./create.ts";
import { NAMED_IN_PROJECT, ProjectId } from "./projects.ts";
import { closed, SECRET } from "./schema.ts";

/** A new VM of a project. What is left out is the project's default, then the operating system's. */
export const NewProjectVm = closed({
  name: VmName,
  title: VmConfig.properties.title,
  osVariant: VmConfig.properties.osVariant,
  cpuCount: Type.Optional({ ...CpuCount, description: "virtual CPUs" }),
  memoryMb: Type.Optional(MemoryMb),
  image: Type.Optional({
    ...NAMED_IN_PROJECT,
    description:
      "image of the project: the VM gets a copy of a disk image, or an empty disk and an ISO in its drive",
  }),
  diskSizeGb: Type.Optional({ ...DiskSizeGb, description: "GiB; at least what the image has" }),
  pool: Type.Optional({
    ...NAMED_IN_PROJECT,
    description: "storage pool of the project; its first when left out",
  }),
  network: Type.Optional({
    ...NAMED_IN_PROJECT,
    description: "network of the project; its default network, else its first, when left out",
  }),
  user: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 32,
    pattern: "^[a-z_][a-z0-9_-]*$",
    description: "login name that cloud-init makes at the first start, with sudo",
  })),
  sshKeys: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 16_384, pattern: "^[^\\u0000-\\u001f\\u007f]+$" }), {
      maxItems: MOST_SSH_KEYS,
      description: "SSH public keys of that user, as in authorized_keys",
    }),
  ),
  userPassword: Type.Optional(Type.String({
    ...SECRET,
    minLength: 1,
    maxLength: 256,
    pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$",
    description: "password of that user",
  })),
  start: Type.Optional(Type.Boolean({ description: "start it as soon as it is made" })),
});
export type NewProjectVm = Static<typeof NewProjectVm>;

export const projectVmCommands = {
  create_project_vm: command({
    summary: "Create a VM in a project, from its pools, networks and images",
    description:
      "For members of the project: they need no right to hosts, storage or networks. The quota of the project must have " +
      "room. A project that names no storage pool takes no VMs in this way.",
    role: "operator",
    permission: "projects.operate",
    input: closed({ projectId: ProjectId, ...NewProjectVm.properties }),
    makesVm: "id",
    makesAt: "/vms/{id}",
    output: createCommands.create_vm.output,
    errors: [
      "ProjectNotFound",
      "ProjectTakesNoVms",
      "NotNamedByProject",
      ...createCommands.create_vm.errors.filter((code) => code !== "ProjectNotFound"),
    ],
    route: "POST /projects/{projectId}/vms",
    cli: ["project", "create-vm", "<projectId>", "<name>"],
    flags: {
      cpus: "cpuCount",
      memory: "memoryMb",
      disk: "diskSizeGb",
      os: "osVariant",
      "ssh-key": "sshKeys",
    },
    examples: [
      "kvm-manager project create-vm shop web1 --image debian-12.qcow2 --disk 40G --user me --start",
    ],
    exampleFields: ["image", "diskSizeGb"],
    mark: "change",
    readOnly: false,
  }),
};
