/**
 * Outcome of a restore in place for the VM's present disks: those that were copied are deleted, the others
 * stay.
 */
import {
  type Lineage,
  lineageIn,
  lineageOf,
  type PresentDisk,
  replacedBy,
} from "../../lib/backup/replaced.ts";
import { sameness } from "../../lib/backup/sameness.ts";
import type { Disk, VM } from "../../lib/contract/mod.ts";
import { nodeOf } from "../../lib/formats/xml/build.ts";
import type { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { summarizeDomain } from "../../lib/formats/xml/domain.ts";
import { child } from "../../lib/formats/xml/tree.ts";
import { oneLine } from "../../lib/text/text.ts";
import { isThere } from "../machine/files.ts";
import { originOf } from "../storage/disk_origin.ts";
import { pathOfDisk, volumeOfDisk } from "../storage/disk_path.ts";
import type { PoolVolume } from "../storage/volumes.ts";
import { changeLineage } from "../vm/disk_lineage.ts";
import { diskIn } from "../vm/devices/configurations.ts";
import type { DiskWork, RestoreSource } from "./make_disk.ts";

type Work = Pick<DiskWork, "host"> & Pick<RestoreSource, "manifest"> & { readonly warnings: string[] };

/** With the disk as the VM has it: its own source is where it leads. */
type FoundDisk = PresentDisk & { readonly disk: Disk };

/** The disks of now that a copy takes the place of. */
export interface Replaced {
  /** The copy's target → the disk that it was. */
  readonly disks: ReadonlyMap<string, FoundDisk>;
  /** The volumes of those; what is in no active pool is kept. */
  readonly volumes: ReadonlyMap<string, PoolVolume>;
  readonly lineage: Lineage;
}

/** Whether something is at a disk's path, or its path is none that could tell. */
const mayBeThere = async (path: string | undefined): Promise<boolean> =>
  path !== undefined && (!path.startsWith("/") || await isThere(path).catch(() => true));

/**
 * Finds them by what they are: the manifest names the image of each disk.
 *
 * @param definition that of the copy @param now that of the VM @throws {LibvirtError}
 */
export async function findReplaced(
  { host: { link }, manifest, warnings }: Work,
  vm: VM,
  definition: XmlDocument,
  now: XmlDocument,
): Promise<Replaced> {
  const then = summarizeDomain(definition.toString()).disks, lineage = lineageIn(now.root);
  const present = await Promise.all(
    vm.disks.map(async (disk): Promise<FoundDisk> => {
      const { target, device, readOnly, shareable } = disk, found = await originOf({ link }, disk);
      return { target, device, readOnly, shareable, source: found?.path, image: found?.image, disk };
    }),
  );
  const copied = await Promise.all(manifest.disks.map(async ({ target, origin }) => {
    const was = then.find((each) => each.target === target);
    return { target, origin, path: was && await pathOfDisk(link, was) };
  }));
  const disks = replacedBy(copied, present, lineage);
  const volumes = new Map<string, PoolVolume>();
  for (const [target, { disk, source: path }] of disks) {
    const volume = await volumeOfDisk(link, disk);
    if (volume !== undefined) volumes.set(target, volume);
    else if (await mayBeThere(path)) {
      warnings.push(`The old disk ${oneLine(disk.source ?? "")} was kept: it is in no active storage pool`);
    }
  }
  return { disks, volumes, lineage };
}

/** The disks and drives of now that no copy takes the place of, by target. */
export function laterDisks(now: XmlDocument, { disks }: Replaced): Set<string> {
  const gone = new Set([...disks.values()].map(({ target }) => target));
  return new Set(
    summarizeDomain(now.toString()).disks.map(({ target }) => target).filter((each) => !gone.has(each)),
  );
}

/** Parts of a disk that are of its place among the devices of one definition. */
const PLACE = ["address", "alias", "boot"];

/**
 * Keeps what was attached since the copy: as it is where the copy has nothing by that name, else it is told. Limits of disks
 * are those of now.
 */
export function keepLater(
  { warnings }: Work,
  document: XmlDocument,
  now: XmlDocument,
  replaced: Replaced,
): void {
  const later = laterDisks(now, replaced);
  for (const { target, device, source } of summarizeDomain(now.toString()).disks) {
    const element = diskIn(now, target), same = diskIn(document, target);
    if (!later.has(target) || element === undefined) continue;
    const isDrive = device === "cdrom" || device === "floppy";
    if (same === undefined) {
      document.append(document.find("devices")!, nodeOf(element));
      for (const name of PLACE) {
        const part = child(diskIn(document, target), name);
        if (part !== undefined) document.remove(part);
      }
      const what = isDrive ? "The drive" : "Disk";
      warnings.push(`${what} ${target} is not in the copy: it stays as it is now`);
    } else if (source !== undefined && !(isDrive && (same.attributes.device ?? "disk") === device)) {
      warnings.push(
        `Disk ${target} of now, ${
          oneLine(source)
        }, is not known to be the disk that the copy has by that name: ` +
          "it stays where it is, and is not attached any more",
      );
    }
  }
  for (const [target, { target: old }] of replaced.disks) keepLimits(warnings, document, target, now, old);
}

/** Gives a disk the limits that the disk has whose place it takes. */
function keepLimits(
  warnings: string[],
  document: XmlDocument,
  target: string,
  now: XmlDocument,
  old: string,
): void {
  const [then, limits] = [child(diskIn(document, target), "iotune"), child(diskIn(now, old), "iotune")];
  const disk = diskIn(document, target);
  if (disk === undefined || (then && sameness(then)) === (limits && sameness(limits))) return;
  document.setChild(() => diskIn(document, target)!, "iotune", limits && nodeOf(limits));
  warnings.push(`Disk ${target} has the limits that it has now, not those of the copy`);
}

/**
 * Notes in the VM which images its restored disks took the place of: another copy may be of those. What is known of the disks
 * that stay is kept.
 *
 * @throws {LibvirtError}
 */
export async function noteLineage(
  { host: { link }, manifest }: Work,
  uuid: string,
  made: ReadonlyMap<string, { readonly path: string }>,
  { disks, lineage }: Replaced,
): Promise<void> {
  const gone = new Set([...disks.values()].map(({ source }) => source));
  const staying = [...lineage].filter(([path]) => !gone.has(path));
  const restored = [...made].map(([target, { path }]) => {
    const origin = manifest.disks.find((each) => each.target === target)?.origin;
    return [path, lineageOf(origin, disks.get(target), lineage)] as const;
  });
  await changeLineage({ link }, uuid, () => new Map([...staying, ...restored]));
}
