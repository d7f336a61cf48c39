/** Replications: VMs that are kept up to date on a linked host, replicas of other hosts' VMs, and switch-over. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { NetworkChoices } from "./migration.ts";
import { HostName } from "./on_host.ts";
import { closed, NOTHING_OUT, oneOf, SentenceText, Timestamp, VmId } from "./schema.ts";
import { PoolName } from "./storage.ts";

/** Most replications, and replicas, of a host. */
export const MOST_REPLICATIONS = 500;
/** Seconds between two increments: from a minute to a day. */
export const REPLICATION_SECONDS = { least: 60, usual: 900, most: 86_400 } as const;

const ReplicationId = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[0-9A-Za-z-]+$",
  description: "id of the replication: the same on both hosts",
});
const EverySeconds = Type.Integer({
  minimum: REPLICATION_SECONDS.least,
  maximum: REPLICATION_SECONDS.most,
  description: "seconds from the beginning of an increment to that of the next; 900 in a new one",
});
const MaxLag = Type.Integer({
  minimum: REPLICATION_SECONDS.least,
  maximum: 30 * REPLICATION_SECONDS.most,
  description:
    "seconds that the replica may be behind; three times the interval, and 10 minutes at least, in a new one",
});
const MaxMib = Type.Integer({
  minimum: 0,
  maximum: 1_000_000,
  description: "MiB a second at most that are read and sent; 0, as in a new one: no limit",
});

/** How an increment went. */
export const ReplicationRun = Type.Object({
  startedAt: Timestamp,
  endedAt: Type.Union([Timestamp, Type.Null()]),
  state: oneOf(["running", "done", "failed"]),
  message: Type.Union([SentenceText(), Type.Null()], { description: "why it failed, or read all disks" }),
  changedBytes: Type.Integer({
    description: "of the disks, that had changed or were sent for another reason",
  }),
  sentBytes: Type.Integer({ description: "through the link, compressed" }),
});
export type ReplicationRun = Static<typeof ReplicationRun>;

/** Fields of the last complete increment. */
const finished = {
  takenAt: Type.Union([Timestamp, Type.Null()], {
    description:
      "the moment that the last whole increment shows, by the clock of the VM's host; null: none is whole yet",
  }),
  lagSeconds: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
    description: "seconds since that moment: what is written since is not in the replica",
  }),
  late: Type.Boolean({ description: "the replica is further behind than it may be" }),
};

/** `lost`: the VM was made of the replica on the other host, and the one here is no longer the owner. */
export const REPLICATION_STATES = ["active", "paused", "undecided", "lost"] as const;

export const Replication = Type.Object({
  id: Type.String(),
  vmId: Type.String(),
  vmName: Type.String(),
  toHost: Type.String({ description: "the linked host that has the replica" }),
  state: oneOf(REPLICATION_STATES, {
    description:
      "lost: the VM was started from the replica there, and is not started here. undecided: whether it was is not known " +
      "until that host answers",
  }),
  everySeconds: Type.Integer(),
  maxLagSeconds: Type.Integer(),
  maxMibPerSecond: Type.Integer(),
  networks: Type.Optional({
    ...NetworkChoices,
    description: "networks of this host → those of that host; others are those of the same name",
  }),
  createdAt: Timestamp,
  ...finished,
  running: Type.Boolean(),
  next: Type.Union([Timestamp, Type.Null()], { description: "when the next increment begins" }),
  lastRun: Type.Union([ReplicationRun, Type.Null()]),
});
export type Replication = Static<typeof Replication>;

export const REPLICA_STATES_TOLD = ["replica", "promoted"] as const;

export const Replica = Type.Object({
  id: Type.String(),
  vmId: Type.String({
    description: "of the VM that it is a replica of; the VM that is made of it has the same",
  }),
  vmName: Type.String(),
  from: Type.String({ description: "the host that it comes from, as that calls itself" }),
  state: oneOf(REPLICA_STATES_TOLD, { description: "promoted: a VM was made of it" }),
  pool: Type.String(),
  folder: Type.String({ description: "where its files are" }),
  bytes: Type.Integer({ description: "of its disks, as the guest sees them" }),
  everySeconds: Type.Integer(),
  createdAt: Timestamp,
  ...finished,
  promotedAt: Type.Union([Timestamp, Type.Null()]),
  test: Type.Union([
    Type.Object({ vmId: Type.String(), name: Type.String(), since: Timestamp }),
    Type.Null(),
  ], { description: "the VM that was started of it as a test" }),
});
export type Replica = Static<typeof Replica>;

/** Effects of a switchover to a VM's replica at this moment. */
export const SwitchOverPlan = Type.Object({
  possible: Type.Boolean(),
  takenAt: Type.Union([Timestamp, Type.Null()], { description: "everything written up to then is there" }),
  lostSeconds: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
    description: "what was written in the last so many seconds is lost",
  }),
  findings: Type.Array(Type.Object({
    level: oneOf(["problem", "warning"]),
    text: SentenceText(),
    about: Type.Optional(oneOf(["network"], { description: "another network can be chosen" })),
  })),
  networks: Type.Optional(Type.Array(
    Type.Object({
      name: Type.String(),
      state: oneOf(["active", "off", "missing"]),
    }),
    { description: "of this host, that its network cards come into" },
  )),
});
export type SwitchOverPlan = Static<typeof SwitchOverPlan>;

const OUTGOING = [
  "ReplicationNotFound",
  "ReplicationBusy",
  "ReplicationNotPossible",
  "ReplicationFailed",
  "ReplicationOwnerLost",
  "ReplicaPromoted",
  "LinkedHostAway",
  "LinkedHostNonsense",
  "HostNotFound",
  "StoreUnavailable",
  "VmNotFound",
  "VmNotOwner",
] as const;
const INCOMING = [
  "ReplicaNotFound",
  "ReplicationBusy",
  "ReplicationNotPossible",
  "ReplicationFailed",
  "StoreUnavailable",
] as const;

const ReplicaId = { ...ReplicationId, description: "id of the replica" };

export const replicationCommands = {
  list_replications: command({
    summary: "List the VMs of this host that are replicated to others",
    role: "operator",
    input: closed({}),
    output: Type.Array(Replication),
    errors: ["StoreUnavailable"],
    route: "GET /replications",
    cli: ["replication", "list"],
    lookup: { fields: ["replicationId"], by: "vmName", more: "toHost", missing: "ReplicationNotFound" },
    columns: ["vmName", "toHost", "state", "lagSeconds", "late", "everySeconds", "running", "lastRun.state"],
    wide: ["id", "takenAt", "createdAt", "maxLagSeconds"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  create_replication: command({
    summary: "Keep a VM up to date on a linked host",
    description:
      "Its disks are copied there once, and then what has changed, at the interval, also while it runs; UEFI variables, the " +
      "TPM's state and the definition go along. What is there is no VM and cannot be started until switch-over. Answers at " +
      "once; the first copy begins in a moment.",
    role: "administrator",
    input: closed({
      vmId: VmId,
      toHost: { ...HostName, description: "the linked host that it goes to: its id" },
      everySeconds: Type.Optional(EverySeconds),
      maxLagSeconds: Type.Optional(MaxLag),
      maxMibPerSecond: Type.Optional(MaxMib),
      pool: Type.Optional({
        ...PoolName,
        description: "of that host, a folder's; left out, the usual one",
      }),
      networks: Type.Optional(NetworkChoices),
      takeOld: Type.Optional(Type.Boolean({
        default: false,
        description:
          "where that host has the VM as it was before a switch-over: its disks become the replica, so that only what " +
          "differs is sent, and the old VM goes into the bin there",
      })),
    }),
    output: Replication,
    errors: [
      ...OUTGOING,
      "VmNotPersistent",
      "NetworkNotFound",
      "ReplicationExists",
      "TooManyReplications",
      "NoAccount",
      "Forbidden",
    ],
    route: "POST /vms/{vmId}/replications",
    cli: ["replication", "create", "<vmId>", "<toHost>"],
    examples: [
      "kvm-manager replication create web1 kvm2",
      "kvm-manager replication create web1 kvm2 --every-seconds 60 --max-mib-per-second 50",
      `kvm-manager replication create web1 kvm2 --networks '[{"from":"lan","to":"lan2"}]'`,
    ],
    exampleFields: ["everySeconds"],
    alsoNeeds: [{ permission: "storage.operate" }],
    makesAt: "/replications",
    readOnly: false,
  }),
  update_replication: command({
    summary: "Change a replication, pause it or go on with it",
    role: "administrator",
    input: closed({
      replicationId: ReplicationId,
      everySeconds: Type.Optional(EverySeconds),
      maxLagSeconds: Type.Optional(MaxLag),
      maxMibPerSecond: Type.Optional(MaxMib),
      networks: Type.Optional({
        ...NetworkChoices,
        description:
          "networks of this host → those of that host, in place of those before; the next increment, which begins at once unless it is paused, takes them there",
      }),
      paused: Type.Optional(Type.Boolean({ description: "begins no increment" })),
    }),
    output: Replication,
    errors: ["ReplicationNotFound", "NetworkNotFound", "NoAccount", "StoreUnavailable"],
    route: "PATCH /replications/{replicationId}",
    cli: ["replication", "update", "<replicationId>"],
    examples: ["kvm-manager replication update web1 --paused"],
    readOnly: false,
    withoutLibvirt: true,
  }),
  replicate_now: command({
    summary: "Replicate a VM now",
    description: "Answers when the increment is whole on the other host; meanwhile it is a job.",
    role: "administrator",
    input: closed({ replicationId: ReplicationId }),
    output: ReplicationRun,
    errors: [...OUTGOING, "JobCancelled"],
    route: "POST /replications/{replicationId}/now",
    cli: ["replication", "run", "<replicationId>"],
    isJob: true,
    readOnly: false,
  }),
  delete_replication: command({
    summary: "End a replication, and delete the replica",
    description:
      "A replica of which a VM was made is left there. The VM here can be started again then: see to it that it runs on one " +
      "host alone.",
    role: "administrator",
    input: closed({
      replicationId: ReplicationId,
      keepReplica: Type.Optional(Type.Boolean({
        default: false,
        description: "leave the replica there: also where that host does not answer",
      })),
      reclaim: Type.Optional(Type.Boolean({
        default: false,
        description: "needed where the VM was started from the replica: this host's VM is the owner again",
      })),
    }),
    output: NOTHING_OUT,
    errors: OUTGOING,
    route: "DELETE /replications/{replicationId}",
    cli: ["replication", "delete", "<replicationId>"],
    destroys: "The replica is deleted on the other host",
    readOnly: false,
  }),
  switch_over: command({
    summary: "Shut a VM down here, and start it from its replica",
    description:
      "Sends an increment, shuts the guest down, sends what it wrote last, and makes a VM of the replica. Nothing is lost. " +
      "The VM here stays off and is not started any more.",
    role: "administrator",
    input: closed({
      replicationId: ReplicationId,
      deadlineSeconds: Type.Optional(Type.Integer({
        minimum: 10,
        maximum: 3600,
        default: 120,
        description: "seconds that the guest has to shut down; then it goes on here",
      })),
      start: Type.Optional(Type.Boolean({ default: true, description: "start it there" })),
    }),
    output: Type.Object({
      vmId: Type.String(),
      toHost: Type.String(),
      started: Type.Boolean(),
      takenAt: Timestamp,
    }),
    errors: [
      "QuotaExceeded",
      "HostInMaintenance",
      ...OUTGOING,
      "JobCancelled",
      "StopFailed",
      "VmBusy",
      "HasSavedMemory",
      "LinkUndecided",
    ],
    route: "POST /replications/{replicationId}/switch-over",
    cli: ["replication", "switch-over", "<replicationId>"],
    isJob: true,
    mark: "power",
    readOnly: false,
  }),
  list_replicas: command({
    summary: "List the replicas of other hosts' VMs on this host",
    role: "operator",
    input: closed({}),
    output: Type.Array(Replica),
    errors: ["StoreUnavailable"],
    route: "GET /replicas",
    cli: ["replica", "list"],
    lookup: { fields: ["replicaId"], by: "vmName", more: "from", missing: "ReplicaNotFound" },
    columns: ["vmName", "from", "state", "lagSeconds", "late", "pool", "bytes", "test"],
    ifTold: ["test"],
    wide: ["id", "takenAt", "createdAt", "folder"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  get_switch_over_plan: command({
    summary: "Show what is lost when a replica takes over now, and what is in the way",
    role: "operator",
    input: closed({ replicaId: ReplicaId }),
    output: SwitchOverPlan,
    errors: ["ReplicaNotFound", "ReplicationFailed", "StoreUnavailable"],
    route: "GET /replicas/{replicaId}/switch-over",
    cli: ["replica", "plan", "<replicaId>"],
    readOnly: true,
  }),
  promote_replica: command({
    summary: "Create a VM from a replica, because its host is away",
    description:
      "What was written since the last whole increment is lost; get_switch_over_plan tells how much. The other host learns it " +
      "when it is back, and does not start its VM any more; one that runs there then is not stopped. Where that host works, " +
      "switch over from there instead: nothing is lost then.",
    role: "administrator",
    input: closed({
      replicaId: ReplicaId,
      start: Type.Optional(Type.Boolean({ default: true, description: "start it" })),
      networks: Type.Optional({
        ...NetworkChoices,
        description: "networks of its definition here → those of this host that its cards come into instead",
      }),
      force: Type.Optional(Type.Boolean({
        default: false,
        description: "also where the VM is seen running on its host: it would run twice",
      })),
    }),
    output: Type.Object({
      vmId: Type.String(),
      started: Type.Boolean(),
      takenAt: Timestamp,
      lostSeconds: Type.Integer(),
      warnings: Type.Array(SentenceText()),
    }),
    errors: ["QuotaExceeded", "HostInMaintenance", ...INCOMING, "JobCancelled", "StartFailed"],
    route: "POST /replicas/{replicaId}/switch-over",
    cli: ["replica", "promote", "<replicaId>"],
    destroys:
      "what the VM wrote since its last increment; make sure that the VM does not run on its host any more",
    isJob: true,
    mark: "power",
    readOnly: false,
  }),
  test_replica: command({
    summary: "Start a throw-away VM of a replica",
    description:
      "It has other ids and MAC addresses, its network cards have no link, and what it writes is thrown away at its end. " +
      "Replication goes on meanwhile.",
    role: "administrator",
    input: closed({ replicaId: ReplicaId }),
    output: Replica,
    errors: ["HostInMaintenance", ...INCOMING, "JobCancelled"],
    route: "POST /replicas/{replicaId}/test",
    cli: ["replica", "test", "<replicaId>"],
    isJob: true,
    readOnly: false,
  }),
  end_replica_test: command({
    summary: "End the test of a replica, and delete what it wrote",
    role: "administrator",
    input: closed({ replicaId: ReplicaId }),
    output: Replica,
    errors: INCOMING,
    route: "DELETE /replicas/{replicaId}/test",
    cli: ["replica", "end-test", "<replicaId>"],
    readOnly: false,
  }),
  delete_replica: command({
    summary: "Delete a replica whose host is away",
    description:
      "Its files are deleted. Of one that a VM was made of, only the note goes by which the other host learns that it is no " +
      "longer the owner.",
    role: "administrator",
    input: closed({ replicaId: ReplicaId }),
    output: NOTHING_OUT,
    errors: INCOMING,
    route: "DELETE /replicas/{replicaId}",
    cli: ["replica", "delete", "<replicaId>"],
    destroys: "The replica and its files are deleted",
    readOnly: false,
  }),
};
