/** Look-ups and requirements of the commands on backups. */
import { type Backup, ContractError, type Output, type VM } from "../../lib/contract/mod.ts";
import type { VmPlace } from "../../lib/access/rights.ts";
import type { Principal } from "../access.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { requireUnshared } from "../storage/guest_folders.ts";
import type { BootTests } from "./boot_tests.ts";
import type { FileSessions } from "./file_sessions.ts";
import type { StoredBackup } from "./records.ts";
import { closing, type FoundCopy, Repository } from "./repository.ts";
import type { RestoreSource } from "./make_disk.ts";
import type { OpenBackup } from "./run_history.ts";
import { FolderStore } from "./store/folder.ts";
import { folderIn } from "./target_handlers.ts";
import { backupView, type BackupViewSources } from "./views.ts";

/** Services for the commands on backups: boot tests, file sessions, jobs, opening of backups, and hosts. */
export interface BackupContext extends BackupViewSources {
  readonly bootTests: BootTests;
  readonly files: FileSessions;
  /** Since when an id is that of the VM which has it now, in milliseconds since 1970. */
  readonly since: (vmId: string) => number;
  readonly jobs: Pick<Jobs, "run">;
  readonly open: OpenBackup;
  /** The host whose VMs are backed up. */
  readonly host: () => LibvirtHost;
  /** Whether a host has a KVM Manager of its own that VMs can move to. */
  readonly isLinked: (host: string) => boolean;
  /** Moves a VM to a linked host, as who asks. */
  readonly migrate: (vmId: string, toHost: string, principal: Principal) => Promise<Output<"migrate_vm">>;
  /** The host that a VM belongs to. */
  readonly hostOf: (vmId: string) => LibvirtHost | undefined;
  /** Host, group and project of a VM, which rights depend on. */
  readonly placeOf: (vmId: string) => VmPlace | undefined;
  /** The VMs that somebody may see. */
  readonly vmsOf: (principal: Principal) => Promise<readonly VM[]>;
}

/** A VM's copy of a run. */
export interface OfCopy {
  readonly runId: string;
  readonly vmId: string;
}

/** A VM's copy among those of a run. @throws {ContractError} BackupRunNotFound, BackupDamaged */
function sourceIn(
  repository: Repository,
  copies: readonly FoundCopy[],
  { runId, vmId }: OfCopy,
): RestoreSource {
  const copy = copies.find(({ manifest }) => manifest?.vm.id === vmId);
  if (copy?.manifest === undefined) {
    const broken = copies.find(({ manifest }) => manifest === undefined);
    throw broken === undefined
      ? new ContractError("BackupRunNotFound", { runId: `${runId} ${vmId}` })
      : new ContractError("BackupDamaged", { reason: broken.fault });
  }
  return { repository, copy, manifest: copy.manifest };
}

/** Look-ups of the commands, and their requirements before a change. */
export function backupLookup(context: BackupContext) {
  const { coverage, records, targets, runs, history, host, hostOf, vmsOf } = context;
  const find = (backupId: string): StoredBackup => {
    records.require();
    const found = records.get(backupId);
    if (!found) throw new ContractError("BackupNotFound", { backupId });
    return found;
  };
  const shown = (backup: StoredBackup) => backupView(context, backup);
  const requireFree = (name: string, but?: string) => {
    const isTaken = records.all().some((each) => each.name === name && each.id !== but);
    if (isTaken) throw new ContractError("BackupExists", { name });
  };
  const requireIdle = ({ id, name }: StoredBackup) => {
    if (runs.isRunning(id)) throw new ContractError("BackupRunning", { name });
  };
  /** @throws {ContractError} BackupElsewhere for a VM of another host */
  const requireHere = (vmId: string) => {
    const owner = hostOf(vmId);
    if (owner === undefined || owner === host()) return;
    throw new ContractError("BackupElsewhere", { vm: coverage.nameOf(vmId) ?? vmId, host: owner.id });
  };
  /** VMs that are named must be there, as far as who names them sees, and on the host that is backed up. */
  const requireVms = async ({ vmIds }: Backup["targets"], principal: Principal) => {
    if (vmIds.length === 0) return;
    const known = new Set((await vmsOf(principal)).map(({ id }) => id));
    const vmId = vmIds.find((id) => !known.has(id));
    if (vmId !== undefined) throw new ContractError("VmNotFound", { vmId });
    vmIds.forEach(requireHere);
  };
  /** Folder or target of a backup in an input; undefined if it has neither. @throws {ContractError} */
  const placeIn = async (
    { folder, backupTargetId }: { readonly folder?: string; readonly backupTargetId?: string },
  ): Promise<Pick<StoredBackup, "folder" | "targetId" | "repository"> | undefined> => {
    if (backupTargetId !== undefined) {
      const { repository } = targets.find(backupTargetId);
      return { folder: "", targetId: backupTargetId, repository };
    }
    if (folder === undefined) return undefined;
    const path = folderIn(folder);
    await requireUnshared(host(), path);
    const { id: repository } = await Repository.make(new FolderStore(path));
    return { folder: path, targetId: undefined, repository };
  };
  /** Works with a VM's copy of a run, which is not deleted meanwhile. */
  const fromCopy = async <T>(
    { backupId, ...of }: OfCopy & { readonly backupId: string },
    work: (source: RestoreSource) => Promise<T>,
  ): Promise<T> => {
    const { repository, copies } = await history.open(find(backupId), of.runId);
    return await closing(repository, async () => {
      sourceIn(repository, copies, of);
      let done: { readonly value: T } | undefined;
      await repository.locked("content", false, async () => {
        // Again: retention may have deleted it before the lock was held.
        const there = (await repository.copies()).filter(({ id }) => copies.some((copy) => copy.id === id));
        done = { value: await work(sourceIn(repository, there, of)) };
      });
      return done!.value;
    });
  };
  /** The disks of a VM's copy of a run, opened for reading. */
  const diskSource = async (
    { backupId, ...of }: OfCopy & { readonly backupId: string },
  ): Promise<RestoreSource> => {
    const { repository, copies } = await history.open(find(backupId), of.runId);
    try {
      return sourceIn(repository, copies, of);
    } catch (error) {
      await repository.store.close();
      throw error;
    }
  };
  return {
    find,
    shown,
    requireFree,
    requireIdle,
    requireHere,
    requireVms,
    placeIn,
    fromCopy,
    diskSource,
  };
}

export type BackupLookup = ReturnType<typeof backupLookup>;
