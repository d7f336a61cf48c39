/** The work on backups, as far as this browser knows of it. */
import { computed, type ReadonlySignal } from "@preact/signals";
import { pageJobs } from "./jobs.ts";

/** Commands about backups have the word in their names. */
const isBackupWork = (command: string) => command.split("_").includes("backup");

/** Ids and states of the backup tasks: it changes whenever pages on backups need to read again. */
export const backupWork: ReadonlySignal<string> = computed(() =>
  pageJobs.list.value.filter(({ command }) => isBackupWork(command)).map(({ id, state }) => `${id} ${state}`)
    .join(" ")
);
