/** The commands on backups. */
import { message, type Unrendered } from "../../lib/i18n/message.ts";
import {
  type Backup,
  type backupCommands,
  type BackupRun,
  ContractError,
  type Input,
  MOST_BACKUPS,
  type Output,
  type VM,
} from "../../lib/contract/mod.ts";
import { daysOf } from "../../lib/backup/calendar.ts";
import { timingOf } from "../../lib/schedules/read_timing.ts";
import type { Timing, TimingFields } from "../../lib/schedules/timing.ts";
import { mayCall } from "../../lib/access/may_call.ts";
import { may, vmObject, type VmPlace } from "../../lib/access/rights.ts";
import { delegatorOf } from "../access/delegation.ts";
import type { Principal } from "../access.ts";
import { hostZone } from "../clock.ts";
import type { Handlers } from "../dispatch.ts";
import type { Host } from "../hosts/host.ts";
import type { Jobs } from "../jobs/jobs.ts";
import { requireUnshared } from "../storage/guest_folders.ts";
import { dropQuietly } from "../vm/checkpoints.ts";
import { scheduleTargetsIn } from "../schedules/actions.ts";
import type { BootTests } from "./boot_tests.ts";
import type { FileSessions } from "./file_sessions.ts";
import type { StoredBackup } from "./records.ts";
import { closing, type FoundCopy, Repository } from "./repository.ts";
import type { RestoreSource } from "./make_disk.ts";
import { restoreVm } from "./restore.ts";
import { restoreDisk } from "./restore_disk.ts";
import type { OpenBackup } from "./run_history.ts";
import { targetsOf } from "./runs.ts";
import { FolderStore } from "./store/folder.ts";
import { folderIn } from "./target_handlers.ts";
import { contentBytes, verifyCopy } from "./verify.ts";
import { backupView, backupViews, type BackupViewSources } from "./views.ts";

/** What they work with. */
export interface BackupContext extends BackupViewSources {
  readonly bootTests: BootTests;
  readonly files: FileSessions;
  /** Since when an id is that of the VM which has it now, in milliseconds since 1970. */
  readonly since: (vmId: string) => number;
  readonly jobs: Pick<Jobs, "run">;
  readonly open: OpenBackup;
  /** The host whose VMs are backed up. */
  readonly host: () => Host;
  /** Whether a host has a KVM Manager of its own that VMs can move to. */
  readonly isLinked: (host: string) => boolean;
  /** Moves a VM to a linked host, as who asks. */
  readonly migrate: (vmId: string, toHost: string, principal: Principal) => Promise<Output<"migrate_vm">>;
  /** The host that a VM belongs to. */
  readonly hostOf: (vmId: string) => Host | undefined;
  /** Where a VM is, as rights go by it. */
  readonly placeOf: (vmId: string) => VmPlace | undefined;
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

/** What becomes of copies that are not where the backup goes now. */
const leftBehindText = (copies: number, folder: string): string =>
  `${copies === 1 ? "Its copy stays" : `Its ${copies} copies stay`} in ${folder} and ${
    copies === 1 ? "is" : "are"
  } no longer listed here; the next run reads everything, and nothing is deleted there any more. ` +
  `To see and restore what is there, let the backup job go to ${folder} again.`;

/** Which copy of a backup. */
interface OfCopy {
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

/** @throws {ContractError} InvalidInput, HostNotFound */
function requireTarget(
  { isLinked }: Pick<BackupContext, "isLinked">,
  { inPlace }: Input<"restore_backup">,
  toHost: string,
): void {
  if (inPlace) {
    const reason = "a VM that is restored in place stays on this host";
    throw new ContractError("InvalidInput", { reason, field: "toHost" });
  }
  if (!isLinked(toHost)) throw new ContractError("HostNotFound", { host: toHost });
}

/** Moves a VM that was just restored. @throws {ContractError} RestoredNotMoved */
async function moved(
  { migrate }: Pick<BackupContext, "migrate">,
  { vmId, name, warnings }: Output<"restore_backup">,
  toHost: string,
  principal: Principal,
): Promise<Output<"restore_backup">> {
  try {
    const moved = await migrate(vmId, toHost, principal);
    return { vmId, name, warnings: [...warnings, ...moved.warnings] };
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    throw new ContractError("RestoredNotMoved", { name, host: toHost, error: error.sentence }, {
      cause: error,
    });
  }
}

/** A handler for each of them. */
export function backupHandlers(
  context: BackupContext,
): Pick<Handlers, keyof typeof backupCommands> {
  const { coverage, records, targets, runs, history } = context;
  const { bootTests, files, clock, jobs, open, host, hostOf, vmsOf } = context;
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
  /** Where a backup goes, of what is given; undefined where nothing is. @throws {ContractError} */
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
  /** Works with a VM's copy of a run, which nobody deletes meanwhile. */
  const fromCopy = async <T>(
    { backupId, ...of }: OfCopy & { readonly backupId: string },
    work: (source: RestoreSource) => Promise<T>,
  ): Promise<T> => {
    const { repository, copies } = await history.open(find(backupId), of.runId);
    return await closing(repository, async () => {
      sourceIn(repository, copies, of);
      let done: { readonly value: T } | undefined;
      await repository.locked("content", false, async () => {
        // Again: retention may have deleted it until nobody could any more.
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
    list_backups: () => backupViews(context),
    get_backup: ({ backupId }) => shown(find(backupId)),
    list_backup_runs: ({ backupId, limit = 50, ...which }) => history.list(find(backupId), limit, which),
    list_backup_days: async ({ backupId }) => {
      const backup = find(backupId), { timeZone } = backup.timing ?? { timeZone: hostZone() };
      return daysOf(await history.list(backup), timeZone, clock.now());
    },
    list_vm_backups: async ({ vmId }, { principal }) => {
      records.require();
      requireHere(vmId);
      const vm = host().requireVm(vmId), all = records.all();
      const backups = all.filter(({ targets }) =>
        targets.all || scheduleTargetsIn([vm], targets).found.length > 0
      );
      const since = context.since(vmId);
      /** Whether a copy is of this VM, and not of another one that had its id before. */
      const isOfThis = (
        run: Pick<BackupRun, "startedAt">,
        copy: Pick<BackupRun["copies"][number], "takenAt" | "vmId">,
      ) => copy.vmId === vmId && (copy.takenAt ?? run.startedAt) >= since;
      const copies: Unrendered<Output<"list_vm_backups">["copies"]> = [];
      for (const backup of all) {
        for (const run of await history.list(backup)) {
          const copy = run.copies.find((each) => isOfThis(run, each));
          if (copy !== undefined) {
            copies.push({ backupId: backup.id, backupName: backup.name, runId: run.id, copy });
          }
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
      // Nor are places of the host, and how the others went.
      const isOpen = mayCall(principal.rights, "list_backups");
      const runOfThis = (run: Unrendered<BackupRun>): Unrendered<BackupRun> => ({
        ...run,
        message: isOpen ? run.message : null,
        copies: run.copies.filter((each) => isOfThis(run, each)),
      });
      const told = backups.map(shown).map(({ uncovered: _uncovered, leftOut: _leftOut, ...backup }) => ({
        ...backup,
        targets: ofThis(backup),
        folder: isOpen ? backup.folder : "",
        lastRun: backup.lastRun && runOfThis(backup.lastRun),
      }));
      return { backups: told, copies: newest };
    },
    create_backup: async (input, { principal }) => {
      const { name, keep = 7, keepDaily = 0, keepWeekly = 0, keepMonthly = 0, keepYearly = 0 } = input;
      const { missed = "run-once", enabled = true, maxMibPerSecond = 0, parallel = 1 } = input;
      const { bootTest = "never" } = input;
      const now = clock.now();
      const vms = targetsOf(input.targets), timing = timingFor(timingIn(input), null, now);
      const owner = delegatorOf(principal);
      await requireVms(vms, principal);
      records.require();
      requireFree(name);
      if (records.all().length >= MOST_BACKUPS) {
        throw new ContractError("TooManyBackups", { limit: MOST_BACKUPS });
      }
      const place = await placeIn(input);
      if (place === undefined) {
        throw new ContractError("InvalidInput", {
          reason: "folder or backupTargetId is needed",
          field: "folder",
        });
      }
      requireFree(name);
      const backup: StoredBackup = {
        id: crypto.randomUUID(),
        ...{ name, enabled, targets: vms, ...place, timing, missed, owner, bootTest },
        ...{ maxMibPerSecond, parallel },
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
      const vms = change.targets && targetsOf(change.targets);
      if (vms !== undefined) await requireVms(vms, principal);
      const timing = timingFor(timingIn(change), first.timing, now);
      const place = await placeIn(change);
      const copies = place === undefined || place.repository === first.repository
        ? 0
        : await history.leftBehind(first, { ...first, ...place });
      // Nothing is waited for from here on: what others change meanwhile, or a run that begins, would be undone.
      const before = find(backupId);
      requireIdle(before);
      if (name !== undefined) requireFree(name, backupId);
      const given = Object.entries({
        ...{ name, targets: vms, keep, keepDaily, keepWeekly, keepMonthly, keepYearly },
        ...{ missed, enabled, maxMibPerSecond: change.maxMibPerSecond, parallel: change.parallel },
        bootTest: change.bootTest,
      }).filter(([, value]) => value !== undefined);
      const isNewTime = timingIn(change) !== undefined || (enabled === true && !before.enabled);
      const after: StoredBackup = {
        ...before,
        ...Object.fromEntries(given),
        ...place,
        ...{ timing, owner, handled: isNewTime ? now : before.handled },
        // What is saved once more is meant as it is now
        ...(vms !== undefined && { covered: [], leftOut: [] }),
      };
      records.put(after);
      return {
        ...shown(after),
        warnings: copies === 0 ? [] : [leftBehindText(copies, shown(before).folder)],
      };
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
      const users = records.usersOf(backup.id);
      if (users.length > 0) {
        throw new ContractError("BackupInUse", { name: backup.name, users: users.join(", ") });
      }
      const vmIds = new Set(
        records.runs(backup.id).flatMap(({ copies }) => copies.map(({ vmId }) => vmId)),
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
      if (!runs.isRunning(backupId)) await (await open(backup)).store.close();
      return runs.begin(find(backupId), principal.name, full);
    },
    restore_backup: async (input, { principal }) => {
      const { toHost } = input;
      if (toHost !== undefined) requireTarget(context, input, toHost);
      const restored = await fromCopy(
        input,
        (source) => restoreVm(host().requireFilled(), source, input, { principal, since: context.since }),
      );
      return toHost === undefined ? restored : await moved(context, restored, toHost, principal);
    },
    restore_backup_disk: (input, { principal }) =>
      fromCopy(input, (source) => restoreDisk(host().requireFilled(), source, input, principal)),
    verify_backup: async ({ backupId, runId, vmId, kind = "checksums", seconds, pool }, { principal }) => {
      const backup = find(backupId), actor = principal.name;
      const { repository, copies: all } = await history.open(backup, runId);
      const result: { ok: boolean; checkedBytes: number } = { ok: true, checkedBytes: 0 };
      await closing(repository, async () => {
        const copies = all.filter(({ manifest }) => vmId === undefined || manifest?.vm.id === vmId);
        if (copies.length === 0) throw new ContractError("BackupRunNotFound", { runId: `${runId} ${vmId}` });
        if (kind === "boot") {
          return await repository.locked("content", false, async () => {
            const tested = await bootTests.run({ backup, repository, copies, actor, pool, seconds });
            Object.assign(result, { ok: tested.ok, checkedBytes: tested.restoredBytes });
          });
        }
        const total = copies.reduce((sum, { manifest }) => sum + (manifest ? contentBytes(manifest) : 0), 0);
        await jobs.run({
          command: "verify_backup",
          title: message`Verify backup job ${backup.name}`,
          actor,
          ifInterrupted: "Nothing was changed. Verify it again.",
        }, (job) =>
          repository.locked("content", false, async () => {
            const known = new Set<string>();
            for (const copy of copies) {
              const told = (done: number) => job.progress(result.checkedBytes + done, total);
              const verdict = await verifyCopy(repository, copy, job, told, known);
              result.checkedBytes += verdict.checkedBytes;
              result.ok &&= verdict.fault === undefined;
              const message = verdict.fault ?? null;
              records.keepCheck(copy.id, { at: clock.now(), ok: message === null, message });
            }
          }));
      });
      const [run] = await history.list(backup, 1, { runId });
      if (run === undefined) throw new ContractError("BackupRunNotFound", { runId });
      return { ...result, run };
    },
    list_backup_files: ({ filesystem, path = "/", ...of }) =>
      files.ask(() => diskSource(of), async (session) => {
        const filesystems = [...session.filesystems];
        if (filesystem === undefined) return { filesystems, files: [], truncated: false };
        return { filesystems, ...await session.list(filesystem, path) };
      }),
    download_backup_file: async ({ filesystem, path, ...of }, { content }) => {
      if (!content?.answer) throw new ContractError("ContentExpected");
      const { isFolder, size, stream } = await files.ask(
        () => diskSource(of),
        (session) => session.read(filesystem, path),
      );
      content.answer(stream);
      const last = path.split("/").filter((part) => part !== "").at(-1) ?? "files";
      return { name: isFolder ? `${last}.tar` : last, size: isFolder ? null : size };
    },
    get_backup_screen: async ({ backupId, runId, vmId }, { principal: { rights } }) => {
      // A screen shows what is in the VM: who may not have it there, has no picture of it here.
      if (!may(rights, "vms.operate", vmObject(vmId, context.placeOf(vmId)))) {
        throw new ContractError("Forbidden", { role: "operator" });
      }
      const { repository, copies } = await history.open(find(backupId), runId);
      await repository.store.close();
      const copy = copies.find(({ manifest }) => manifest?.vm.id === vmId);
      if (copy === undefined) throw new ContractError("BackupRunNotFound", { runId: `${runId} ${vmId}` });
      const tested = records.bootTest(copy.id), png = tested?.screen ? records.screen(copy.id) : undefined;
      if (tested === null || png === undefined) throw new ContractError("NoBootScreen");
      return { format: "image/png", takenAt: tested.at, data: png.toBase64() };
    },
  };
}
