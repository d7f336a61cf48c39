/** Which folder of the host a share is of. Root of the guest is root of the host in it, so many are refused. */
import { dirname } from "node:path";
import { ContractError } from "../../../lib/contract/mod.ts";
import { describePool } from "../../../lib/formats/xml/pool.ts";
import { CLOSED_FOLDERS, type ClosedFolder, closedReason } from "../../../lib/vm/shared_folders.ts";
import { lookAt, orMissing } from "../../files.ts";
import { isNameable, statFile } from "../../host_file.ts";
import type { Host } from "../../hosts/host.ts";
import { isLocal } from "../../libvirt/uri.ts";
import { resolvedPath } from "../../resolved_path.ts";
import { realPath } from "../../storage/disk_images/chain.ts";

const refused = (path: string, reason: string) => new ContractError("PathRefused", { path, reason });

/** Every folder that is never shared: the host's, libvirt's, ours, and those of storage pools. @throws {LibvirtError} */
async function closedFolders({ link, inventory: { storage }, app }: Host): Promise<ClosedFolder[]> {
  if (!storage.isKnown) await storage.refresh();
  const pools = await Promise.all(
    storage.records().map(async ({ name }) => {
      const { path } = describePool(await link.call("poolXml", { pool: name }));
      return path?.startsWith("/") ? [{ path, what: `the folder of the storage pool ${name}` }] : [];
    }),
  );
  const here = isLocal(link.uri);
  const home = here ? Deno.env.get("HOME") : undefined;
  const session = home === undefined
    ? []
    : [".config/libvirt", ".cache/libvirt", ".local/share/libvirt"].map((name) => ({
      path: `${home}/${name}`,
      what: "a folder of libvirt",
    }));
  const own = here && app.settings.dataDir.startsWith("/")
    ? [{ path: app.settings.dataDir, what: "the data folder of KVM Manager" }]
    : [];
  const all = [...CLOSED_FOLDERS, ...own, ...session, ...pools.flat()];
  const real = await Promise.all(all.map(async (each) => ({
    ...each,
    path: await resolvedPath(link.uri, each.path),
  })));
  return [...all, ...real];
}

/** Whether two folders are one: a bind mount has another path, and the same content. */
async function isSame(info: Deno.FileInfo, path: string): Promise<boolean> {
  const other = await orMissing(Deno.stat(path)).catch((error) => {
    if (error instanceof Deno.errors.PermissionDenied) return undefined;
    throw error;
  });
  return other !== undefined && other.ino === info.ino && other.dev === info.dev;
}

/**
 * The folder a share may be made of, without symbolic links.
 *
 * @returns with `isChecked`: false where libvirt runs elsewhere, so that it is judged by its name alone
 * @throws {ContractError} PathRefused
 */
export async function requireFolder(
  host: Host,
  folder: string,
): Promise<{ readonly path: string; readonly isChecked: boolean }> {
  if (!folder.startsWith("/")) throw refused(folder, "it must be an absolute path on the host");
  if (folder.split("/").includes("..")) throw refused(folder, "it leads upwards (..)");
  const given = folder.split("/").filter((part) => part !== "" && part !== ".");
  const plain = `/${given.join("/")}`;
  if (!isNameable(plain)) throw refused(folder, "its name is no UTF-8, which libvirt's XML cannot hold");
  const closed = await closedFolders(host);
  const requireOpen = (path: string) => {
    const reason = closedReason(path, closed);
    if (reason === undefined) return;
    throw refused(folder, path === plain ? reason : `it leads to ${path}: ${reason}`);
  };
  requireOpen(plain);
  if (!isLocal(host.link.uri)) return { path: plain, isChecked: false };
  const path = await realPath(plain);
  if (path === undefined) throw refused(folder, "it does not exist");
  requireOpen(path);
  const info = await lookAt(path, statFile);
  if (!info?.isDirectory) throw refused(folder, "it is not a folder");
  for (const each of closed) {
    for (let at = each.path; at !== "/"; at = dirname(at)) {
      if (await isSame(info, at)) {
        throw refused(folder, `it is another name of ${at}, and ${each.path} is ${each.what}`);
      }
    }
  }
  if (await isSame(info, "/")) throw refused(folder, "it is the host's whole file system");
  return { path, isChecked: true };
}
