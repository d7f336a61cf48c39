/** The commands on copies of VMs in backups. */
import { message, type Unrendered } from "../../lib/i18n/message.ts";
import {
  type Backup,
  type BackupRun,
  ContractError,
  type Input,
  type Output,
} from "../../lib/contract/mod.ts";
import { mayCall } from "../../lib/access/may_call.ts";
import { may, vmObject } from "../../lib/access/rights.ts";
import type { Principal } from "../access.ts";
import type { Handlers } from "../dispatch.ts";
import { scheduleTargetsIn } from "../schedules/actions.ts";
import { closing } from "./repository.ts";
import { restoreVm } from "./restore.ts";
import { restoreDisk } from "./restore_disk.ts";
import { contentBytes, verifyCopy } from "./verify.ts";
import type { BackupContext, BackupLookup } from "./lookup.ts";

/** Copies of a VM that its list gives at most. */
const COPIES_LISTED = 200;

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

/** Lists the backups of one VM. */
function vmBackupsHandler(
  context: BackupContext,
  { shown, requireHere }: BackupLookup,
): Pick<Handlers, "list_vm_backups"> {
  const { records, history, host } = context;
  return {
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
  };
}

/** Reads copies again, or boots VMs of them. */
function verifyHandler(
  { records, history, bootTests, clock, jobs }: BackupContext,
  { find }: BackupLookup,
): Pick<Handlers, "verify_backup"> {
  return {
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
  };
}

/** Files within copies. */
function fileHandlers(
  { files }: BackupContext,
  { diskSource }: BackupLookup,
): Pick<Handlers, "list_backup_files" | "download_backup_file"> {
  return {
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
  };
}

/** A handler for each command on copies. */
export function copyHandlers(context: BackupContext, lookup: BackupLookup) {
  const { records, history, host } = context, { find, fromCopy } = lookup;
  return {
    ...vmBackupsHandler(context, lookup),
    ...verifyHandler(context, lookup),
    ...fileHandlers(context, lookup),
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
  } satisfies Partial<Handlers>;
}
