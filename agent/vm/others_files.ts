/**
 * Files that a definition from outside names as its VM's own, and that are another's: libvirt deletes what is at a socket's
 * path, QEMU empties a serial line's file and writes to UEFI variables, as whoever owns them.
 */
import type { LocalMachine } from "../machine/machine.ts";
import { posix } from "node:path";
import { ContractError } from "../../lib/contract/mod.ts";
import type { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { nvramOf } from "../../lib/formats/xml/identity.ts";
import { setNvram } from "../../lib/formats/xml/nvram.ts";
import { writtenFiles } from "../../lib/formats/xml/own_files.ts";
import { parseXml } from "../../lib/formats/xml/tree.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { resolvedPath } from "../machine/resolved_path.ts";
import { directUses } from "../storage/disk_images/usage.ts";
import { otherUserOf } from "./lifecycle/other_user.ts";

/** libvirt's folders with the state of its VMs: if a file is lost there, libvirt loses that state. */
const LIBVIRT =
  /^\/((var\/)?run\/libvirt|etc\/libvirt|var\/(lib|cache)\/libvirt\/qemu\/(save|snapshot|checkpoint|capabilities|domain-\d+-[^/]+))(\/|$)/;
/** Log files of QEMU and libvirt, by a VM's name. */
const LOG = /^\/var\/log\/libvirt\/qemu\/([^/]+)\.log$/;

/** A VM that is defined, as far as it is known before. */
interface Meant {
  readonly uuid: string;
  readonly name: string;
}

/** The paths by which a file may be known: as it is written, and with the links followed, also where it is not there yet. */
async function pathsOf(machine: LocalMachine | null, path: string): Promise<string[]> {
  const plain = posix.normalize(path);
  const folder = await resolvedPath(machine, posix.dirname(plain));
  return [...new Set([plain, posix.join(folder, posix.basename(plain)), await resolvedPath(machine, plain)])];
}

/** Owner of a file, as an error's reason; undefined where no other owner is known. @throws {LibvirtError} */
async function ownerText(
  host: LibvirtHost,
  { uuid, name }: Meant,
  path: string,
): Promise<string | undefined> {
  const { inventory, keepers } = host;
  const paths = await pathsOf(host.machine, path);
  if (paths.every((each) => each.startsWith("/dev/"))) return undefined;
  if (paths.some((each) => LIBVIRT.test(each))) return "it lies where libvirt keeps what it knows of VMs";
  for (const each of paths) {
    const [, logged] = LOG.exec(each) ?? [];
    if (logged !== undefined && logged !== name && inventory.vmByName(logged) !== undefined) {
      return `it is the log of the VM ${oneLine(logged, 64)}`;
    }
    const user = await otherUserOf(host, uuid, each) ??
      (await directUses(host, each)).find(({ vmId }) => vmId !== uuid)?.name ??
      await keepers.of(each, uuid);
    if (user !== undefined) return `it is a file of ${oneLine(user, 100)}`;
  }
  return undefined;
}

/**
 * Refuses a definition that names what is another's as a file of its own.
 *
 * @param before the definition that the VM has: what it names already stays
 * @throws {ContractError} PathRefused @throws {LibvirtError}
 */
export async function refuseOthersFiles(
  host: LibvirtHost,
  document: XmlDocument,
  vm: Meant,
  before?: string,
): Promise<void> {
  const had = new Set(before === undefined ? [] : writtenFiles(parseXml(before)));
  for (const path of writtenFiles(document.root)) {
    const reason = had.has(path) ? undefined : await ownerText(host, vm, path);
    if (reason !== undefined) throw new ContractError("PathRefused", { path, reason });
  }
}

/**
 * Gives a copy of a definition libvirt's default UEFI variables, where those that it names are another's.
 *
 * @returns a warning for the user; undefined where nothing was changed @throws {LibvirtError}
 */
export async function leaveOthersNvram(
  host: LibvirtHost,
  document: XmlDocument,
  vm: Meant,
): Promise<string | undefined> {
  const path = nvramOf(document);
  if (path === undefined || await ownerText(host, vm, path) === undefined) return undefined;
  setNvram(document, undefined);
  return `It gets UEFI variables of its own: ${oneLine(path, 200)} stays the original's.`;
}
