/** Verbs about this host and the program on it: they work without a running server. */
import { type OwnVerb, ownVerb } from "./own_verb.ts";

/** Verbs by name, as `cli/main.ts` has them. */
export const HOST_VERBS: Readonly<Record<string, OwnVerb>> = {
  install: ownVerb("install this file as a service of this host", async () => {
    const { INSTALL_HELP, installCommand, readInstall } = await import("./install.ts");
    return { help: INSTALL_HELP, read: (args) => readInstall("install", args), run: installCommand };
  }),
  upgrade: ownVerb("put this file in the place of the installed one", async () => {
    const { readInstall, UPGRADE_HELP, upgradeCommand } = await import("./install.ts");
    return { help: UPGRADE_HELP, read: (args) => readInstall("upgrade", args), run: upgradeCommand };
  }),
  uninstall: ownVerb("remove the service and the program", async () => {
    const { readInstall, UNINSTALL_HELP, uninstallCommand } = await import("./install.ts");
    return { help: UNINSTALL_HELP, read: (args) => readInstall("uninstall", args), run: uninstallCommand };
  }),
  status: ownVerb("show what is installed and how it fares", async () => {
    const { readStatus, STATUS_HELP, statusCommand } = await import("./status.ts");
    return { help: STATUS_HELP, read: readStatus, run: statusCommand };
  }),
  doctor: ownVerb("examine this host, and say what to do", async () => {
    const { DOCTOR_HELP, doctorCommand, readDoctor } = await import("./doctor.ts");
    return { help: DOCTOR_HELP, read: readDoctor, run: doctorCommand };
  }),
  "lock-manager": ownVerb("turn libvirt's lock manager on or off, as root", async () => {
    const { LOCK_MANAGER_HELP, lockManagerCommand, readLockManager } = await import("./lock_manager.ts");
    return { help: LOCK_MANAGER_HELP, read: readLockManager, run: lockManagerCommand };
  }, { words: ["lockd", "none"] }),
  "backup-state": ownVerb("save the program's own state into a file", async () => {
    const { BACKUP_HELP, backupCommand, readStateFile } = await import("./state.ts");
    return { help: BACKUP_HELP, read: readStateFile, run: backupCommand };
  }),
  "restore-state": ownVerb("put a saved state back", async () => {
    const { readStateFile, RESTORE_HELP, restoreCommand } = await import("./state.ts");
    return { help: RESTORE_HELP, read: readStateFile, run: restoreCommand };
  }),
};
