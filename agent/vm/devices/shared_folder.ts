/** Checks the host folder of a share. Root of the guest is root of the host in it, so many are refused. */
import { message, type Sentence, vmName } from "../../../lib/i18n/message.ts";
import { ContractError, type VM } from "../../../lib/contract/mod.ts";
import { sharesOf } from "../../../lib/formats/xml/device_diff.ts";
import { describePool } from "../../../lib/formats/xml/pool.ts";
import {
  CLOSED_FOLDERS,
  type ClosedFolder,
  closedReason,
  homeFolder,
  nestedReason,
  type SharedFolder,
  sharesAbove,
} from "../../../lib/vm/shared_folders.ts";
import { lookAt, textAt } from "../../machine/files.ts";
import { isNameable, statFile } from "../../machine/host_file.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { isSession } from "../../libvirt/uri.ts";
import { resolvedPath, statInTime } from "../../machine/resolved_path.ts";
import { above, isSameFolder, sharedFolders, statAll } from "../../storage/guest_folders.ts";
import { hiddenFolderOf } from "../../storage/mounts.ts";
import { realPath } from "../../storage/disk_images/chain.ts";

const refused = (path: string, reason: Sentence) => new ContractError("PathRefused", { path, reason });

/** Source of the folders with copies of VMs. */
export interface BackupPlaces {
  readonly backups: {
    require(): void;
    all(): readonly { readonly folder: string; readonly name: string }[];
  };
  readonly backupTargets: {
    require(): {
      all(): readonly { readonly copiesFolder?: string; readonly folder?: string; readonly name: string }[];
    };
  };
}

/** Folders with copies of VMs: writing there changes restored data. @throws {ContractError} StoreUnavailable */
export function backupFolders({ backups, backupTargets }: BackupPlaces): ClosedFolder[] {
  backups.require();
  return [
    ...backups.all().map(({ folder, name }) => ({
      path: folder,
      what: `the folder of the backup job ${name}`,
    })),
    ...backupTargets.require().all().map(({ copiesFolder = "", folder = copiesFolder, name }) => ({
      path: folder,
      what: `the folder of the backup target ${name}`,
    })),
  ].filter(({ path }) => path.startsWith("/"));
}

/** Accounts of people have numbers from here on (Debian, Fedora: UID_MIN of login.defs). */
const FIRST_PERSON = 1000;
/** User id of the account `nobody`. */
const NOBODY = 65_534;

/** The homes of this host's own accounts of people. */
async function homes(): Promise<ClosedFolder[]> {
  const accounts = (await textAt("/etc/passwd") ?? "").split("\n").map((line) => line.split(":"));
  return accounts.filter(([, , uid]) => Number(uid) >= FIRST_PERSON && Number(uid) !== NOBODY)
    .map(([, , , , , home = ""]) => home.replace(/\/+$/, "")).filter((path) => /^\/./.test(path)).map(
      homeFolder,
    );
}

/** The home that a path is or is in, where its name alone tells: accounts may be kept elsewhere. */
function homeAt(path: string): ClosedFolder[] {
  const [home] = /^(?:\/var)?\/home\/[^/]+/.exec(path) ?? [];
  return home === undefined ? [] : [homeFolder(home)];
}

/** Every folder that is never shared: the host's, libvirt's, ours, and those of storage pools. @throws {LibvirtError} */
async function closedFolders({ machine, inventory, closedPlaces }: LibvirtHost): Promise<ClosedFolder[]> {
  const { storage } = inventory;
  if (!storage.isKnown) await storage.refresh();
  const pools = storage.records().flatMap(({ name, xml }) => {
    const { path } = describePool(xml);
    return path?.startsWith("/") ? [{ path, what: `the folder of the storage pool ${name}` }] : [];
  });
  const here = machine !== null;
  const home = here ? Deno.env.get("HOME") : undefined;
  const session = home === undefined
    ? []
    : [".config/libvirt", ".cache/libvirt", ".local/share/libvirt"].map((name) => ({
      path: `${home}/${name}`,
      what: "a folder of libvirt",
    }));
  const { own, backups } = closedPlaces(), ours = here ? [...own, ...await homes()] : [];
  // A disk's file, not its whole folder: only who has what holds the file can put another in its place.
  const disks = inventory.vms().flatMap((vm) =>
    vm.disks.filter(({ type, source }) => type === "file" && source?.startsWith("/"))
      .map(({ source }) => ({ path: source!, what: message`a disk of ${vmName(vm)}` }))
  );
  const all = [...CLOSED_FOLDERS, ...ours, ...session, ...pools, ...backups, ...disks];
  const real = await Promise.all(all.map(async (each) => ({
    ...each,
    path: await resolvedPath(machine, each.path),
  })));
  return [...all, ...real];
}

/**
 * Only root may be able to put a link where the folder is: virtiofsd follows it as root at the next start.
 *
 * @throws {ContractError} PathRefused
 */
function requireFixed(
  host: LibvirtHost,
  path: string,
  infoOf: (path: string) => Deno.FileInfo | "none" | "late",
) {
  const owners = [0, ...isSession(host.link.uri) ? [Deno.uid()] : []];
  const isOwned = ({ uid }: Deno.FileInfo) => uid !== null && owners.includes(uid);
  const way = above(path);
  for (const [index, at] of way.entries()) {
    const info = infoOf(at);
    if (typeof info !== "object") throw refused(path, message`who can write to ${at} cannot be told`);
    if (!isOwned(info)) {
      throw refused(
        path,
        message`${at} does not belong to root: its owner could put a link in the folder's place`,
      );
    }
    const mode = info.mode ?? 0;
    if ((mode & 0o022) === 0) continue;
    if ((mode & 0o1000) === 0) {
      throw refused(
        path,
        message`others than root can write to ${at}, and could put a link in the folder's place`,
      );
    }
    // In a sticky folder, such as /tmp, owners can still replace what is theirs.
    const child = way[index - 1] ?? path;
    const inner = infoOf(child);
    if (typeof inner !== "object" || !isOwned(inner)) {
      throw refused(path, message`${child} does not belong to root, and its owner could replace it in ${at}`);
    }
  }
}

/**
 * The folder a share may be made of, without symbolic links.
 *
 * @returns with `isChecked`: false where libvirt runs elsewhere, so that it is judged by its name alone
 * @throws {ContractError} PathRefused
 */
export async function requireFolder(
  host: LibvirtHost,
  folder: string,
): Promise<{ readonly path: string; readonly isChecked: boolean }> {
  if (!folder.startsWith("/")) throw refused(folder, "it must be an absolute path on the host");
  if (folder.split("/").includes("..")) throw refused(folder, "it leads upwards (..)");
  const given = folder.split("/").filter((part) => part !== "" && part !== ".");
  const plain = `/${given.join("/")}`;
  if (!isNameable(plain)) throw refused(folder, "its name is no UTF-8, which libvirt's XML cannot hold");
  const [closed, shares] = await Promise.all([
    closedFolders(host),
    sharedFolders(host, host.inventory.vms()),
  ]);
  const requireOpen = (path: string) => {
    const reason = closedReason(path, [...closed, ...homeAt(path)]) ?? nestedReason(path, shares);
    if (reason === undefined) return;
    throw refused(folder, path === plain ? reason : message`it leads to ${path}: ${reason}`);
  };
  requireOpen(plain);
  if (host.machine === null) return { path: plain, isChecked: false };
  const hidden = await hiddenFolderOf(plain);
  if (hidden !== undefined) {
    throw refused(
      folder,
      message`KVM Manager's service cannot see what is in ${hidden}: its systemd unit hides it (ProtectHome, PrivateTmp)`,
    );
  }
  if (await statInTime(plain) === "late") throw refused(folder, "its file system does not answer");
  const path = await realPath(plain);
  if (path === undefined) throw refused(folder, "it does not exist");
  requireOpen(path);
  const info = await lookAt(path, statFile);
  if (!info?.isDirectory) throw refused(folder, "it is not a folder");
  await requireNoOtherName(folder, info, closed, shares);
  const way = await statAll([path, ...above(path)]);
  requireFixed(host, path, (at) => way.get(at) ?? "none");
  return { path, isChecked: true };
}

/** @throws {ContractError} PathRefused where the folder is one of these, or one above them, by a bind mount */
async function requireNoOtherName(
  folder: string,
  info: Deno.FileInfo,
  closed: readonly ClosedFolder[],
  shares: readonly SharedFolder[],
): Promise<void> {
  const names: { at: string; path: string; what: Sentence }[] = [
    ...closed.flatMap(({ path, what }) => [path, ...above(path)].map((at) => ({ at, path, what }))),
    ...shares.flatMap(({ path, vm }) =>
      above(path).map((at) => ({ at, path, what: message`a shared folder of ${vm}` }))
    ),
  ];
  const infos = await statAll(names.map(({ at }) => at));
  if (isSameFolder(info, infos.get("/")!)) throw refused(folder, "it is the host's whole file system");
  for (const { at, path, what } of names) {
    if (isSameFolder(info, infos.get(at)!)) {
      throw refused(folder, message`it is another name of ${at}, and ${path} is ${what}`);
    }
  }
}

/**
 * Refuses to start a VM whose shared folder is gone, or somebody has put a link in the place of, or could while the start lasts.
 *
 * @throws {ContractError} StartFailed @throws {LibvirtError}
 */
export async function requireSharesFixed(host: LibvirtHost, vm: VM): Promise<void> {
  const { link, inventory } = host;
  const xml = await link.call("domainXml", { uuid: vm.id, secure: false, inactive: true });
  const own = sharesOf(xml).filter(({ folder }) => folder.startsWith("/"));
  if (own.length === 0) return;
  const active = new Set(inventory.active());
  const others = await sharedFolders(
    host,
    inventory.vms().filter(({ id }) => id !== vm.id && active.has(id)),
  );
  for (const { tag, folder } of own) {
    const failed = (why: Sentence) => {
      const error =
        message`its shared folder ${tag}, ${folder}, ${why}. Remove it from the VM, or share another folder`;
      return new ContractError("StartFailed", { error });
    };
    // What the service cannot see it cannot judge: such a folder was not shared by it.
    if (await hiddenFolderOf(folder) !== undefined) continue;
    if (link.machine !== null && await statInTime(folder) === "none") throw failed("is not there any more");
    const path = await resolvedPath(link.machine, folder);
    if (path !== folder.replace(/\/+$/, "") && folder !== "/") throw failed(`leads to ${path}`);
    const outer = sharesAbove(path, others);
    if (outer !== undefined) {
      throw failed(message`is in ${outer.path}, which the running VM ${outer.vm} could put a link in`);
    }
  }
}
