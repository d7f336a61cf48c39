/**
 * Names of checkpoints that backups keep in VMs: from each on, QEMU notes what is written. A name says which backup and
 * which copy it belongs to, so that one of another program, or of a copy that is gone, is never taken for it. Pure.
 */
import { isCopyId } from "./manifest.ts";

const PREFIX = "kvm-manager";

/** The name of the checkpoint that was made at the moment of a copy. */
export const checkpointName = (backupId: string, copyId: string): string => `${PREFIX}.${backupId}.${copyId}`;

/** Owner of a checkpoint; undefined for one of another program. */
export function checkpointOf(
  name: string,
): { readonly backupId: string; readonly copyId: string } | undefined {
  const [prefix, backupId, copyId, ...rest] = name.split(".");
  if (prefix !== PREFIX || rest.length > 0 || !backupId || copyId === undefined) return undefined;
  return isCopyId(copyId) ? { backupId, copyId } : undefined;
}
