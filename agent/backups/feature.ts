/** VMs that are kept in folders and other targets, and come back from there. */
import { rendered } from "../../lib/i18n/message.ts";
import {
  type backupCommands,
  type backupCopyCommands,
  type backupTargetCommands,
  ContractError,
} from "../../lib/contract/mod.ts";
import { delegateFor } from "../access/delegation.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { poolFolder } from "../storage/reachable.ts";
import type { KeptPath } from "../storage/volume_keepers.ts";
import { feature } from "../feature.ts";
import { BackupClock } from "./backup_clock.ts";
import { BootTests } from "./boot_tests.ts";
import { FileSessions } from "./file_sessions.ts";
import { backupHandlers } from "./handlers.ts";
import { BACKUP_MIGRATIONS, type StoredBackup } from "./records.ts";
import { RunHistory } from "./run_history.ts";
import { BackupRuns } from "./runs.ts";
import { backupSteps } from "./steps.ts";
import { copiesIn } from "./store/folder.ts";
import { targetHandlers } from "./target_handlers.ts";
import { isNoTarget } from "../../lib/access/redact.ts";
import { withoutVm } from "../../lib/coverage/coverage.ts";
import { mayCall } from "../../lib/access/may_call.ts";
import { leftOutNow } from "../coverage/coverage.ts";
import { openBackup } from "./targets.ts";
import { backupViews } from "./views.ts";
import type { Principal } from "../access.ts";
import type { Api } from "../../lib/contract/api.ts";

/** Milliseconds between looks for jobs that are due. */
const LOOK_MS = 10_000;

/** Runs a backup that is due, as who saved it. @throws {ContractError} why it does not run */
async function runDue(
  app: Parameters<typeof delegateFor>[0] & { apiFor(principal: Principal): Pick<Api, "runBackupNow"> },
  { id, owner }: StoredBackup,
): Promise<void> {
  const principal = delegateFor(app, owner, `backup:${id}`);
  if (typeof principal === "string") {
    throw new ContractError("BackupOwnerLost", { name: owner.name, reason: principal });
  }
  await app.apiFor(principal).runBackupNow({ backupId: id });
}

export const backupFeature = feature<
  keyof typeof backupCommands | keyof typeof backupCopyCommands | keyof typeof backupTargetCommands,
  never,
  keyof typeof backupSteps
>({
  name: "backups",
  migrations: BACKUP_MIGRATIONS,
  steps: backupSteps,
  open: (app) => {
    const { clock, jobs, hosts, coverage, backups: records, backupTargets: targets } = app;
    const { dataDir: stateDir } = app.settings;
    const host = () => hosts.local;
    const bootTests = new BootTests({ records, clock, jobs, host });
    const reach = { clock, host };
    const open = (backup: StoredBackup) => openBackup(backup, targets, reach);
    const since = (vmId: string) => app.knownVms.since(vmId);
    const runs = new BackupRuns(records, {
      clock,
      jobs,
      host,
      stateDir,
      open,
      bootTests,
      nameOf: coverage.nameOf,
      since,
    });
    /** Why it does not run by itself; undefined where it does, and while that is not known. */
    const ownerLost = ({ id, owner, timing }: StoredBackup) => {
      if (timing === null || !app.access.accounts.records.isLoaded) return undefined;
      const found = delegateFor(app, owner, `backup:${id}`);
      if (typeof found === "string") return found;
      return mayCall(found.rights, "run_backup_now")
        ? undefined
        : "that account may not run backups any more";
    };
    const leftOut = (backup: StoredBackup) => leftOutNow(backup, host().inventory.vms(), true);
    coverage.add(() =>
      records.all().filter(({ enabled, targets: { all } }) => enabled && !all).map((backup) => {
        const fault = ownerLost(backup);
        return {
          kind: "backup",
          name: backup.name,
          targets: backup.targets,
          leftOut: leftOut(backup),
          ...(fault !== undefined && { fault: `${backup.owner.name}: ${fault}` }),
        };
      })
    );
    const history = new RunHistory(records, open);
    const sources = { records, targets, runs, history, clock, coverage, ownerLost, leftOut };
    app.backupList.give(() => rendered(backupViews(sources)));
    const files = new FileSessions({ clock, host, guestfs: app.guestfs });
    const due = new BackupClock({
      clock,
      records,
      runs,
      isReady: () => hosts.local.inventory.filled,
      run: (backup) => runDue(app, backup),
    });
    /** Folders with copies on this host, also of backups that are off and of targets without a backup. */
    const kept = function* (host: LibvirtHost): Generator<KeptPath> {
      if (host.machine === null) return;
      for (const { name, folder, targetId } of records.all()) {
        if (targetId === undefined) yield { path: copiesIn(folder), keeper: `backup job ${name}` };
      }
      for (const { name, kind, folder, pool, copiesFolder } of targets.all()) {
        const now = kind === "pool" ? poolFolder(host, pool ?? "") : kind === "folder" ? folder : undefined;
        for (const place of new Set([now, copiesFolder])) {
          if (place === undefined) continue;
          const keeper = `backup target ${name}`;
          yield { path: copiesIn(place), keeper, ...(kind === "pool" && pool !== undefined && { pool }) };
        }
      }
    };
    return {
      host: (host) => {
        host.keepers.add(() => kept(host));
        return {
          replaced: (vmId) =>
            records.all().filter((backup) => backup.targets.vmIds.includes(vmId)).map((backup) => {
              const left = withoutVm(backup.targets, vmId);
              const isEmpty = isNoTarget(left) && !left.all;
              records.put({ ...backup, targets: left, enabled: backup.enabled && !isEmpty });
              return `the backup ${backup.name}`;
            }),
        };
      },
      handlers: {
        ...backupHandlers({
          ...sources,
          since,
          bootTests,
          files,
          jobs,
          open,
          host,
          hostOf: (vmId: string) => hosts.withVm(vmId),
          placeOf: (vmId: string) => app.places.vm(vmId),
          isLinked: (id) => app.linked.served(id) !== undefined,
          migrate: (vmId, toHost, principal) => app.apiFor(principal).migrateVm({ vmId, toHost }),
          vmsOf: (principal) => app.apiFor(principal).getVms(),
        }),
        ...targetHandlers({ targets, backups: records, isRunning: (id) => runs.isRunning(id), ...reach }),
      },
      periodic: [{ name: "backups", every: () => LOOK_MS, run: (signal) => due.tick(signal) }],
      stop: async () => {
        await files.stop();
        await runs.stop();
      },
    };
  },
});
