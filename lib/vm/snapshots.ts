/** Decides which snapshots a VM can have, and which of them it can be reverted to, before libvirt is asked. Pure. */
import { message, type Sentence } from "../i18n/message.ts";
import type { Disk, VM } from "../contract/vm.ts";
import { diskTargetsOf, reachOf, type SnapshotSummary } from "../formats/xml/snapshot.ts";
import type { XmlElement } from "../formats/xml/tree.ts";

/** The name of a snapshot that was given none: when it was taken, in UTC. */
export const snapshotNameAt = (now: number, prefix = "snapshot"): string =>
  `${prefix}-${new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "-")}`;

/** Disks whose content a snapshot keeps: what is written to. */
export const keptDisks = (disks: readonly Disk[]): Disk[] =>
  disks.filter(({ device, readOnly, source }) => device === "disk" && !readOnly && source !== undefined);

/** How a snapshot is kept. */
export type SnapshotKind =
  /** Within the qcow2 disks, with the memory of what runs. */
  | { readonly kind: "internal" }
  /** The disks go on in new images and stay as they are; without memory. `reason`: why not within them. */
  | { readonly kind: "external"; readonly reason: Sentence };

/** Facts about a VM that is to have a snapshot. */
export interface SnapshotSubject {
  readonly vm: Pick<VM, "persistent" | "firmware" | "disks" | "state">;
  readonly domain: XmlElement;
  /** The snapshots that it has. */
  readonly present: readonly Pick<SnapshotSummary, "isExternal">[];
  /** Targets of its encrypted disks. */
  readonly encrypted: readonly string[];
  /** Reason why it cannot be reverted to a snapshot within its disks, as the end of a sentence. */
  readonly bar?: Sentence | undefined;
}

const isOn = ({ state }: SnapshotSubject["vm"]) => state !== "stopped" && state !== "crashed";

/** Why a VM with saved memory neither gets a snapshot nor goes back to one; undefined where it has none. */
export const savedMemoryHindrance = ({ state }: Pick<VM, "state">): Sentence | undefined =>
  state === "suspended" ? "it is suspended. Start it, or discard its saved memory, first" : undefined;

/** Reason why a VM can have no snapshot at all, as a sentence. */
function hindrance({ vm, encrypted }: SnapshotSubject): Sentence | undefined {
  if (!vm.persistent) return "the VM is transient: it disappears when it stops";
  const disks = keptDisks(vm.disks);
  if (disks.length === 0) return "it has no disk that could keep a snapshot";
  const other = disks.find(({ format }) => format !== "qcow2" && format !== "raw");
  if (other) {
    return other.format === undefined
      ? message`disk ${other.target} is of an unknown format: only qcow2 and raw disks can have snapshots. Convert it first`
      : message`disk ${other.target} is ${other.format}: only qcow2 and raw disks can have snapshots. Convert it first`;
  }
  const shared = disks.find(({ shareable }) => shareable);
  if (shared) return message`disk ${shared.target} is shared with other VMs`;
  const secret = disks.find(({ target }) => encrypted.includes(target));
  if (secret) return message`disk ${secret.target} is encrypted: what a snapshot goes on in would not be`;
  return savedMemoryHindrance(vm);
}

/** Why a snapshot cannot lie within the disks; undefined where it can. */
function outside(
  { vm, domain, present, bar }: SnapshotSubject,
  disksOnly: boolean,
): Sentence | undefined {
  if (vm.firmware !== "bios") {
    return "the VM uses UEFI, whose variables cannot be kept in an internal snapshot";
  }
  const raw = keptDisks(vm.disks).find(({ format }) => format === "raw");
  if (raw) return message`disk ${raw.target} is raw, which has no room for a snapshot`;
  if (present.some(({ isExternal }) => isExternal)) return "the VM has external snapshots already";
  if (bar !== undefined) return message`${bar}, with which no VM goes back to what is within its disks`;
  if (!isOn(vm)) return undefined;
  if (disksOnly) return "the VM runs, and its memory is left out";
  const devices = domain.children.find(({ name }) => name === "devices")?.children ?? [];
  const has = (wanted: string) => devices.some(({ name }) => name === wanted);
  if (has("hostdev")) return "the VM has a device of the host, whose state cannot be kept";
  return has("filesystem") ? "the VM has a shared folder, whose state cannot be kept" : undefined;
}

/** Why no snapshot can be taken, as the end of a sentence. */
export interface NoSnapshot {
  readonly kind: "none";
  readonly reason: Sentence;
}

export const noSnapshot = (reason: Sentence): NoSnapshot => ({ kind: "none", reason });

/**
 * How the next snapshot of a VM is kept, or what hinders it.
 *
 * @param disksOnly the memory of what runs is left out
 */
export function snapshotKind(subject: SnapshotSubject, disksOnly = false): SnapshotKind | NoSnapshot {
  const no = hindrance(subject);
  if (no !== undefined) return noSnapshot(no);
  const reason = outside(subject, disksOnly);
  if (reason === undefined) return { kind: "internal" };
  if (subject.present.some(({ isExternal }) => !isExternal)) {
    return noSnapshot(
      message`${reason}, so that it would be external, and the VM has internal snapshots: delete those first`,
    );
  }
  const elsewhere = keptDisks(subject.vm.disks).find(({ type }) => type !== "file");
  if (elsewhere) {
    return noSnapshot(
      message`${reason}, and disk ${elsewhere.target} is not a file: only files can have external snapshots`,
    );
  }
  return { kind: "external", reason };
}

/** Reason against reverting to an external snapshot of disks alone, as far as the definitions tell. */
export function externalRevertHindrance(
  { memory, externalDisks }: Pick<SnapshotSummary, "memory" | "externalDisks">,
  disks: readonly Disk[],
): Sentence | undefined {
  if (memory !== "no") {
    return "it is external, and so is its memory, which this version of libvirt cannot bring back";
  }
  const now = keptDisks(disks).map(({ target }) => target);
  const then = externalDisks.map(({ target }) => target);
  const gone = without(then, now)[0], added = without(now, then)[0];
  if (gone !== undefined) return message`disk ${gone} is not the VM's any more`;
  if (added !== undefined) return message`it does not have disk ${added}. Detach that first`;
  const odd = externalDisks.find(({ type, path, format }) =>
    type !== "file" || path === undefined || (format !== "raw" && format !== "qcow2")
  );
  return odd && message`its external image of disk ${odd.target} is no file of this host`;
}

/** Reason against reverting to a snapshot. */
export interface RevertHindrance {
  readonly reason: Sentence;
  /** An administrator may all the same. */
  readonly forOthers: boolean;
}

const without = (these: readonly string[], those: readonly string[]) => {
  const known = new Set(those);
  return these.filter((each) => !known.has(each));
};

/** Its target from an entry of {@link diskTargetsOf}. */
const targetOf = (disk: string): string => String((JSON.parse(disk) as unknown[])[0]);

/**
 * Reason against reverting to a snapshot within the disks; undefined for none. A definition that was in force then
 * comes back with it: it must have the disks of now, and reach no other object of the host unless an administrator
 * wants that. A device that only the running VM has is no excuse: an administrator may have removed it from the
 * definition already.
 *
 * @param now the present definitions: the stored one, and after it the running one
 */
export function revertHindrance(
  { domains }: Pick<SnapshotSummary, "domains">,
  now: readonly XmlElement[],
): RevertHindrance | undefined {
  const disks = now.flatMap(diskTargetsOf), reach = reachOf(now[0]);
  for (const domain of domains) {
    const then = diskTargetsOf(domain);
    const gone = without(then, disks)[0];
    if (gone !== undefined) {
      return {
        reason: message`disk ${targetOf(gone)} is not the VM's any more, or another one now`,
        forOthers: false,
      };
    }
    const added = without(disks, then)[0];
    if (added !== undefined) {
      return { reason: message`disk ${targetOf(added)} was added since. Detach it first`, forOthers: false };
    }
  }
  const more = domains.flatMap((domain) => without(reachOf(domain), reach));
  return more.length === 0 ? undefined : {
    reason: "the VM had other devices, networks or media then, which only an administrator may give back",
    forOthers: true,
  };
}
