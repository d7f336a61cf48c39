/** Calls on backups of running domains: QEMU copies disks as they are at one moment, while the guest goes on. */
import type { Connection } from "../connection.ts";
import { LibvirtError, VIR_ERR } from "../error.ts";
import { libvirt, ok, takeString } from "../library.ts";
import { cString } from "../memory.ts";
import { freeze as freezeGuest, thaw, withAgentLimit } from "./freeze.ts";
import { JOB, jobStats } from "./job.ts";

/** `VIR_DOMAIN_JOB_STATS_COMPLETED` and `VIR_DOMAIN_JOB_STATS_KEEP_COMPLETED` */
const STATS_COMPLETED = 3;
/** `virDomainJobOperation`: backup. */
const OPERATION_BACKUP = 9;

/** `VIR_DOMAIN_BACKUP_BEGIN_REUSE_EXTERNAL` */
const REUSE_EXTERNAL = 1;

/** A way to copy disks. */
export interface BackupWay {
  readonly xml: string;
  /** Its files are there already, as large as the disks: they are written to, and none is made. */
  readonly isReused?: boolean;
  /** The checkpoint that is made at that moment; null: none. */
  readonly checkpoint: string | null;
}

/** How a backup began. */
export interface BackupStart {
  /** Index of the strategy that it used. */
  readonly way: number;
  /** Why the ways before it could not be gone. */
  readonly refusals: readonly string[];
  /** The guest had written all to its disks, and stood still for that moment. */
  readonly frozen: boolean;
  /** Why it did not, where it was asked. */
  readonly notFrozen?: string;
  /** The guest may still stand still: its agent did not thaw it. */
  readonly notThawed?: string;
}

/** How far a backup is. */
export interface BackupProgress {
  readonly state: "running" | "done" | "failed";
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** Why it failed. */
  readonly error?: string;
}

/** Begins in the first way that libvirt takes. @throws {LibvirtError} what it said of the last one */
function beginSomehow(
  pointer: Deno.PointerValue,
  ways: readonly BackupWay[],
): Pick<BackupStart, "way" | "refusals"> {
  const refusals: string[] = [];
  for (const [way, { xml, checkpoint, isReused = false }] of ways.entries()) {
    const note = checkpoint === null ? null : cString(checkpoint);
    try {
      ok(libvirt().symbols.virDomainBackupBegin(pointer, cString(xml), note, isReused ? REUSE_EXTERNAL : 0));
      return { way, refusals };
    } catch (error) {
      const isLast = way === ways.length - 1;
      if (isLast || !(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
      refusals.push(error.message);
    }
  }
  throw new TypeError("there is no way to begin");
}

/**
 * Begins to copy disks in the first of several ways that libvirt takes; QEMU goes on by itself. Where it is asked to, the
 * guest's file systems are frozen for the moment of the beginning, and thawed whatever happens.
 * Source: virDomainBackupBegin, virDomainFSFreeze.
 */
export function backupBegin(
  connection: Connection,
  { uuid, ways, freeze }: { uuid: string; ways: readonly BackupWay[]; freeze: boolean },
): BackupStart {
  using domain = connection.domain(uuid);
  if (!freeze) return { frozen: false, ...beginSomehow(domain.pointer, ways) };
  return withAgentLimit(domain, () => {
    const notFrozen = freezeGuest(domain);
    let still: string | undefined, begun: Pick<BackupStart, "way" | "refusals">;
    try {
      begun = beginSomehow(domain.pointer, ways);
    } finally {
      // Also after a freeze that failed: a late agent may have carried it out.
      still = thaw(domain);
    }
    const notThawed = notFrozen === undefined ? still : undefined;
    return {
      ...begun,
      frozen: notFrozen === undefined,
      ...(notFrozen !== undefined && { notFrozen }),
      ...(notThawed !== undefined && { notThawed }),
    };
  });
}

/** The XML of the backup that is under way; null where none is. Source: virDomainBackupGetXMLDesc. */
export function backupNow(connection: Connection, { uuid }: { uuid: string }): string | null {
  using domain = connection.domain(uuid);
  try {
    return takeString(libvirt().symbols.virDomainBackupGetXMLDesc(domain.pointer, 0));
  } catch (error) {
    if (!(error instanceof LibvirtError) || error.kind !== "libvirt") throw error;
    const none = [VIR_ERR.NO_DOMAIN_BACKUP, VIR_ERR.OPERATION_INVALID, VIR_ERR.NO_SUPPORT] as number[];
    if (none.includes(error.code)) return null;
    throw error;
  }
}

/** `VIR_DOMAIN_BLOCK_JOB_SPEED_BANDWIDTH_BYTES` */
const SPEED_BYTES = 1;

/** Has QEMU copy disks no faster than so many bytes a second, each. Source: virDomainBlockJobSetSpeed. */
export function backupSpeed(
  connection: Connection,
  { uuid, targets, bytesPerSecond }: { uuid: string; targets: readonly string[]; bytesPerSecond: number },
): null {
  const { symbols } = libvirt();
  using domain = connection.domain(uuid);
  for (const target of targets) {
    const speed = BigInt(Math.ceil(bytesPerSecond));
    ok(symbols.virDomainBlockJobSetSpeed(domain.pointer, cString(target), speed, SPEED_BYTES));
  }
  return null;
}

/** How far the domain's backup is, or how it ended. Source: virDomainGetJobStats. */
export function backupProgress(connection: Connection, { uuid }: { uuid: string }): BackupProgress {
  using domain = connection.domain(uuid);
  const now = jobStats(domain.pointer, 0);
  const { type, stats } = now.type === JOB.NONE ? jobStats(domain.pointer, STATS_COMPLETED) : now;
  const isBackup = stats.operation === OPERATION_BACKUP;
  const doneBytes = Number(stats.disk_processed ?? 0), totalBytes = Number(stats.disk_total ?? 0);
  if (now.type !== JOB.NONE) return { state: "running", doneBytes, totalBytes };
  if (isBackup && type === JOB.COMPLETED && stats.success !== false) {
    return { state: "done", doneBytes, totalBytes };
  }
  const error = typeof stats.errmsg === "string" && stats.errmsg !== ""
    ? stats.errmsg
    : "QEMU ended it before it was whole";
  return { state: "failed", doneBytes, totalBytes, error };
}
