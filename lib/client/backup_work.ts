/** The work on backups, as far as this browser knows of it. */
import { computed, type ReadonlySignal } from "@preact/signals";
import { jobs } from "./jobs.ts";

const COMMANDS: ReadonlySet<string> = new Set(["run_backup_now", "verify_backup", "restore_backup"]);

/** Which of it there is and how it is: each change is one of what pages on backups show. */
export const backupWork: ReadonlySignal<string> = computed(() =>
  jobs.list.value.filter(({ command }) => COMMANDS.has(command)).map(({ id, state }) => `${id} ${state}`)
    .join(" ")
);
