/** Distinguishes a VM from another one with the same id, and finds lost tags and groups. Pure. */
import type { LostLabels, VmLabels } from "../contract/vm.ts";

/** Properties that identify a VM in addition to its id. */
export interface VmIdentity {
  readonly name: string;
  /** When KVM Manager made it, in milliseconds since 1970; null where it did not, or its definition does not say. */
  readonly createdAt: number | null;
  /** MAC addresses of its cards, in small letters. */
  readonly macs: readonly string[];
  /** Sources of its disks. */
  readonly disks: readonly string[];
}

const shares = (a: readonly string[], b: readonly string[]) => a.some((each) => b.includes(each));

/**
 * Whether a VM that has the id of one that was deleted is that one: put back from the bin, or defined once more. When it was
 * made decides, where both say so and they have not a disk and a card in common; else a disk or a card that both have. A VM of
 * the same name is the same one, too, where at most one of those things is another: somebody has moved its disk, say.
 */
export function isSameVm(before: VmIdentity, now: VmIdentity): boolean {
  const areDisksShared = shares(before.disks, now.disks), areMacsShared = shares(before.macs, now.macs);
  if (areDisksShared && areMacsShared) return true;
  if (before.createdAt !== null && now.createdAt !== null) return before.createdAt === now.createdAt;
  if (areDisksShared || areMacsShared) return true;
  const changed = [
    before.disks.length + now.disks.length > 0,
    before.macs.length + now.macs.length > 0,
    before.createdAt !== now.createdAt,
  ].filter(Boolean);
  return before.name === now.name && changed.length <= 1;
}

/**
 * Whether a VM that was not watched for a while is still that one, or was deleted and another one has its id. Unlike with
 * {@link isSameVm} it may be there as before, with other disks or cards: its name decides where not both tell it apart.
 */
export function isStillVm(before: VmIdentity, now: VmIdentity): boolean {
  if (isSameVm(before, now)) return true;
  if (before.createdAt !== null && now.createdAt !== null) return false;
  const both = (of: "disks" | "macs") => before[of].length > 0 && now[of].length > 0;
  return before.name === now.name && !(both("disks") && both("macs"));
}

/** Tags and the group that a VM had and has no more; undefined where it has them all. Another group takes the place of one. */
export function lostLabels(before: VmLabels, now: VmLabels): LostLabels | undefined {
  const tags = before.tags.filter((tag) => !now.tags.includes(tag));
  const group = before.group === now.group ? undefined : before.group;
  if (tags.length === 0 && group === undefined) return undefined;
  return { tags, ...(group !== undefined && { group }) };
}
