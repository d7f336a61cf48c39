/**
 * Finds the volume that a passphrase opens. libvirt keeps one secret per path, and another volume can take
 * the path meanwhile: an encrypted volume is recognized by its own head, and one in the bin keeps the secret
 * of its former path.
 */
import { LibvirtError } from "../../ffi/error.ts";
import { isLuksHead, LUKS_HEAD_BYTES } from "../../lib/formats/luks.ts";
import { binPath, joinPath, splitPath } from "../../lib/bin/place.ts";
import { isSystemError, undefinedIfMissing } from "../machine/files.ts";
import { plainPath } from "../machine/host_file.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { isConnectionLost, isUnsupported } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { isNotResponding } from "../machine/mount_gate.ts";
import { resolvedPath, resolvedPaths } from "../machine/resolved_path.ts";
import { poolFolders } from "./used_places.ts";
import { findVolumeAt, removeVolume } from "./volumes.ts";
import type { LocalMachine } from "../machine/machine.ts";

type Services = Pick<LibvirtHost, "bin" | "id" | "inventory" | "link" | "machine">;

/** Whether the file at a path is a LUKS container; undefined where that cannot be read now. */
export async function isLuks({ files }: LocalMachine, path: string): Promise<boolean | undefined> {
  try {
    const head = await undefinedIfMissing(files.readStart(plainPath(path), LUKS_HEAD_BYTES));
    return head !== undefined && isLuksHead(head);
  } catch (error) {
    if (!isSystemError(error) && !isNotResponding(error)) throw error;
    log.debug("whether a volume is encrypted cannot be read", { path, error });
    return undefined;
  }
}

/** Name of the volume in the bin that the passphrase of a path opens; undefined if there is none. */
export async function binnedAt(
  { bin, id, machine }: Pick<Services, "bin" | "id" | "machine">,
  path: string,
  except?: string,
): Promise<string | undefined> {
  for (const entry of bin.all(id)) {
    if (entry.id === except) continue;
    for (const file of entry.files) {
      if (file.role !== "disk" || file.path !== path) continue;
      // What cannot be read now may be it
      if (machine === null || await isLuks(machine, binPath(file)) !== false) return entry.name;
    }
  }
}

/** A VM whose definition names a secret. @throws {LibvirtError} */
async function vmNaming({ inventory, link }: Services, secret: string): Promise<string | undefined> {
  for (const { id: uuid, name, persistent } of inventory.everyVm()) {
    const isActive = inventory.active().includes(uuid);
    for (const inactive of persistent && isActive ? [false, true] : [!isActive]) {
      const xml = await link.call("domainXml", { uuid, secure: false, inactive }).catch((error) => {
        if (error instanceof LibvirtError && error.kind === "libvirt") return "";
        throw error;
      });
      if (xml.includes(secret)) return name;
    }
  }
}

/** The paths by which pools call the file at one: pools may share a folder, or reach it by a link. */
async function namesOf(host: Services, path: string): Promise<string[]> {
  const { machine } = host;
  if (machine === null) return [path];
  const real = await resolvedPath(machine, path), { folder, name } = splitPath(real);
  const folders = poolFolders(host).map((pool) => pool.path), places = await resolvedPaths(machine, folders);
  const same = folders.filter((_, index) => places[index] === folder);
  return [...new Set([path, real, ...same.map((each) => joinPath(each, name))])];
}

/**
 * UUID of the secret that opens the raw volume at a path; undefined where it is not encrypted, also where the path's
 * passphrase is another volume's, which is in the bin.
 *
 * @throws {LibvirtError}
 */
export async function secretFor(host: Services, path: string): Promise<string | undefined> {
  const { link, machine } = host;
  if (machine !== null && await isLuks(machine, path) === false) return undefined;
  for (const name of await namesOf(host, path)) {
    const secret = await link.call("secretOfVolume", { path: name });
    if (secret !== null && await binnedAt(host, name) === undefined) return secret;
  }
}

/**
 * Forgets the passphrase of an encrypted volume that is gone, unless something else needs it: what is at its path by now,
 * what the bin keeps, a VM that names it.
 *
 * @param except entry of the bin that is going
 * @throws {LibvirtError} when libvirt is away
 */
export async function forgetPassphrase(host: Services, path: string, except?: string): Promise<void> {
  const { link, machine } = host;
  try {
    const secret = await link.call("secretOfVolume", { path });
    if (secret === null) return;
    const here = machine !== null && await isLuks(machine, path) !== false
      ? "the volume at its path"
      : undefined;
    const user = here ?? await binnedAt(host, path, except) ?? await vmNaming(host, secret);
    if (user !== undefined) return log.info("a passphrase stays: something needs it", { path, user });
    await link.call("secretForget", { path });
  } catch (error) {
    if (isConnectionLost(error)) throw error;
    // A driver without secrets has none to be removed.
    if (isUnsupported(error)) return;
    log.error("the passphrase of a volume that is gone could not be removed", { path, error });
  }
}

/**
 * Deletes the volume at a path, and the passphrase that opened it alone.
 *
 * @throws {LibvirtError} code NO_STORAGE_VOL when no active pool knows it
 */
export async function deleteVolume(host: Services, path: string): Promise<void> {
  const { link } = host;
  const isEncrypted = link.machine !== null
    ? await isLuks(link.machine, path)
    : (await findVolumeAt(link, path))?.encryption !== undefined;
  await removeVolume(link, path);
  // Where its head could not be read, it may have been
  if (isEncrypted !== false) await forgetPassphrase(host, path);
}
