/** The commands on backups. */
import {
  type Backup,
  BACKUP_RUNS_LISTED,
  type backupCommands,
  ContractError,
  type Input,
  MOST_BACKUPS,
  NEXT_RUNS,
  type Output,
  type VM,
} from "../../lib/contract/mod.ts";
import { handledAt } from "../../lib/schedules/due.ts";
import { nextRuns } from "../../lib/schedules/next_run.ts";
import { type Timing, type TimingFields, timingOf } from "../../lib/schedules/timing.ts";
import { delegatorOf } from "../access/delegation.ts";
import type { Principal } from "../access.ts";
import { type Clock, hostZone } from "../clock.ts";
import type { Handlers } from "../dispatch.ts";
import type { Host } from "../hosts/host.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { dropQuietly } from "../vm/checkpoints.ts";
import { targetsIn } from "../schedules/actions.ts";
import type { BootTests } from "./boot_tests.ts";
import type { FileSessions } from "./file_sessions.ts";
import type { BackupRecords, StoredBackup } from "./records.ts";
import { Repository } from "./repository.ts";
import type { RestoreSource } from "./make_disk.ts";
import { restoreVm } from "./restore.ts";
import { restoreDisk } from "./restore_disk.ts";
import { type BackupRuns, targetsOf } from "./runs.ts";
import { contentBytes, verifyCopy } from "./verify.ts";

/** What they work with. */
export interface BackupContext {
  readonly records: BackupRecords;
  readonly runs: BackupRuns;
  readonly bootTests: BootTests;
  readonly files: FileSessions;
  readonly clock: Clock;
  readonly jobs: Pick<Jobs, "run">;
  readonly host: () => Host;
  /** The VMs that somebody may see. */
  readonly vmsOf: (principal: Principal) => Promise<readonly VM[]>;
}

/** Copies of a VM that its list gives at most. */
const COPIES_LISTED = 200;

/** The fields that say when; undefined where none was given. */
function timingIn(
  { frequency, at, time, weekdays, monthDay, cron, timeZone }: Omit<Input<"update_backup">, "backupId">,
):
  | Partial<Omit<TimingFields, "frequency">> & { frequency?: TimingFields["frequency"] | "by-hand" }
  | undefined {
  const given = Object.entries({ frequency, at, time, weekdays, monthDay, cron, timeZone })
    .filter(([, value]) => value !== undefined);
  return given.length === 0 ? undefined : Object.fromEntries(given);
}

/** When it runs by itself, of what is given and what it was. @throws {ContractError} InvalidInput */
function timingFor(
  given: ReturnType<typeof timingIn>,
  before: Timing | null,
  now: number,
): Timing | null {
  if (given === undefined) return before;
  const { frequency = before?.frequency ?? "by-hand", ...rest } = given;
  if (frequency === "by-hand") return null;
  return timingOf({ ...before, ...rest, frequency }, now, hostZone());
}

/** The path of a folder without what is no part of it: `/mnt/x/` is `/mnt/x`. @throws {ContractError} InvalidInput */
function folderIn(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.length === 0 || parts.some((part) => part === "." || part === "..")) {
    throw new ContractError("InvalidInput", {
      reason: "folder must be an absolute path without . and ..",
      field: "folder",
    });
  }
  return `/${parts.join("/")}`;
}

/** A handler for each of them. */
export function backupHandlers(
  { records, runs, bootTests, files, clock, jobs, host, vmsOf }: BackupContext,
): Pick<Handlers, keyof typeof backupCommands> {
  const find = (backupId: string): StoredBackup => {
    records.require();
    const found = records.get(backupId);
    if (!found) throw new ContractError("BackupNotFound", { backupId });
    return found;
  };
  const shown = (backup: StoredBackup): Backup => {
    const { timing, owner, handled, repository: _repository, ...rest } = backup, now = clock.now();
    const isRunning = runs.isRunning(backup.id);
    return {
      ...rest,
      ...(timing ?? { frequency: "by-hand", timeZone: hostZone() }),
      runsAs: owner.name,
      next: backup.enabled && timing !== null
        ? nextRuns(timing, handledAt(handled, now) ?? now, NEXT_RUNS)
        : [],
      running: isRunning,
      lastRun: runs.lastRun(backup.id),
    } as Backup;
  };
  const requireFree = (name: string, but?: string) => {
    const isTaken = records.all().some((each) => each.name === name && each.id !== but);
    if (isTaken) throw new ContractError("BackupExists", { name });
  };
  const requireIdle = ({ id, name }: StoredBackup) => {
    if (runs.isRunning(id)) throw new ContractError("BackupRunning", { name });
  };
  /** VMs that are named must be there, as far as who names them sees. */
  const requireVms = async ({ vmIds }: Backup["targets"], principal: Principal) => {
    if (vmIds.length === 0) return;
    const known = new Set((await vmsOf(principal)).map(({ id }) => id));
    const vmId = vmIds.find((id) => !known.has(id));
    if (vmId !== undefined) throw new ContractError("VmNotFound", { vmId });
  };
  /** A VM's copy of a run. */
  const sourceOf = async (
    { backupId, runId, vmId }: { readonly backupId: string; readonly runId: string; readonly vmId: string },
  ): Promise<RestoreSource> => {
    const { repository, copies } = await runs.open(find(backupId), runId);
    const copy = copies.find(({ manifest }) => manifest?.vm.id === vmId);
    if (copy?.manifest === undefined) {
      const broken = copies.find(({ manifest }) => manifest === undefined);
      throw broken === undefined
        ? new ContractError("BackupRunNotFound", { runId: `${runId} ${vmId}` })
        : new ContractError("BackupDamaged", { reason: broken.fault });
    }
    return { repository, copy, manifest: copy.manifest };
  };
  /** Works with a VM's copy of a run, which nobody deletes meanwhile. */
  const fromCopy = async <T>(
    of: Parameters<typeof sourceOf>[0],
    work: (source: RestoreSource) => Promise<T>,
  ): Promise<T> => {
    const source = await sourceOf(of), { repository } = source;
    let done: { readonly value: T } | undefined;
    await repository.locked("content", false, async () => {
      done = { value: await work(source) };
    });
    return done!.value;
  };
  return {
    list_backups: () => {
      records.require();
      return records.all().map(shown).sort((a, b) => a.name.localeCompare(b.name));
    },
    get_backup: ({ backupId }) => shown(find(backupId)),
    list_backup_runs: ({ backupId, limit = 50 }) => runs.list(find(backupId), limit),
    list_vm_backups: async ({ vmId }) => {
      records.require();
      const vm = host().requireVm(vmId), all = records.all();
      const backups = all.filter(({ targets }) => targets.all || targetsIn([vm], targets).found.length > 0);
      const copies: Output<"list_vm_backups">["copies"][number][] = [];
      for (const backup of all) {
        for (const { id: runId, copies: found } of await runs.list(backup, BACKUP_RUNS_LISTED)) {
          const copy = found.find((each) => each.vmId === vmId);
          if (copy !== undefined) copies.push({ backupId: backup.id, backupName: backup.name, runId, copy });
        }
      }
      const at = ({ copy }: typeof copies[number]) => copy.takenAt ?? 0;
      const newest = copies.sort((a, b) => at(b) - at(a)).slice(0, COPIES_LISTED);
      // Which other VMs a backup is of is nothing for who may see this one.
      const ofThis = ({ targets: { vmIds, tags, groups, ...rest } }: Backup): Backup["targets"] => ({
        ...rest,
        vmIds: vmIds.filter((each) => each === vmId),
        tags: tags.filter((tag) => vm.tags.includes(tag)),
        groups: groups.filter((group) => group === vm.group),
      });
      const told = backups.map(shown).map((backup) => ({ ...backup, targets: ofThis(backup) }));
      return { backups: told, copies: newest };
    },
    create_backup: async (input, { principal }) => {
      const { name, keep = 7, keepDaily = 0, keepWeekly = 0, keepMonthly = 0, keepYearly = 0 } = input;
      const { missed = "run-once", enabled = true, maxMibPerSecond = 0, bootTest = "never" } = input;
      const now = clock.now(), folder = folderIn(input.folder);
      const targets = targetsOf(input.targets), timing = timingFor(timingIn(input), null, now);
      const owner = delegatorOf(principal);
      await requireVms(targets, principal);
      records.require();
      requireFree(name);
      if (records.all().length >= MOST_BACKUPS) {
        throw new ContractError("TooManyBackups", { limit: MOST_BACKUPS });
      }
      const { id: repository } = await Repository.make(folder);
      requireFree(name);
      const backup: StoredBackup = {
        id: crypto.randomUUID(),
        ...{ name, enabled, targets, folder, repository, timing, missed, owner, maxMibPerSecond, bootTest },
        ...{ keep, keepDaily, keepWeekly, keepMonthly, keepYearly },
        ...{ createdAt: now, handled: now },
      };
      records.put(backup);
      return shown(backup);
    },
    update_backup: async (change, { principal }) => {
      const { backupId, name, keep, keepDaily, keepWeekly, keepMonthly, keepYearly, missed, enabled } =
        change;
      const first = find(backupId), owner = delegatorOf(principal), now = clock.now();
      requireIdle(first);
      const targets = change.targets && targetsOf(change.targets);
      if (targets !== undefined) await requireVms(targets, principal);
      const timing = timingFor(timingIn(change), first.timing, now);
      const folder = change.folder === undefined ? undefined : folderIn(change.folder);
      const repository = folder === undefined ? undefined : (await Repository.make(folder)).id;
      const before = find(backupId);
      if (name !== undefined) requireFree(name, backupId);
      const given = Object.entries({
        ...{ name, folder, repository, targets, keep, keepDaily, keepWeekly, keepMonthly, keepYearly },
        ...{ missed, enabled, maxMibPerSecond: change.maxMibPerSecond, bootTest: change.bootTest },
      }).filter(([, value]) => value !== undefined);
      const isNewTime = timingIn(change) !== undefined || (enabled === true && !before.enabled);
      const after: StoredBackup = {
        ...before,
        ...Object.fromEntries(given),
        ...{ timing, owner, handled: isNewTime ? now : before.handled },
      };
      records.put(after);
      return shown(after);
    },
    enable_backup: ({ backupId, enabled }, { principal }) => {
      const before = find(backupId);
      const since = enabled && !before.enabled ? { owner: delegatorOf(principal), handled: clock.now() } : {};
      const after = { ...before, enabled, ...since };
      records.put(after);
      return shown(after);
    },
    delete_backup: async ({ backupId }) => {
      const backup = find(backupId);
      requireIdle(backup);
      const vmIds = new Set(
        records.runs(backup.id, 10_000).flatMap(({ copies }) => copies.map(({ vmId }) => vmId)),
      );
      records.remove(backup.id);
      // Nothing reads any more what QEMU notes for it.
      for (const vmId of vmIds) {
        const vm = host().inventory.vm(vmId);
        if (vm !== undefined) await dropQuietly(host(), vm, (each) => each.backupId === backup.id);
      }
      return null;
    },
    run_backup_now: async ({ backupId, full = false }, { principal }) => {
      const backup = find(backupId);
      requireIdle(backup);
      await Repository.open(backup.folder, backup.repository);
      return runs.begin(find(backupId), principal.name, full);
    },
    restore_backup: (input, { principal }) =>
      fromCopy(input, (source) => restoreVm(host().requireFilled(), source, input, principal)),
    restore_backup_disk: (input, { principal }) =>
      fromCopy(input, (source) => restoreDisk(host().requireFilled(), source, input, principal)),
    verify_backup: async ({ backupId, runId, vmId, kind = "checksums", seconds, pool }, { principal }) => {
      const backup = find(backupId), actor = principal.name;
      const { repository, copies: all } = await runs.open(backup, runId);
      const copies = all.filter(({ manifest }) => vmId === undefined || manifest?.vm.id === vmId);
      if (copies.length === 0) throw new ContractError("BackupRunNotFound", { runId: `${runId} ${vmId}` });
      const result: { ok: boolean; checkedBytes: number } = { ok: true, checkedBytes: 0 };
      if (kind === "boot") {
        await repository.locked("content", false, async () => {
          const { ok, restoredBytes } = await bootTests.run({
            backup,
            repository,
            copies,
            actor,
            pool,
            seconds,
          });
          Object.assign(result, { ok, checkedBytes: restoredBytes });
        });
      } else {
        const total = copies.reduce((sum, { manifest }) => sum + (manifest ? contentBytes(manifest) : 0), 0);
        await jobs.run({
          command: "verify_backup",
          title: `Verify backup ${backup.name}`,
          actor,
          ifInterrupted: "Nothing was changed. Verify it again.",
        }, async (job) => {
          await repository.locked("content", false, async () => {
            const known = new Set<string>();
            for (const copy of copies) {
              const told = (done: number) => job.progress(result.checkedBytes + done, total);
              const verdict = await verifyCopy(repository, copy, job, told, known);
              result.checkedBytes += verdict.checkedBytes;
              result.ok &&= verdict.fault === undefined;
              const message = verdict.fault ?? null;
              records.putCheck(copy.id, { at: clock.now(), ok: message === null, message });
            }
          });
        });
      }
      const run = (await runs.list(backup, Number.MAX_SAFE_INTEGER)).find(({ id }) => id === runId);
      if (run === undefined) throw new ContractError("BackupRunNotFound", { runId });
      return { ...result, run };
    },
    list_backup_files: async ({ filesystem, path = "/", ...of }) => {
      const session = await files.of(await sourceOf(of));
      if (filesystem === undefined) {
        return { filesystems: [...session.filesystems], files: [], truncated: false };
      }
      return { filesystems: [...session.filesystems], ...await session.list(filesystem, path) };
    },
    download_backup_file: async ({ filesystem, path, ...of }, { content }) => {
      if (!content?.answer) throw new ContractError("ContentExpected");
      const session = await files.of(await sourceOf(of));
      const { isFolder, size, stream } = await session.read(filesystem, path);
      content.answer(stream);
      const last = path.split("/").filter((part) => part !== "").at(-1) ?? "files";
      return { name: isFolder ? `${last}.tar` : last, size: isFolder ? null : size };
    },
    get_backup_screen: async ({ backupId, runId, vmId }) => {
      const { copies } = await runs.open(find(backupId), runId);
      const copy = copies.find(({ manifest }) => manifest?.vm.id === vmId);
      if (copy === undefined) throw new ContractError("BackupRunNotFound", { runId: `${runId} ${vmId}` });
      const tested = records.bootTest(copy.id), png = tested?.screen ? records.screen(copy.id) : undefined;
      if (tested === null || png === undefined) throw new ContractError("NoBootScreen");
      return { format: "image/png", takenAt: tested.at, data: png.toBase64() };
    },
  };
}
