/** Protection of a disk against two VMs that write to it: libvirt's lock manager, and a cluster around the host. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { CLEARABLE, closed, NOTHING_IN, oneOf } from "./schema.ts";

/** Lock managers that libvirt has, and those that can be chosen here. */
export const LOCK_DRIVERS = ["none", "lockd", "sanlock", "unknown"] as const;
export type LockDriver = typeof LOCK_DRIVERS[number];
export const CHOSEN_LOCK_DRIVERS = ["none", "lockd", "sanlock"] as const;

/** Disks and hosts that are named in an answer. */
const MOST_NAMED = 100;

/** Most hosts of a lockspace of sanlock's; each has one of the numbers from 1 on. */
export const MOST_HOST_NUMBER = 2000;
const HostNumber = Type.Optional(Type.Union([Type.Integer(), Type.Null()], {
  description: "sanlock's number of the host (host_id); null where it has none",
}));

/** Name of a file by which hosts find out that they see the same folder: none can be guessed. */
export const FOLDER_MARK = "^\\.kvm-manager-[0-9a-f]{32}$";

const SharedDisk = Type.Object({
  vm: Type.String(),
  target: Type.String(),
  storage: Type.String({ description: "what other hosts reach it by" }),
  shareable: Type.Boolean({ description: "several VMs may have it at the same time" }),
  guarded: Type.Boolean({
    description: "lockd gives leases for it; it gives none for network disks (RBD, iSCSI by QEMU)",
  }),
});
export type SharedDisk = Static<typeof SharedDisk>;

const OtherHost = Type.Object({
  host: Type.String(),
  driver: Type.Union([oneOf(LOCK_DRIVERS), Type.Null()], {
    description: "null where it does not answer or tells nothing of it",
  }),
  lockspace: Type.Union([Type.String(), Type.Null()]),
  storage: Type.Union([Type.String(), Type.Null()], { description: "what it has in common with this host" }),
  hostNumber: HostNumber,
});
export type OtherHost = Static<typeof OtherHost>;

export const LockManager = Type.Object({
  driver: oneOf(LOCK_DRIVERS, {
    description: "as qemu.conf has it; unknown: another word, or it cannot be read",
  }),
  pending: Type.Boolean({ description: "libvirt was started before its files were changed" }),
  fault: Type.Union([Type.String(), Type.Null()], {
    description: "what in the files libvirt would not read",
  }),
  plugin: Type.Boolean({ description: "libvirt has the driver that is chosen; lockd's where none is" }),
  daemon: Type.Boolean({ description: "the driver's daemon listens" }),
  automatic: Type.Boolean({ description: "each disk gets a lease; else only VMs with <lease> devices do" }),
  required: Type.Boolean({ description: "a VM with writable disks and without leases does not start" }),
  lockspace: Type.Union([Type.String(), Type.Null()], {
    description: "folder of the leases; null: they are on the disks' own files",
  }),
  lockspaceShared: Type.Union([Type.Boolean(), Type.Null()], {
    description: "that folder is on a network file system; null without one",
  }),
  leases: Type.Union([Type.Integer(), Type.Null()], {
    description: "that the lock daemon holds now; null where that cannot be seen",
  }),
  hostNumber: HostNumber,
  sanlock: Type.Optional(Type.Object({
    plugin: Type.Boolean({ description: "libvirt has its driver" }),
    daemon: Type.Boolean({ description: "its daemon listens" }),
    joined: Type.Union([Type.String(), Type.Null()], {
      description:
        "NUMBER:FOLDER that its daemon has joined for libvirt, and stays with until it is restarted",
    }),
  })),
  runningVms: Type.Integer(),
  sharedDisks: Type.Array(SharedDisk, {
    maxItems: MOST_NAMED,
    description: "writable disks that other hosts may reach, and shareable ones",
  }),
  networks: Type.Array(Type.String(), {
    maxItems: MOST_NAMED,
    description: "network storage of pools and disks",
  }),
  sees: Type.Array(Type.String(), {
    maxItems: 64,
    description: "of the marks that were asked for, those in its pools",
  }),
  others: Type.Array(OtherHost, { maxItems: MOST_NAMED, description: "linked hosts" }),
  obstacle: Type.Union([Type.String(), Type.Null()], {
    description: "why it cannot be changed from here now; null where it can",
  }),
});
export type LockManager = Static<typeof LockManager>;

const ClusterResource = Type.Object({
  id: Type.String(),
  vm: Type.Union([Type.String(), Type.Null()], { description: "name of the VM that it is" }),
  agent: Type.String(),
  role: Type.String(),
  nodes: Type.Array(Type.String()),
  managed: Type.Boolean(),
  failed: Type.Boolean(),
});

export const HostCluster = Type.Object({
  installed: Type.Boolean({ description: "crm_mon is there" }),
  error: Type.Union([Type.String(), Type.Null()], { description: "why its state cannot be seen" }),
  quorum: Type.Boolean(),
  fencing: Type.Boolean({ description: "stonith-enabled" }),
  maintenance: Type.Boolean(),
  nodes: Type.Array(Type.Object({
    name: Type.String(),
    online: Type.Boolean(),
    standby: Type.Boolean(),
    maintenance: Type.Boolean(),
    unclean: Type.Boolean({ description: "it has to be fenced before its resources start elsewhere" }),
  })),
  resources: Type.Array(ClusterResource),
});
export type HostCluster = Static<typeof HostCluster>;

const MANAGE = { role: "administrator", withoutLibvirt: true } as const;

export const lockManagerCommands = {
  get_lock_manager: command({
    ...MANAGE,
    summary: "Show what guards disks against VMs that are started twice",
    description: "libvirt's lock manager, the disks that other hosts may reach, and what linked hosts have.",
    input: closed({
      marks: Type.Optional(Type.Array(Type.String({ maxLength: 45, pattern: FOLDER_MARK }), {
        maxItems: 64,
        description: "files that are looked for in the folders of pools",
      })),
    }),
    output: LockManager,
    errors: ["NotOnThisHost"],
    route: "GET /host/lock-manager",
    cli: ["host", "lock-manager"],
    readOnly: true,
  }),
  set_lock_manager: command({
    role: "administrator",
    summary: "Turn libvirt's lock manager on or off",
    description:
      "Writes qemu.conf and the file of the lock manager, restarts libvirt – VMs go on running – and starts a small VM to " +
      "see that it gets a lease. When a step fails, the files are put back. VMs get their leases when they are started or " +
      "resumed next. While the lock daemon is away, no VM can be started or resumed. sanlock must run already.",
    input: closed({
      driver: oneOf(CHOSEN_LOCK_DRIVERS),
      lockspace: Type.Optional(Type.String({
        ...CLEARABLE,
        maxLength: 1024,
        pattern: '^(?:/[^/\\u0000-\\u001f"]+)*$',
        description:
          "folder for leases, the same on all hosts and on storage that they share; virtlockd needs it for block devices. " +
          "Empty: leases are on the disks' own files, sanlock's in its default folder. Left out, it stays",
      })),
      hostNumber: Type.Optional(Type.Integer({
        minimum: 1,
        maximum: MOST_HOST_NUMBER,
        description:
          "sanlock: number of this host, another one on each host with the folder. Left out, it stays",
      })),
      restart: Type.Optional(Type.Boolean({
        default: false,
        description: "restart libvirt; without it nothing is changed",
      })),
      whileRunning: Type.Optional(Type.Boolean({
        default: false,
        description:
          "although VMs run, which have no leases then. With virtlockd, one that is paused and resumed before it was shut down " +
          "keeps its lease after its end, until virtlockd is restarted",
      })),
    }),
    output: Type.Object({
      driver: oneOf(LOCK_DRIVERS),
      changed: Type.Boolean(),
      backups: Type.Array(Type.String(), { description: "copies of the files before the change" }),
    }),
    errors: ["NotOnThisHost", "LockManagerRefused", "LockManagerFailed"],
    route: "PUT /host/lock-manager",
    cli: ["host", "set-lock-manager", "<driver>"],
    examples: [
      "kvm-manager host set-lock-manager lockd --restart",
      "kvm-manager host set-lock-manager lockd --lockspace /srv/locks --restart",
      "kvm-manager host set-lock-manager sanlock --lockspace /srv/locks --host-number 1 --restart",
    ],
    activityFor: "administrators",
    isJob: true,
    readOnly: false,
  }),
  get_host_cluster: command({
    ...MANAGE,
    summary: "Show the Pacemaker cluster that the host is in",
    description: "Asks crm_mon and cibadmin, where they are installed. Nothing is changed.",
    input: NOTHING_IN,
    output: HostCluster,
    errors: ["NotOnThisHost"],
    route: "GET /host/cluster",
    cli: ["host", "cluster"],
    readOnly: true,
  }),
};
