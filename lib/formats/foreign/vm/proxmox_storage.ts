/**
 * Storages of a Proxmox VE node: `/etc/pve/storage.cfg`, and volumes such as `local-lvm:vm-100-disk-0`. Source: Proxmox
 * VE's documentation, "Proxmox VE Storage". Pure.
 */
import { ForeignVmError, MOST_DEFINITION } from "./model.ts";

const MOST_LINES = 20_000;

/** A storage: its type, and its settings by their names. */
export interface ProxmoxStorage {
  readonly type: string;
  readonly settings: ReadonlyMap<string, string>;
}

/** Location of a volume on its node. */
export type ProxmoxPlace =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "lvm"; readonly group: string; readonly volume: string };

/** Types whose volumes are files in a folder that is mounted. */
const FOLDERS: ReadonlySet<string> = new Set(["dir", "nfs", "cifs", "cephfs", "glusterfs", "btrfs"]);
/** The storage that a node has without being told. */
const LOCAL: ProxmoxStorage = { type: "dir", settings: new Map([["path", "/var/lib/vz"]]) };

/** The storages by their names. @throws {ForeignVmError} */
export function readStorages(text: string): ReadonlyMap<string, ProxmoxStorage> {
  if (text.length > MOST_DEFINITION) throw new ForeignVmError("its storage.cfg is too long");
  const lines = text.split(/\r\n|\n/), found = new Map<string, ProxmoxStorage>([["local", LOCAL]]);
  if (lines.length > MOST_LINES) throw new ForeignVmError("its storage.cfg has too many lines");
  let settings = new Map<string, string>();
  for (const line of lines) {
    const [, type, name] = /^([a-z]+):\s*([A-Za-z][A-Za-z0-9._-]{0,99})\s*$/.exec(line) ?? [];
    if (type !== undefined) found.set(name!, { type, settings: settings = new Map() });
    const [, key, value = ""] = /^[ \t]+([a-z][a-z0-9_-]*)(?:[ \t]+(.*?))?\s*$/.exec(line) ?? [];
    if (key !== undefined) settings.set(key, value);
  }
  return found;
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._+-]{0,200}$/;
// deno-lint-ignore no-control-regex -- they are what is refused
const PATH = /^\/(?!.*(?:^|\/)\.\.(?:\/|$))[^\u0000-\u001f\u007f]{1,1000}$/;

/** A path that leads to one place alone. @throws {ForeignVmError} */
function plain(path: string, volume: string): string {
  if (PATH.test(path)) return path;
  throw new ForeignVmError(
    `its disk ${JSON.stringify(volume.slice(0, 120))} has a path that is not followed`,
  );
}

/**
 * Location of a volume.
 *
 * @param volume `local:100/vm-100-disk-0.qcow2`, or an absolute path
 * @throws {ForeignVmError} if that is no file, LVM volume or ZFS volume of the node
 */
export function proxmoxPlace(volume: string, storages: ReadonlyMap<string, ProxmoxStorage>): ProxmoxPlace {
  if (volume.startsWith("/")) return { kind: "path", path: plain(volume, volume) };
  const at = volume.indexOf(":"), name = volume.slice(0, at), rest = volume.slice(at + 1);
  const storage = at < 0 ? undefined : storages.get(name);
  if (storage === undefined) {
    throw new ForeignVmError(
      `its disk ${JSON.stringify(volume.slice(0, 120))} is on a storage that the node does not have`,
    );
  }
  const { type, settings } = storage;
  if (FOLDERS.has(type)) {
    const folder = settings.get("path") ?? `/mnt/pve/${name}`;
    // A linked clone names its base first
    const [, own] = /^(?:\d+\/[^/]+\/)?(\d+\/[^/]+)$/.exec(rest) ?? [];
    if (own === undefined) {
      throw new ForeignVmError(`its disk ${JSON.stringify(volume.slice(0, 120))} names no file`);
    }
    const file = type === "btrfs" && /\.raw$/.test(own) ? `${own.slice(0, -4)}/disk.raw` : own;
    return { kind: "path", path: plain(`${folder.replace(/\/+$/, "")}/images/${file}`, volume) };
  }
  // A linked clone names its base first
  const [, own = ""] = /^(?:base-[^/]+\/)?([^/]+)$/.exec(rest) ?? [];
  if (!NAME.test(own)) {
    throw new ForeignVmError(`its disk ${JSON.stringify(volume.slice(0, 120))} names no volume`);
  }
  if (type === "lvm" || type === "lvmthin") {
    const group = settings.get("vgname") ?? "";
    if (!NAME.test(group)) throw new ForeignVmError(`its storage ${name} names no volume group`);
    return { kind: "lvm", group, volume: own };
  }
  if (type === "zfspool") {
    const pool = settings.get("pool") ?? "";
    return { kind: "path", path: plain(`/dev/zvol/${pool}/${own}`, volume) };
  }
  throw new ForeignVmError(
    `its disk ${
      JSON.stringify(volume.slice(0, 120))
    } is on a storage of the type ${type}. Move it to a storage of files, LVM ` +
      "or ZFS there first",
  );
}
