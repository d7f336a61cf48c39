/** Verbs about this host and the program on it: they work without a running server. */
import { DOCTOR_HELP, doctorCommand } from "./doctor.ts";
import {
  INSTALL_HELP,
  installCommand,
  UNINSTALL_HELP,
  uninstallCommand,
  UPGRADE_HELP,
  upgradeCommand,
} from "./install.ts";
import { BACKUP_HELP, backupCommand, RESTORE_HELP, restoreCommand } from "./state.ts";
import { STATUS_HELP, statusCommand } from "./status.ts";

/** Verbs by name, as `cli/main.ts` has them. */
export const HOST_VERBS = {
  install: {
    summary: "install this file as a service of this host",
    help: INSTALL_HELP,
    run: installCommand,
  },
  upgrade: {
    summary: "put this file in the place of the installed one",
    help: UPGRADE_HELP,
    run: upgradeCommand,
  },
  uninstall: { summary: "remove the service and the program", help: UNINSTALL_HELP, run: uninstallCommand },
  status: { summary: "show what is installed and how it fares", help: STATUS_HELP, run: statusCommand },
  doctor: { summary: "examine this host, and say what to do", help: DOCTOR_HELP, run: doctorCommand },
  "backup-state": {
    summary: "save the program's own state into a file",
    help: BACKUP_HELP,
    run: backupCommand,
  },
  "restore-state": { summary: "put a saved state back", help: RESTORE_HELP, run: restoreCommand },
};
