/** Verbs about this host and the program on it: they work without a running server. */
import { type OwnVerb, ownVerb } from "./own_verb.ts";

/** Verbs by name, as `cli/main.ts` has them. */
export const HOST_VERBS: Readonly<Record<string, OwnVerb>> = {
  install: ownVerb("install this file as a service of this host", async () => {
    const { INSTALL_HELP, installCommand } = await import("./install.ts");
    return { help: INSTALL_HELP, run: installCommand };
  }),
  upgrade: ownVerb("put this file in the place of the installed one", async () => {
    const { UPGRADE_HELP, upgradeCommand } = await import("./install.ts");
    return { help: UPGRADE_HELP, run: upgradeCommand };
  }),
  uninstall: ownVerb("remove the service and the program", async () => {
    const { UNINSTALL_HELP, uninstallCommand } = await import("./install.ts");
    return { help: UNINSTALL_HELP, run: uninstallCommand };
  }),
  status: ownVerb("show what is installed and how it fares", async () => {
    const { STATUS_HELP, statusCommand } = await import("./status.ts");
    return { help: STATUS_HELP, run: statusCommand };
  }),
  doctor: ownVerb("examine this host, and say what to do", async () => {
    const { DOCTOR_HELP, doctorCommand } = await import("./doctor.ts");
    return { help: DOCTOR_HELP, run: doctorCommand };
  }),
  "backup-state": ownVerb("save the program's own state into a file", async () => {
    const { BACKUP_HELP, backupCommand } = await import("./state.ts");
    return { help: BACKUP_HELP, run: backupCommand };
  }),
  "restore-state": ownVerb("put a saved state back", async () => {
    const { RESTORE_HELP, restoreCommand } = await import("./state.ts");
    return { help: RESTORE_HELP, run: restoreCommand };
  }),
};
