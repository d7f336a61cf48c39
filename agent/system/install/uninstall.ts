/** Removing the program. VMs, disks and networks are libvirt's, and stay. */
import { isThere } from "../../machine/files.ts";
import { lockDataFolder } from "../../store/folder_lock.ts";
import { textFiles } from "../../../lib/system/install/layout.ts";
import { ForwardKernel } from "../../network/forwards/kernel.ts";
import { forwardNames } from "../../network/forwards/names.ts";
import { CREDENTIAL_FILE } from "../../../lib/system/install/credential.ts";
import { NAME } from "../../../lib/system/install/layout.ts";
import { translated } from "../../../lib/i18n/locale.ts";
import { type Message, message, render, type Sentence } from "../../../lib/i18n/message.ts";
import { messageOf } from "../../../lib/text/message.ts";
import { type InstallTarget, pathBelowRoot } from "./install.ts";
import { InstallError, removeAt, type Say } from "./steps.ts";
import { hasSystemd, removeAccount, systemctl } from "./system.ts";

/** Text on the parts that an uninstallation deletes and leaves, for the question before it. */
export function lossOf({ layout }: InstallTarget, purge: boolean): Message {
  return purge
    ? message`The program, its settings (${layout.configDir}), its database with users, audit and tasks (${layout.dataDir}), and its user`
    : message`The program and its service; settings (${layout.configDir}) and data (${layout.dataDir}) stay`;
}

/** Stops the service, and takes our rules out of the packet filter. */
async function quiet({ layout, isPackage }: InstallTarget, say: Say): Promise<void> {
  if (await hasSystemd()) {
    await systemctl("disable", "--now", NAME);
    say(message`service stopped and disabled`);
  }
  if (isPackage) return; // another version may follow at once: forwards stay
  const kernel = new ForwardKernel(forwardNames(layout.dataDir));
  if (await kernel.present()) {
    await kernel.clear();
    say(message`port forwards taken out of the kernel`);
  }
}

/** A server that was started by hand would go on without its database. @throws {FolderInUse} */
async function requireUnused(dataDir: string): Promise<void> {
  if (await isThere(dataDir)) (await lockDataFolder(dataDir))[Symbol.dispose]();
}

/**
 * Removes what `install` put there. A part that cannot be removed hinders no other.
 *
 * @throws {InstallError} naming what could not be removed
 */
export async function uninstall(target: InstallTarget, purge: boolean, say: Say): Promise<void> {
  const { layout, root, isPackage } = target;
  if (root === "" && Deno.uid() !== 0) throw new InstallError("this changes the system: run it as root");
  const left: string[] = [];
  const attempt = async (what: Sentence, run: () => Promise<void>) => {
    try {
      await run();
    } catch (error) {
      left.push(`${render(what)}: ${translated(messageOf(error))}`);
    }
  };
  if (root === "") await attempt(message`service`, () => quiet(target, say));
  const files = textFiles(layout).filter(({ kept }) => !kept).map(({ path }) => path);
  const paths = [
    ...(isPackage ? [] : [...files, layout.binary]),
    layout.library,
    layout.cacheDir,
    ...(purge ? [layout.configDir, layout.dataDir, layout.keyDir, CREDENTIAL_FILE] : []),
  ];
  for (const path of paths) {
    await attempt(path, async () => {
      if (path === layout.dataDir) await requireUnused(pathBelowRoot(target, path));
      if (await removeAt(pathBelowRoot(target, path))) say(message`removed ${path}`);
    });
  }
  if (root === "" && await hasSystemd()) {
    await attempt("systemd", async () => void await systemctl("daemon-reload"));
  }
  if (root === "" && purge) await attempt(message`account ${NAME}`, removeAccount);
  if (left.length > 0) throw new InstallError(render(message`not removed: ${left.join("; ")}`));
}
