/** The images of a VM that is off and has snapshots: those in use, those of its snapshots, and what they are built on. */
import type { Disk, Role, VM } from "../../../lib/contract/mod.ts";
import {
  type ImageFile,
  type MigrationFinding,
  MOST_IMAGE_FILES,
} from "../../../lib/host/migration_protocol.ts";
import { ContractError } from "../../../lib/contract/mod.ts";
import type { SnapshotOfMove } from "../../operations/step.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { undefinedIfMissing } from "../../machine/files.ts";
import { plainPath } from "../../machine/host_file.ts";
import { hostFiles } from "../../machine/host_files.ts";
import { checkImage, type ImageRequest } from "../../storage/disk_images/check.ts";
import { isOwnDisk } from "../lifecycle/disk_copies.ts";
import { type FoundSnapshot, scan } from "../snapshots/scan.ts";
import { problem } from "./findings.ts";
import type { Sentence } from "../../../lib/i18n/message.ts";

/** Images and snapshots of a VM that leaves, with the findings. */
export interface LeavingImages {
  /** By target: the image in use first. Empty where content alone is copied. */
  readonly files: ReadonlyMap<string, readonly ImageFile[]>;
  /** Parents before their children. */
  readonly snapshots: readonly SnapshotOfMove[];
  /** Images of snapshots alone, which no disk has: they go with the VM. */
  readonly ofSnapshots: readonly string[];
  readonly findings: readonly MigrationFinding[];
  /** Names of all its snapshots, also where they do not go along. */
  readonly names: readonly string[];
}

export const NO_IMAGES: LeavingImages = {
  files: new Map(),
  snapshots: [],
  ofSnapshots: [],
  findings: [],
  names: [],
};

/** Images of one disk that its snapshots name: what they keep, and what was begun with them. */
const namedBy = (snapshots: readonly FoundSnapshot[], target: string) =>
  snapshots.flatMap(({ externalDisks }) => externalDisks).filter((disk) => disk.target === target);

/** Collects the images of one disk. */
class DiskFiles {
  readonly files: ImageFile[] = [];

  constructor(private readonly host: LibvirtHost, private readonly role: Role) {}

  /** Adds an image, and what it is built on. @throws {ContractError} why it cannot be read */
  async add(path: string, format: string | undefined, held: DisposableStack): Promise<void> {
    if (this.files.some((file) => file.path === path)) return;
    const wish: ImageRequest = { path, ...(format === "qcow2" || format === "raw" ? { format } : {}) };
    const image = await checkImage(
      this.host,
      wish,
      { purpose: "content", role: this.role, anyBase: true },
      held,
    );
    const chain = [{ path: image.path, format: image.format, type: image.type }, ...image.backing];
    for (const [index, { path, format, type }] of chain.entries()) {
      const known = this.files.findIndex((file) => file.path === path);
      if (known >= 0) {
        this.#link(chain[index - 1]?.path, known);
        return;
      }
      if (type !== "file" || (format !== "qcow2" && format !== "raw")) throw notCopied(path, "it is no file");
      const { size: bytes } = await hostFiles.stat(plainPath(path));
      this.files.push({ path, bytes, format });
      this.#link(chain[index - 1]?.path, this.files.length - 1);
    }
  }

  #link(above: string | undefined, backing: number): void {
    const index = this.files.findIndex(({ path }) => path === above);
    if (index >= 0) this.files[index] = { ...this.files[index]!, backing };
  }
}

const notCopied = (path: string, reason: Sentence) => new ContractError("DiskRefused", { path, reason });

/** All images of a disk. */
async function filesOf(
  host: LibvirtHost,
  { target, source = "", format }: Disk,
  snapshots: readonly FoundSnapshot[],
  role: Role,
): Promise<readonly ImageFile[] | MigrationFinding> {
  using held = new DisposableStack();
  const found = new DiskFiles(host, role);
  try {
    await found.add(source, format, held);
    for (const { path, format, overlay } of namedBy(snapshots, target)) {
      if (path === undefined) throw notCopied(source, "a snapshot names no image");
      await found.add(path, format, held);
      // One that was merged into another is gone
      if (overlay !== undefined && await undefinedIfMissing(hostFiles.stat(plainPath(overlay)))) {
        await found.add(overlay, "qcow2", held);
      }
    }
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    return problem("snapshot-image", { target, reason: error.message });
  }
  return found.files.length <= MOST_IMAGE_FILES
    ? found.files
    : problem("snapshot-image", { target, reason: `it has more than ${MOST_IMAGE_FILES} images` });
}

/** Looks at the snapshots of a VM that is off. @param role of who moves it @throws {LibvirtError} */
export async function leavingImages(host: LibvirtHost, vm: VM, role: Role): Promise<LeavingImages> {
  const found = await scan(host, vm);
  if (found.length === 0) return NO_IMAGES;
  const inUse = new Set(vm.disks.map(({ source }) => source));
  const files = new Map<string, readonly ImageFile[]>(), findings: MigrationFinding[] = [];
  const withMemory = found.find(({ memoryFile }) => memoryFile !== undefined);
  if (withMemory !== undefined) findings.push(problem("snapshot-memory", { snapshot: withMemory.name }));
  for (const disk of vm.disks.filter((each) => isOwnDisk(each) && each.source !== undefined)) {
    // Those on the network are the same from everywhere
    if (disk.type === "network") continue;
    const own = disk.type === "file"
      ? await filesOf(host, disk, found, role)
      : problem("snapshot-image", { target: disk.target, reason: "it is not in a file." });
    if ("check" in own) findings.push(own);
    else files.set(disk.target, own);
  }
  const named = found.flatMap(({ externalDisks }) =>
    externalDisks.flatMap(({ path, overlay }) => [path, overlay])
  );
  return {
    files,
    findings,
    names: found.map(({ name }) => name),
    ofSnapshots: [...new Set(named)].filter((path) => path !== undefined && !inUse.has(path)) as string[],
    snapshots: await Promise.all(found.map(async ({ name, isCurrent }) => ({
      isCurrent,
      xml: await host.link.call("snapshotXml", { uuid: vm.id, name }),
    }))),
  };
}
