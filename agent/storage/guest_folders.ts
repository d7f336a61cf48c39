/** Folders of the host that guests write to: what root writes there, a guest can read, change and put links in the place of. */
import { type Message, message, vmName } from "../../lib/i18n/message.ts";
import { dirname } from "node:path";
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import { sharesOf } from "../../lib/formats/xml/device_diff.ts";
import { guestReason, type SharedFolder } from "../../lib/vm/shared_folders.ts";
import { definitionsOf } from "../libvirt/definitions.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { isConnectionLost } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import { resolvedPath, statInTime } from "../machine/resolved_path.ts";

/** Whether two folders are one: a bind mount has another path, and the same content. */
export const isSameFolder = (info: Deno.FileInfo, other: Deno.FileInfo | "none" | "late") =>
  typeof other === "object" && other.ino === info.ino && other.dev === info.dev;

/** The folders above a path, the nearest first. */
export function above(path: string): string[] {
  const found: string[] = [];
  for (let at = dirname(path);; at = dirname(at)) {
    found.push(at);
    if (at === dirname(at)) return found;
  }
}

/** File information of many paths, read at the same time: servers that do not answer are waited for together. */
export async function statAll(paths: Iterable<string>) {
  return new Map(
    await Promise.all([...new Set(paths)].map(async (path) => [path, await statInTime(path)] as const)),
  );
}

/** The folders that VMs share, where they run and from their next start on. @throws {LibvirtError} */
export async function sharedFolders(host: LibvirtHost, vms: readonly VM[]): Promise<SharedFolder[]> {
  const found = (await definitionsOf(host, vms)).map(async ({ vm, live, next }) => {
    const folders = [...live === null ? [] : sharesOf(live), ...sharesOf(next)]
      .map(({ folder }) => folder).filter((folder) => folder.startsWith("/"));
    return await Promise.all([...new Set(folders)].map(async (folder) => {
      const real = await resolvedPath(host.machine, folder);
      return [...new Set([folder, real])].map((path) => ({ path, vm: vmName(vm) }));
    }));
  });
  return (await Promise.all(found)).flat(2);
}

/** Backups are set up while libvirt is away, too: then it is not known which folders are shared, and that is in the log. */
async function sharesNow(host: LibvirtHost): Promise<SharedFolder[]> {
  try {
    return await sharedFolders(host, host.inventory.vms());
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
    log.warn("which folders VMs share is not known while libvirt is away", { error });
    return [];
  }
}

/**
 * Refuses a folder that root is to write to where a guest writes, too: one that a VM shares, is in one, or has one in it.
 *
 * @throws {ContractError} PathRefused @throws {LibvirtError}
 */
export async function requireUnshared(host: LibvirtHost, folder: string): Promise<void> {
  const { machine } = host, shares = await sharesNow(host);
  if (shares.length === 0) return;
  const path = await resolvedPath(machine, folder);
  const reason = guestReason(path, shares) ?? (machine !== null ? await otherName(path, shares) : undefined);
  if (reason !== undefined) throw new ContractError("PathRefused", { path: folder, reason });
}

/** The same by what the folders are: a bind mount gives one another path. */
async function otherName(path: string, shares: readonly SharedFolder[]): Promise<Message | undefined> {
  const way = [path, ...above(path)];
  const infos = await statAll([...way, ...shares.flatMap((share) => [share.path, ...above(share.path)])]);
  const isOne = (a: string, b: string) => {
    const info = infos.get(a);
    return typeof info === "object" && isSameFolder(info, infos.get(b) ?? "none");
  };
  for (const { path: shared, vm } of shares) {
    const same = way.find((at) => isOne(at, shared)) ??
      above(shared).find((at) => at !== "/" && isOne(at, path));
    if (same !== undefined) {
      return message`${same} is another name of a shared folder of ${vm}, or of one above it`;
    }
  }
}
