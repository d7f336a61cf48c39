/** Advice in errors of bounds, carried out: once one is deleted, there is room for another. */
import assert from "node:assert/strict";
import type { ErrorCode } from "../../../lib/contract/mod.ts";
import { MOST_ALERT_TARGETS, MOST_ALERTS, MOST_SILENCES } from "../../../lib/contract/alerts.ts";
import { MOST_BACKUPS } from "../../../lib/contract/backups.ts";
import { MOST_BACKUP_TARGETS } from "../../../lib/contract/backup_targets.ts";
import { MOST_PROJECTS } from "../../../lib/contract/projects.ts";
import { MOST_SCHEDULES } from "../../../lib/contract/schedules.ts";
import { MOST_TEMPLATE_VERSIONS } from "../../../lib/contract/templates.ts";
import { testFolder } from "../../testbed/folder.ts";
import { call, refused } from "../../testbed/product.ts";
import { CallError } from "../../testbed/server.ts";
import { delay } from "../../testbed/wait.ts";
import { type RemedyTrial, stopped } from "./trial.ts";

/** A kind of thing of which a server has only so many. */
interface Bounded {
  readonly code: ErrorCode;
  readonly limit: number;
  /** How many there are from the start. */
  readonly present?: number;
  /** Makes one of this number. @returns its id */
  readonly make: (number: number) => Promise<string>;
  readonly remove: (id: string) => Promise<unknown>;
}

/** Milliseconds to wait where requests came faster than a token may send them. */
const PAUSE_MS = 500;

/** Calls as fast as the server takes it. */
async function paced<T>(make: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await make();
    } catch (error) {
      const { code } = (error instanceof CallError ? error.body : {}) as { readonly code?: string };
      if (code !== "TooManyRequests") throw error;
      await delay(PAUSE_MS);
    }
  }
}

/** Makes as many as there may be and one more, deletes one, makes that one, and deletes them all. */
async function filled({ code, limit, present = 0, make, remove }: Bounded): Promise<void> {
  const ids: string[] = [];
  try {
    for (let number = present; number < limit; number++) ids.push(await paced(() => make(number)));
    await refused(make(limit), code, new RegExp(`${limit} `));
    await remove(ids.pop()!);
    ids.push(await make(limit));
  } finally {
    for (const id of ids) await paced(() => remove(id));
  }
}

const named = (number: number) => `remedy-${number}`;

export const OF_BOUNDS: Readonly<Record<string, RemedyTrial>> = {
  TooManySchedules: {
    here: (server) =>
      filled({
        code: "TooManySchedules",
        limit: MOST_SCHEDULES,
        make: async (number) =>
          (await call(server, "create_schedule", {
            name: named(number),
            action: "start",
            targets: { tags: ["remedy"] },
            frequency: "daily",
            time: "03:30",
            timeZone: "UTC",
          })).id,
        remove: (scheduleId) => call(server, "delete_schedule", { scheduleId }),
      }),
  },
  TooManyProjects: {
    here: (server) =>
      filled({
        code: "TooManyProjects",
        limit: MOST_PROJECTS,
        make: async (number) => (await call(server, "create_project", { name: named(number) })).id,
        remove: (projectId) => call(server, "delete_project", { projectId }),
      }),
  },
  TooManyBackups: {
    here: async (server) => {
      await using folder = await testFolder();
      await filled({
        code: "TooManyBackups",
        limit: MOST_BACKUPS,
        make: async (number) =>
          (await call(server, "create_backup", {
            name: named(number),
            folder: folder.path,
            targets: { tags: ["remedy"] },
          })).id,
        remove: (backupId) => call(server, "delete_backup", { backupId }),
      });
    },
  },
  TooManyBackupTargets: {
    here: async (server) => {
      await using folder = await testFolder();
      await filled({
        code: "TooManyBackupTargets",
        limit: MOST_BACKUP_TARGETS,
        make: async (number) => {
          await Deno.mkdir(`${folder.path}/${number}`, { recursive: true });
          const place = { kind: "folder", folder: `${folder.path}/${number}` } as const;
          return (await call(server, "create_backup_target", { name: named(number), ...place })).id;
        },
        remove: (backupTargetId) => call(server, "delete_backup_target", { backupTargetId }),
      });
    },
  },
  TooManyAlerts: {
    here: async (server) => {
      await filled({
        code: "TooManyAlerts",
        limit: MOST_ALERTS,
        present: (await call(server, "list_alerts")).length,
        make: async (number) =>
          (await call(server, "create_alert", {
            name: named(number),
            watches: "host_metric",
            series: "memory_usage",
            threshold: 100,
            checks: 60,
            scope: "everything",
          })).id,
        remove: (alertId) => call(server, "delete_alert", { alertId }),
      });
      await filled({
        code: "TooManyAlerts",
        limit: MOST_ALERT_TARGETS,
        make: async (number) =>
          (await call(server, "create_alert_target", {
            name: named(number),
            channel: "webhook",
            url: "https://example.test/hook",
          })).id,
        remove: (targetId) => call(server, "delete_alert_target", { targetId }),
      });
      await filled({
        code: "TooManyAlerts",
        limit: MOST_SILENCES,
        make: async (number) =>
          (await call(server, "silence_alert", { minutes: 60, scope: "everything", reason: named(number) }))
            .id,
        remove: (silenceId) => call(server, "end_silence", { silenceId }),
      });
    },
  },
  TooManyTemplates: {
    // Of its versions; templates themselves are bounded by the same line in another number
    here: (server) =>
      stopped(server, async (vmId, { pool }) => {
        const { id: templateId } = await call(server, "create_template", {
          name: "remedy-bound",
          vmId,
          pool,
          seal: [],
        });
        const next = () => call(server, "update_template", { templateId, vmId, pool, seal: [] });
        try {
          for (let version = 1; version < MOST_TEMPLATE_VERSIONS; version++) await next();
          await refused(next(), "TooManyTemplates", /50 versions of remedy-bound/);
          await call(server, "delete_template", { templateId, version: 1, permanently: true });
          assert.equal((await next()).versions.length, MOST_TEMPLATE_VERSIONS);
        } finally {
          await call(server, "delete_template", { templateId, permanently: true });
        }
      }),
  },
};
