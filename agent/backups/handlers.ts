/** The commands on backups. */
import type { backupCommands } from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import { copyHandlers } from "./copy_handlers.ts";
import { jobHandlers } from "./job_handlers.ts";
import { type BackupContext, backupLookup } from "./lookup.ts";

/** A handler for each of them. */
export function backupHandlers(context: BackupContext): Pick<Handlers, keyof typeof backupCommands> {
  const lookup = backupLookup(context);
  return { ...jobHandlers(context, lookup), ...copyHandlers(context, lookup) };
}
