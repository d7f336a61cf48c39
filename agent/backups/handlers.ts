/** The commands on backups. */
import type { backupCommands, backupCopyCommands } from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import { copyHandlers } from "./copy_handlers.ts";
import { backupJobHandlers } from "./job_handlers.ts";
import { type BackupContext, backupLookup } from "./lookup.ts";

type BackupHandlers = Pick<Handlers, keyof typeof backupCommands | keyof typeof backupCopyCommands>;

/** A handler for each of them. */
export function backupHandlers(context: BackupContext): BackupHandlers {
  const lookup = backupLookup(context);
  return { ...backupJobHandlers(context, lookup), ...copyHandlers(context, lookup) };
}
