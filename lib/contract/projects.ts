/** Projects: named sets of VMs with members, quotas and defaults. */
import Type, { type Static } from "typebox";
import { RoleName } from "./access.ts";
import { command } from "./command.ts";
import { CpuCount, DiskSizeGb, MemoryMb } from "./create.ts";
import { CLEARABLE, closed, Instant, NO_OUTER_BLANK, NOTHING_OUT, Timestamp, VmId } from "./schema.ts";
import { MAX_TAGS, ProjectName, Tag, VmProject } from "./vm.ts";

/** Most projects there are. */
export const MOST_PROJECTS = 500;

export const ProjectId = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[0-9A-Za-z-]+$",
  description: "id of the project",
});

const Description = Type.String({
  maxLength: 1000,
  pattern: "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f]*$",
});
/** Name of a storage pool, network or image, as a project lists it. */
export const NAMED_IN_PROJECT = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: `${NO_OUTER_BLANK}[^\\u0000-\\u001f\\u007f]+$`,
});
const Names = (description: string) =>
  Type.Array(NAMED_IN_PROJECT, { maxItems: 200, uniqueItems: true, description });

/** The most that the VMs of a project may have together. */
export const Quotas = {
  vms: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 100_000, description: "VMs; no limit if left out" }),
  ),
  cpus: Type.Optional(
    Type.Integer({ minimum: 0, maximum: 1_000_000, description: "virtual CPUs; no limit if left out" }),
  ),
  memoryMb: Type.Optional(Type.Integer({
    minimum: 0,
    maximum: 1_099_511_627_776,
    description: "MiB of memory, each VM with the most it may have; no limit if left out",
  })),
  diskGb: Type.Optional(Type.Integer({
    minimum: 0,
    maximum: 1_099_511_627_776,
    description: "GiB of disks as guests see them, those of VMs in the bin included; no limit if left out",
  })),
};
export const ProjectQuota = closed(Quotas);
export type ProjectQuota = Static<typeof ProjectQuota>;

/** Defaults for new VMs of a project. */
export const ProjectDefaults = closed({
  cpuCount: Type.Optional({ ...CpuCount, description: "virtual CPUs" }),
  memoryMb: Type.Optional(MemoryMb),
  diskSizeGb: Type.Optional(DiskSizeGb),
  network: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: "libvirt network" })),
  tags: Type.Optional(Type.Array(Tag, { maxItems: MAX_TAGS, uniqueItems: true })),
  days: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 3650, description: "days after which its end date is" }),
  ),
});
export type ProjectDefaults = Static<typeof ProjectDefaults>;

/** Total usage of a project's VMs. */
export const ProjectUsage = Type.Object({
  vms: Type.Integer(),
  cpus: Type.Integer(),
  memoryMb: Type.Integer(),
  diskGb: Type.Number({ description: "with what is in the bin" }),
  binDiskGb: Type.Number({ description: "of that: disks of VMs in the bin" }),
});
export type ProjectUsage = Static<typeof ProjectUsage>;

/** Resources that a quota limits. */
export const QUOTA_FIELDS = ["vms", "cpus", "memoryMb", "diskGb"] as const;
export type QuotaField = typeof QUOTA_FIELDS[number];

export const Project = Type.Object({
  id: Type.String(),
  name: Type.String(),
  description: Type.String(),
  quota: ProjectQuota,
  usage: ProjectUsage,
  over: Type.Array(Type.Unsafe<QuotaField>({ type: "string", enum: [...QUOTA_FIELDS] }), {
    description: "quotas that are exceeded, by what another program changed or because they were lowered",
  }),
  defaults: ProjectDefaults,
  pools: Type.Array(Type.String()),
  networks: Type.Array(Type.String()),
  images: Type.Array(Type.String()),
  createdAt: Timestamp,
});
export type Project = Static<typeof Project>;

/** A member of a project. */
export const ProjectMember = Type.Object({
  userId: Type.String(),
  name: Type.String(),
  displayName: Type.String(),
  roles: Type.Array(Type.String(), { description: "roles that the user has on the project" }),
});
export type ProjectMember = Static<typeof ProjectMember>;

export const ProjectDetails = Type.Object({
  ...Project.properties,
  vmsOfIt: Type.Array(Type.Object({
    vmId: Type.String(),
    name: Type.String(),
    cpus: Type.Integer(),
    memoryMb: Type.Integer(),
    diskGb: Type.Number(),
    inBin: Type.Boolean({ description: "deleted, and kept in the bin: its disks still count" }),
    endsAt: Type.Union([Timestamp, Type.Null()]),
  })),
  members: Type.Array(ProjectMember, { description: "users with rights on it; for administrators alone" }),
});
export type ProjectDetails = Static<typeof ProjectDetails>;

const NewName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: `${NO_OUTER_BLANK}[^\\u0000-\\u001f\\u007f/@]+$`,
  description: "without blanks at its ends, / and @",
});
const SETTINGS = {
  description: Type.Optional({ ...Description, ...CLEARABLE }),
  pools: Type.Optional(Names("names of storage pools, on any host: members create VMs in them")),
  networks: Type.Optional(Names("names of networks, on any host: members connect new VMs to them")),
  images: Type.Optional(Names("names of images, or `pool/name`: members create VMs from them")),
  defaults: Type.Optional(ProjectDefaults),
};
const VIEW = { role: "viewer", permission: "projects.view", withoutLibvirt: true, spansHosts: true } as const;
const MANAGE = {
  role: "administrator",
  permission: "projects.administer",
  withoutLibvirt: true,
  spansHosts: true,
} as const;

export const projectCommands = {
  list_projects: command({
    ...VIEW,
    summary: "List projects with their quotas and what they use",
    input: closed({}),
    output: Type.Array(Project),
    errors: ["StoreUnavailable"],
    route: "GET /projects",
    cli: ["project", "list"],
    lookup: {
      fields: ["projectId"],
      by: "name",
      more: "description",
      missing: "ProjectNotFound",
    },
    columns: ["name", "usage.vms", "usage.cpus", "usage.memoryMb", "usage.diskGb", "over"],
    wide: ["id", "quota.vms", "quota.cpus", "quota.memoryMb", "quota.diskGb", "description"],
    hides: "other-projects",
    readOnly: true,
  }),
  get_project: command({
    ...VIEW,
    summary: "Show a project: its VMs, members, quotas, usage and defaults",
    input: closed({ projectId: ProjectId }),
    output: ProjectDetails,
    errors: ["ProjectNotFound", "StoreUnavailable"],
    route: "GET /projects/{projectId}",
    cli: ["project", "show", "<projectId>"],
    readOnly: true,
  }),
  create_project: command({
    ...MANAGE,
    summary: "Create a project",
    input: closed({ name: NewName, ...SETTINGS, quota: Type.Optional(ProjectQuota) }),
    output: Project,
    errors: ["ProjectExists", "TooManyProjects", "StoreUnavailable"],
    route: "POST /projects",
    cli: ["project", "create", "<name>"],
    flags: { pool: "pools", network: "networks", image: "images" },
    examples: [
      "kvm-manager project create web --quota.vms 10 --quota.memory-mb 32768",
      "kvm-manager project create lab --defaults.days 30",
    ],
    exampleFields: ["description"],
    readOnly: false,
  }),
  update_project: command({
    ...MANAGE,
    summary: "Change a project",
    description: "What is left out stays. Lists and defaults that are given replace what was.",
    input: closed({ projectId: ProjectId, name: Type.Optional(NewName), ...SETTINGS }),
    output: Project,
    errors: ["ProjectNotFound", "ProjectExists", "StoreUnavailable"],
    route: "PATCH /projects/{projectId}",
    cli: ["project", "update", "<projectId>"],
    flags: { pool: "pools", network: "networks", image: "images" },
    exampleFields: ["description"],
    readOnly: false,
  }),
  set_quota: command({
    ...MANAGE,
    summary: "Set what the VMs of a project may have together",
    description:
      "What is left out has no limit. VMs that are there stay as they are, also where they exceed it: nothing more is admitted.",
    input: closed({ projectId: ProjectId, ...Quotas }),
    output: Project,
    errors: ["ProjectNotFound", "StoreUnavailable"],
    route: "PUT /projects/{projectId}/quota",
    cli: ["project", "quota", "<projectId>"],
    examples: ["kvm-manager project quota web --vms 10 --cpus 32 --memory-mb 65536 --disk-gb 1000"],
    exampleFields: ["vms", "memoryMb"],
    readOnly: false,
  }),
  delete_project: command({
    ...MANAGE,
    summary: "Delete a project; its VMs stay",
    description: "Its VMs are in no project then, and rights that were given on it end.",
    input: closed({ projectId: ProjectId }),
    output: NOTHING_OUT,
    errors: ["ProjectNotFound", "StoreUnavailable"],
    route: "DELETE /projects/{projectId}",
    cli: ["project", "delete", "<projectId>"],
    destroys: "the project, its quotas and the rights that were given on it",
    readOnly: false,
  }),
  add_project_member: command({
    ...MANAGE,
    summary: "Give a user a role on the VMs of a project",
    description:
      "The same as a grant on the project. An administrator of a project counts as operator there.",
    input: closed({
      projectId: ProjectId,
      userId: Type.String({ minLength: 1, maxLength: 64 }),
      role: RoleName,
    }),
    output: ProjectMember,
    errors: [
      "ProjectNotFound",
      "UserNotFound",
      "RoleNotFound",
      "HostAccount",
      "InvalidInput",
      "PasswordNeeded",
      "StoreUnavailable",
    ],
    route: "PUT /projects/{projectId}/members/{userId}",
    cli: ["project", "member", "add", "<projectId>", "<userId>", "<role>"],
    examples: ["kvm-manager project member add web ann operator"],
    confirms: true,
    activityFor: "administrators",
    readOnly: false,
  }),
  remove_project_member: command({
    ...MANAGE,
    summary: "Take the roles that a user has on a project away",
    input: closed({ projectId: ProjectId, userId: Type.String({ minLength: 1, maxLength: 64 }) }),
    output: NOTHING_OUT,
    errors: [
      "ProjectNotFound",
      "UserNotFound",
      "NotProjectMember",
      "HostAccount",
      "PasswordNeeded",
      "StoreUnavailable",
    ],
    route: "DELETE /projects/{projectId}/members/{userId}",
    cli: ["project", "member", "remove", "<projectId>", "<userId>"],
    confirms: true,
    activityFor: "administrators",
    readOnly: false,
  }),
  set_vm_project: command({
    summary: "Move a VM into a project, or out of its project",
    description:
      "The quota of the project must have room for it. Members of the project get their rights to it.",
    role: "administrator",
    permission: "projects.administer",
    changesAllHosts: true,
    spansHosts: true,
    input: closed({
      vmId: VmId,
      project: Type.Optional(Type.String({
        ...ProjectName,
        description: "name or id of the project; in no project if left out",
      })),
    }),
    output: Type.Object({ project: Type.Union([VmProject, Type.Null()]) }),
    errors: ["VmNotFound", "ProjectNotFound", "QuotaExceeded", "StoreUnavailable"],
    route: "PUT /vms/{vmId}/project",
    cli: ["vm", "project", "<vmId>"],
    places: ["<vmId...>", "[project]"],
    examples: ["kvm-manager vm project web1 web2 web", "kvm-manager vm project web1"],
    exampleFields: ["project"],
    readOnly: false,
  }),
  set_vm_end: command({
    summary: "Set the end date of a VM, when it is shut down",
    description:
      "It is told seven days and one day before. Then the guest is asked once to shut down; nothing is deleted. " +
      "Who starts the VM afterwards keeps it running.",
    role: "administrator",
    permission: "projects.administer",
    changesAllHosts: true,
    spansHosts: true,
    input: closed({
      vmId: VmId,
      endsAt: Type.Optional({
        ...Instant,
        description: "milliseconds since 1970-01-01T00:00:00Z; no end date if left out",
      }),
    }),
    output: Type.Object({ endsAt: Type.Union([Timestamp, Type.Null()]) }),
    errors: ["VmNotFound", "InvalidInput", "StoreUnavailable"],
    route: "PUT /vms/{vmId}/end",
    cli: ["vm", "end", "<vmId>"],
    examples: ['kvm-manager vm end web1 --ends-at "2027-03-31 18:00"', "kvm-manager vm end web1"],
    exampleFields: ["endsAt"],
    readOnly: false,
  }),
};
