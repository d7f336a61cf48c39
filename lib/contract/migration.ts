/** VMs that move to another host. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { HostName } from "./on_host.ts";
import { closed, oneOf, SentenceText, VmId } from "./schema.ts";
import { PoolName } from "./storage.ts";

const NetworkName = Type.String({ minLength: 1, maxLength: 256 });

/** Networks that a VM's cards come into on another host. */
export const NetworkChoices = Type.Array(closed({ from: NetworkName, to: NetworkName }), {
  maxItems: 64,
  description: "networks of this host → those of that host; left out, those of the same name",
});
export type NetworkChoices = Static<typeof NetworkChoices>;

/** How memory can be compressed on its way. */
export const MIGRATION_COMPRESSIONS = ["xbzrle", "zlib", "zstd"] as const;
/** The field by which somebody goes against rules of placement. */
export const BREAK_RULES = Type.Optional(
  Type.Boolean({ default: false, description: "although rules of placement are against it" }),
);

/** Migration: the VM and its target, and the placement of its disks and network cards there. */
const MIGRATION = {
  vmId: VmId,
  toHost: { ...HostName, description: "the host that it moves to: its id" },
  pool: Type.Optional({
    ...PoolName,
    description:
      "of that host, for copies of disks which it does not see; left out, the pool of the same folder, or the usual one",
  }),
  pools: Type.Optional(Type.Array(
    closed({ target: Type.String({ minLength: 1, maxLength: 32 }), pool: PoolName }),
    { maxItems: 64, description: "for single disks" },
  )),
  snapshots: Type.Optional(oneOf(["keep", "drop"], {
    description:
      "of a VM that is off: keep, as when left out, copies its images as they are, with those that its snapshots need; drop copies what its guest sees",
  })),
  bandwidthMib: Type.Optional(Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: "MiB per second at most; left out, as fast as the line is",
  })),
  connections: Type.Optional(Type.Integer({
    minimum: 2,
    maximum: 16,
    description: "of a VM that runs: connections that its memory is sent by at once (multifd); left out, one",
  })),
  compression: Type.Optional(oneOf(MIGRATION_COMPRESSIONS, {
    description:
      "of a VM that runs: how its memory is compressed; xbzrle by one connection, zlib and zstd by several, from libvirt 9.4 on",
  })),
  directTo: Type.Optional(Type.String({
    minLength: 1,
    maxLength: 253,
    pattern: "^[A-Za-z0-9][A-Za-z0-9.:-]*$",
    description:
      "of a VM that runs: name or IP address of that host to which QEMU sends memory and disks itself, by TCP with TLS; left out, through the link",
  })),
  networks: Type.Optional(NetworkChoices),
};

const MigratedDisk = Type.Object({
  target: Type.String(),
  shared: Type.Boolean({ description: "both hosts see its image; else its content is copied" }),
  sizeBytes: Type.Optional(Type.Integer({ minimum: 0, description: "of what is copied" })),
  pool: Type.Optional(Type.String({ description: "of that host" })),
  volume: Type.Optional(Type.String({ description: "the copy" })),
});

/** Whether a VM can move, and what becomes of its disks. */
export const MigrationPlan = Type.Object({
  possible: Type.Boolean(),
  findings: Type.Array(
    Type.Object({
      check: Type.String({ description: "what was looked at" }),
      level: oneOf(["problem", "warning"]),
      text: SentenceText(),
    }),
    { description: "what is in the way, with what to do, and what is worth knowing" },
  ),
  disks: Type.Array(MigratedDisk),
  follows: Type.Array(Type.String(), {
    description: "schedules and alerts of the VM alone that go along",
  }),
  estimate: Type.Optional(Type.Object({
    lineBytesPerSecond: Type.Integer({ description: "that the link carried just now, or the limit" }),
    dirtyBytesPerSecond: Type.Optional(
      Type.Integer({
        description: "of memory that the guest changed just now; missing where libvirt does not say",
      }),
    ),
    converges: Type.Boolean({ description: "memory is sent faster than the guest changes it" }),
    seconds: Type.Optional(Type.Integer({ description: "that the move takes about, where it converges" })),
  }, { description: "of a VM that runs, and can move" })),
  memoryMb: Type.Integer({
    minimum: 0,
    description: "that is copied while the VM runs; 0 for one that is off",
  }),
});
export type MigrationPlan = Static<typeof MigrationPlan>;

const ERRORS = [
  "VmNotFound",
  "VmNotPersistent",
  "HasSavedMemory",
  "VmNotOwner",
  "HostNotFound",
  "VmNotMovable",
  "MigrationFailed",
  "LinkedHostAway",
  "LinkedHostNonsense",
  "Forbidden",
] as const;

export const migrationCommands = {
  get_migration_plan: command({
    summary: "Show whether a VM can move to another host",
    description:
      "Looks at devices, snapshots, disks, networks, firmware, machine type and room on both hosts. Nothing is changed.",
    role: "administrator",
    input: closed(MIGRATION),
    output: MigrationPlan,
    errors: ERRORS,
    route: "GET /vms/{vmId}/migration",
    cli: ["vm", "migration-plan", "<vmId>", "<toHost>"],
    examples: ["kvm-manager vm migration-plan web1 kvm2"],
    readOnly: true,
  }),
  migrate_vm: command({
    plan: "get_migration_plan",
    summary: "Move a VM to another host, while it runs or is off",
    description:
      "A few at once leave a host, and come to one (update_move_limits); the others wait as queued jobs, also while KVM " +
      "Manager is restarted. Answers when the VM is there; meanwhile it is a job: list_jobs has its progress, cancel_job ends it, and the VM stays " +
      "where it was. Memory and disks travel through the link, encrypted: no SSH keys, certificates or further ports are " +
      "needed. Disks on storage that both hosts have are not copied; those that were copied go into the bin here. The VM " +
      "keeps its name, id, MAC addresses, tags and group. Schedules and alerts that name it go along, and its figures. " +
      "What goes by tags or groups, and backups, stay with this KVM Manager.",
    role: "administrator",
    input: closed({
      ...MIGRATION,
      keepDisks: Type.Optional(
        Type.Boolean({ default: false, description: "leave volumes here whose content was copied" }),
      ),
      maxDowntimeMs: Type.Optional(Type.Integer({
        minimum: 1,
        maximum: 60_000,
        description:
          "milliseconds that the guest may stand still at the end; left out, QEMU's own limit (300)",
      })),
      breakRules: BREAK_RULES,
      slowGuest: Type.Optional(Type.Boolean({
        default: true,
        description: "slow the guest down where it changes its memory faster than that is copied",
      })),
    }),
    output: Type.Object({
      toHost: Type.String(),
      disks: Type.Array(MigratedDisk),
      warnings: Type.Array(SentenceText(), {
        description: "what stayed here, and other things worth knowing",
      }),
    }),
    errors: [
      "QuotaExceeded",
      ...ERRORS,
      ...["VmBusy", "StorageBusy", "DiskExceedsPool", "JobCancelled", "LinkUndecided"] as const,
      ...["PlacementRuleBroken", "HostInMaintenance", "MovesFull", "StoreUnavailable"] as const,
    ],
    route: "POST /vms/{vmId}/migration",
    cli: ["vm", "migrate", "<vmId>", "<toHost>"],
    places: ["<vmId...>", "<toHost>"],
    examples: [
      "kvm-manager vm migrate web1 kvm2",
      "kvm-manager vm migrate web1 web2 'db-*' kvm2",
      "kvm-manager vm migrate web1 kvm2 --pool fast --bandwidth-mib 100",
    ],
    exampleFields: ["pool"],
    alsoNeeds: [{ permission: "storage.operate" }],
    isJob: true,
    mark: "power",
    readOnly: false,
  }),
};
