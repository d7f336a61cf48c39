/** The folder of the database: where it must not be. */
import { ContractError } from "../../lib/contract/mod.ts";
import { message, render, type Sentence } from "../../lib/i18n/message.ts";
import { mountGate } from "../machine/mount_gate.ts";
import { canHang } from "../mounts/gate.ts";
import { SettingsError } from "../settings_error.ts";

/** The root of a container of an ordinary user: files of this host, by a process of this host. */
const OWN_TYPES: ReadonlySet<string> = new Set(["fuse.fuse-overlayfs"]);

/**
 * Refuses a data folder on a network share or a FUSE file system: every command is written there, by the thread that
 * answers everything, and a server that does not respond would stop the whole program.
 *
 * @throws {SettingsError}
 */
export async function requireLocalDisk(dataDir: string): Promise<void> {
  const refuse = (why: Sentence, cause?: unknown) =>
    new SettingsError(
      render(
        message`the data folder ${dataDir} cannot be used: ${why}. KVM Manager writes every command there and waits for it, so all of it would stop whenever that does not respond. Put it on a disk of this host: --data-dir, or KVMM_DATA_DIR`,
      ),
      { cause },
    );
  try {
    const mount = await mountGate.mountAt(dataDir);
    if (mount === undefined || !canHang(mount.type) || OWN_TYPES.has(mount.type)) return;
    throw refuse(message`it is on ${mount.at}, which is mounted by ${mount.type}`);
  } catch (error) {
    if (error instanceof ContractError) throw refuse(error.message, error);
    throw error;
  }
}
