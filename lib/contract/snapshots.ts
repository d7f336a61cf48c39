/** Snapshots of VMs: points that a VM can go back to. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { closed, NOTHING_OUT, oneOf, SentenceText, Timestamp, VmId } from "./schema.ts";

/** Name of a snapshot to be taken: part of a file's name, and of qcow2's own table. */
const NewSnapshotName = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: "^[A-Za-z0-9_][A-Za-z0-9_. -]*$",
  description: "1–64 letters, digits, blanks, dots, dashes and underscores, beginning with a letter or digit",
});
/** Name of one that is there: other programs take other names. */
const SnapshotName = Type.String({ minLength: 1, maxLength: 255 });

export const SNAPSHOT_STATES = ["stopped", "running", "paused", "other"] as const;

export const Snapshot = Type.Object({
  name: Type.String(),
  description: Type.String({ description: "empty where there is none" }),
  createdAt: Timestamp,
  parent: Type.Optional(Type.String({ description: "the snapshot it came from; absent for the first" })),
  current: Type.Boolean({ description: "what the VM is now came from it" }),
  state: oneOf(SNAPSHOT_STATES, { description: "state the VM had, and is in again after a revert" }),
  memory: Type.Boolean({ description: "the memory was kept, too" }),
  external: Type.Boolean({ description: "its disks are images of their own, which others are built on" }),
  loses: Type.Optional(
    Type.Array(Type.String(), {
      description:
        "of an external one: paths of the images that a revert deletes, with what was written since",
    }),
  ),
  hindrance: Type.Optional(SentenceText({ description: "why the VM cannot be reverted to it" })),
});
export type Snapshot = Static<typeof Snapshot>;

/** The images that a disk is made of. */
export const DiskChain = Type.Object({
  target: Type.String({ description: "vda, sda, …" }),
  images: Type.Array(
    Type.Object({
      path: Type.String(),
      snapshots: Type.Array(Type.String(), { description: "names of the snapshots whose content it is" }),
    }),
    { description: "what the VM writes to first, then what each is built on" },
  ),
});
export type DiskChain = Static<typeof DiskChain>;

export const SnapshotList = Type.Object({
  snapshots: Type.Array(Snapshot, { description: "parents before their children" }),
  hindrance: Type.Optional(SentenceText({ description: "why no snapshot can be taken now" })),
  withMemory: Type.Boolean({
    description: "one that is taken now keeps the memory: the VM stands still meanwhile",
  }),
  external: Type.Optional(
    Type.String({
      description:
        "why one that is taken now lies next to the disks, without memory; absent when it does not",
    }),
  ),
  quiesces: Type.Optional(
    Type.Boolean({
      description: "the guest agent answers, and has the guest write all to its disks before an external one",
    }),
  ),
  chains: Type.Optional(
    Type.Array(DiskChain, { description: "disks that are built on other images; absent when none is" }),
  ),
});
export type SnapshotList = Static<typeof SnapshotList>;

export const snapshotCommands = {
  list_snapshots: command({
    summary: "List a VM's snapshots",
    role: "viewer",
    input: closed({ vmId: VmId }),
    output: SnapshotList,
    errors: ["VmNotFound"],
    route: "GET /vms/{vmId}/snapshots",
    cli: ["snapshot", "list", "<vmId>"],
    columns: ["name", "createdAt", "state", "memory", "current", "parent"],
    readOnly: true,
  }),
  create_snapshot: command({
    summary: "Take a snapshot of a VM",
    description:
      "Its disks as they are now, within themselves (qcow2). Of a VM that runs the memory, too: it stands still until that " +
      "is written. Where that cannot be (UEFI, raw disks), or the memory is not wanted, the disks go on in new images " +
      "(external): list_snapshots says so first.",
    role: "operator",
    input: closed({
      vmId: VmId,
      name: Type.Optional(NewSnapshotName),
      description: Type.Optional(Type.String({ maxLength: 1000 })),
      memory: Type.Optional(
        Type.Boolean({
          description: "false: the memory of a VM that runs is left out. Kept where it can be",
        }),
      ),
      quiesce: Type.Optional(
        Type.Boolean({
          description:
            "the guest agent has the guest write all to its disks first, where memory is left out: true: " +
            "or there is no snapshot; false: never. Else where the agent answers",
        }),
      ),
    }),
    output: Type.Object({
      name: Type.String(),
      external: Type.Optional(Type.Boolean({ description: "true: it lies next to the disks" })),
      quiesced: Type.Optional(Type.Boolean({ description: "true: the guest had written all to its disks" })),
      notes: Type.Optional(Type.Array(SentenceText(), { description: "what is worth knowing of it" })),
    }),
    errors: [
      "VmNotFound",
      "SnapshotExists",
      "SnapshotNotPossible",
      "SnapshotFailed",
      "DiskRefused",
      "DiskExceedsPool",
      "StorageBusy",
    ],
    joins: true,
    route: "POST /vms/{vmId}/snapshots",
    cli: ["snapshot", "create", "<vmId>"],
    places: ["<vmId>", "[name]"],
    examples: ["kvm-manager snapshot create web1", "kvm-manager snapshot create web1 before-upgrade"],
    mark: "snapshot",
    readOnly: false,
  }),
  revert_snapshot: command({
    summary: "Bring a VM back to a snapshot",
    description:
      "Disks, memory where it was kept, and configuration as they were. The other snapshots stay. The VM is in the state " +
      "again that it had. Of an external snapshot the disks alone: the VM is stopped, and keeps its configuration.",
    role: "operator",
    input: closed({ vmId: VmId, name: SnapshotName }),
    output: NOTHING_OUT,
    errors: [
      "QuotaExceeded",
      "HostInMaintenance",
      "VmNotOwner",
      "DiskIsBase",
      "DiskInUse",
      "VmNotFound",
      "HasSavedMemory",
      "SnapshotNotFound",
      "SnapshotNotRevertable",
      "SnapshotRevertFailed",
    ],
    joins: true,
    route: "POST /vms/{vmId}/snapshots/{name}/revert",
    cli: ["snapshot", "revert", "<vmId>", "<name>"],
    destroys: "what the VM has now on its disks and in its memory",
    mark: "snapshot",
    readOnly: false,
  }),
  delete_snapshot: command({
    summary: "Delete a snapshot of a VM",
    description:
      "The VM stays as it is. Snapshots that came from it become its parent's. Images of an external one are " +
      "merged, so that chains get short again, also while the VM runs: a job.",
    role: "operator",
    input: closed({
      vmId: VmId,
      name: SnapshotName,
      children: Type.Optional(Type.Boolean({ default: false, description: "with all that came from it" })),
    }),
    output: NOTHING_OUT,
    errors: [
      "VmNotFound",
      "HasSavedMemory",
      "SnapshotNotFound",
      "SnapshotNotDeletable",
      "SnapshotDeleteFailed",
      "JobCancelled",
      "StorageBusy",
    ],
    joins: true,
    route: "DELETE /vms/{vmId}/snapshots/{name}",
    cli: ["snapshot", "delete", "<vmId>", "<name>"],
    destroys: "the snapshot",
    mark: "snapshot",
    readOnly: false,
  }),
};
