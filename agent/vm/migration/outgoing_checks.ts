/** Whether a VM of this host can leave it. */
import { ContractError, type Input, type VM } from "../../../lib/contract/mod.ts";
import { summarizeDomain } from "../../../lib/formats/xml/domain.ts";
import { hindrancesOf } from "../../../lib/formats/xml/migration.ts";
import type { MigrationFinding } from "../../../lib/host/migration_protocol.ts";
import type { MigratableXml } from "../../../ffi/calls/mod.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { refuseCopied } from "../devices/move/plan.ts";
import { foreignCheckpoint } from "../checkpoints.ts";
import { isOwnDisk } from "../lifecycle/disk_copies.ts";
import { scan } from "../snapshots/scan.ts";
import { problem, warning } from "./findings.ts";

/** Findings by the VM's definition. */
function ofDefinition({ live, next }: MigratableXml, isOff: boolean): MigrationFinding[] {
  const found = hindrancesOf(live),
    later = new Map(summarizeDomain(next).disks.map((disk) => [disk.target, disk]));
  const disks = summarizeDomain(live).disks.filter(isOwnDisk);
  const changed = disks.filter(({ target, source, format }) => {
    const other = later.get(target);
    return other?.source !== source || other?.format !== format;
  });
  return [
    ...found.devices > 0 ? [problem("devices")] : [],
    ...found.sharedFolders ? [problem("shared-folders")] : [],
    ...found.sharedMemory ? [problem("shared-memory")] : [],
    ...found.vdpa ? [problem("vdpa")] : [],
    ...found.acceleration && !isOff ? [problem("acceleration")] : [],
    ...(isOff ? [] : found.transient).map((target) => problem("transient", { target })),
    ...found.encrypted.map((target) => problem("encrypted", { target })),
    ...changed.map(({ target }) => problem("changed-disk", { target })),
    ...disks.filter(({ device }) => device === "lun").map(({ target, device }) =>
      problem("disk-kind", { target, kind: device })
    ),
  ];
}

/** Snapshots and other state that libvirt holds of it in addition to the definition. @throws {LibvirtError} */
async function ofLibvirt(
  host: LibvirtHost,
  vm: VM,
  isOff: boolean,
  drops: boolean,
): Promise<MigrationFinding[]> {
  const snapshots = await scan(host, vm), checkpoint = await foreignCheckpoint(host, vm.id);
  const names = { snapshots: snapshots.map(({ name }) => name).join(", ") };
  const found: MigrationFinding[] = [];
  if (snapshots.length > 0 && !isOff) found.push(problem("snapshots", names));
  if (snapshots.length > 0 && isOff && drops) found.push(warning("snapshots-dropped", names));
  if (checkpoint !== undefined) found.push(problem("checkpoint", { checkpoint }));
  const [disk] = vm.disks;
  try {
    if (disk !== undefined && !isOff) await refuseCopied(host, vm, disk);
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    found.push(problem("copied"));
  }
  return found;
}

/** Version of libvirt from which memory is compressed on several connections. */
const MULTIFD_COMPRESSION = 9_004_000;

/** Whether memory can be sent so. @param libvirt the older version of both hosts */
export function checkTransport(
  { directTo, ...how }: Pick<Input<"migrate_vm">, "compression" | "connections" | "directTo">,
  libvirt: number,
): MigrationFinding[] {
  const direct = directTo === undefined ? [] : [warning("direct", { address: directTo })];
  return [...direct, ...checkCompression(how, libvirt)];
}

function checkCompression(
  { compression, connections }: Pick<Input<"migrate_vm">, "compression" | "connections">,
  libvirt: number,
): MigrationFinding[] {
  if (compression === undefined) return [];
  const isOfOne = compression === "xbzrle";
  if (isOfOne !== (connections === undefined)) {
    return [problem(isOfOne ? "compression-one" : "compression-several", { compression })];
  }
  const isKnown = isOfOne || libvirt >= MULTIFD_COMPRESSION;
  return isKnown ? [] : [problem("compression-version", { compression })];
}

/**
 * Findings of the source host.
 *
 * @param drops its snapshots do not go along
 * @throws {LibvirtError} @throws {XmlError}
 */
export async function checkOutgoing(
  host: LibvirtHost,
  vm: VM,
  xml: MigratableXml,
  { isOff, drops }: { readonly isOff: boolean; readonly drops: boolean },
): Promise<MigrationFinding[]> {
  return [...ofDefinition(xml, isOff), ...await ofLibvirt(host, vm, isOff, drops)];
}
