/** A name for a copy of a disk in a pool, which nothing there has. */
import { NewVolumeName } from "../../lib/contract/mod.ts";
import { movedName } from "../../lib/storage/moved_name.ts";
import { checker } from "../../lib/typebox/compile.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { isTaken } from "../machine/files.ts";
import { plainPath } from "../machine/host_file.ts";
import { volumePlace } from "./volume_steps.ts";
import { findVolumeNamed } from "./volumes.ts";

const isVolumeName = checker(NewVolumeName);

/** Source and target pool of a copy that needs a name. */
export interface NamedCopy {
  readonly pool: string;
  /** The old volume's name, and the disk's target where that is no name for a volume. */
  readonly from: string;
  readonly target: string;
  /** Undefined where the pool keeps no files. */
  readonly format: "qcow2" | "raw" | undefined;
}

/**
 * The old volume's name, or that with a number.
 *
 * @param isPromised whether a name is another copy's that is not made yet
 * @throws {LibvirtError}
 */
export async function freeCopyName(
  { link }: Pick<LibvirtHost, "link">,
  { pool, from, target, format }: NamedCopy,
  isPromised: (name: string) => boolean = () => false,
): Promise<string> {
  for (let n = 1;; n++) {
    const tried = movedName(from, format, n);
    const name = isVolumeName(tried) ? tried : movedName(`disk-${target}`, format, n);
    if (isPromised(name) || await findVolumeNamed(link, pool, name) !== undefined) continue;
    const path = await volumePlace(link, pool, name);
    if (path === null || !await isTaken(plainPath(path))) return name;
  }
}
