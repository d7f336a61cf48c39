/** Files in copies. Pure. */
import type { BackupFile } from "../contract/backups.ts";

/** Bits of a mode that say what a file is, and what they say. Source: inode(7). */
const TYPE = 0o170000;
const KINDS: ReadonlyMap<number, BackupFile["kind"]> = new Map([
  [0o100000, "file"],
  [0o040000, "folder"],
  [0o120000, "link"],
]);

/** Kind of a file, from its mode. */
export const fileKind = (mode: number): BackupFile["kind"] => KINDS.get(mode & TYPE) ?? "other";

/** A VM's copy of a run. */
export interface CopyPlace {
  readonly backupId: string;
  readonly runId: string;
  readonly vmId: string;
}
/** A place in a file system of a copy. */
export interface FilePlace {
  readonly filesystem: string;
  readonly path: string;
}

/** Address of the page of a folder; of the file systems, where there is no place. */
export const filesHref = ({ backupId, runId, vmId }: CopyPlace, place?: FilePlace): string =>
  `/backups/${encodeURIComponent(backupId)}/files?${new URLSearchParams({ run: runId, vm: vmId, ...place })}`;

/** Address of the content of a file, or of a folder as an archive. */
export function fileContentHref(
  { backupId, runId, vmId }: CopyPlace,
  { filesystem, path }: FilePlace,
): string {
  const parts = [backupId, "runs", runId, "vms", vmId].map(encodeURIComponent).join("/");
  return `/api/v1/backups/${parts}/files/content?${new URLSearchParams({ filesystem, path })}`;
}

/** The folder above a place; above the root, the file systems. */
export function parentOf({ filesystem, path }: FilePlace): FilePlace | undefined {
  if (path === "/") return undefined;
  return { filesystem, path: path.slice(0, path.lastIndexOf("/")) || "/" };
}
