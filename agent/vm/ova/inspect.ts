/** Reads an archive for an import: its description, its disks judged by their heads, and parts without a match here. */
import { ContractError, type ImagePolicy, type Input, type Role } from "../../../lib/contract/mod.ts";
import type { ArrivingDisk } from "../../../lib/formats/foreign/mod.ts";
import type { OvfDisk, OvfVm, OvfWarning } from "../../../lib/formats/ovf/model.ts";
import { ovfWarning } from "../../../lib/formats/ovf/read.ts";
import type { ArchiveEntry } from "../../../lib/formats/tar/entries.ts";
import { gigabytes } from "../../../lib/text/quantity.ts";
import { usualNetwork } from "../../../lib/vm/create/nics.ts";
import { judgeArriving } from "../../storage/convert_disk.ts";
import { copySource } from "../../storage/copy_source.ts";
import { requireWithin } from "../../storage/volume_checks.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { Archive, type Checksums, ovaRefused } from "./archive.ts";
import { GIB } from "../../../lib/text/byte_units.ts";

/** Lines of a manifest that are told of, at most. */
const MOST_LINES = 5;

/** Dependencies of reading archives. */
export interface OvaServices {
  readonly host: LibvirtHost;
  /** Limits on images. @throws {ContractError} while they cannot be read */
  readonly imagePolicy: () => Pick<ImagePolicy, "maxVirtualGb">;
}

/** A disk that is in the archive. */
export interface ArchivedDisk extends ArrivingDisk {
  readonly entry: ArchiveEntry;
}

/** An archive that may be imported. */
export interface OpenOva {
  readonly archive: Archive;
  /** Path of the archive. */
  readonly path: string;
  readonly vm: OvfVm;
  /** By the place of each disk; undefined for an empty one. */
  readonly disks: readonly (ArchivedDisk | undefined)[];
  readonly checksums: Checksums | undefined;
  readonly warnings: readonly OvfWarning[];
}

/** @throws {ContractError} NotOnThisHost */
export function requireHere({ link }: LibvirtHost, what: string): void {
  if (link.machine !== null) return;
  const reason = "disks are converted on the host itself alone, and KVM Manager runs elsewhere";
  throw new ContractError("NotOnThisHost", { what, reason });
}

/** Judges a disk by its head. @throws {ContractError} DiskRefused, ImageTooLarge, OvaRefused */
async function judged(
  archive: Archive,
  { file, format }: OvfDisk,
  policy: Pick<ImagePolicy, "maxVirtualGb">,
): Promise<ArchivedDisk | undefined> {
  if (file === null) return undefined;
  const entry = archive.entry(file);
  return { ...await judgeArriving(archive.source(entry), format, file, policy), entry };
}

/** Warnings about the files. */
function warningsOf(
  archive: Archive,
  disks: readonly (ArchivedDisk | undefined)[],
  checksums: OpenOva["checksums"],
): OvfWarning[] {
  const used = new Set(disks.flatMap((disk) => disk?.entry.name ?? []));
  const found: OvfWarning[] = [];
  if (checksums === undefined) found.push(ovfWarning("", "NoManifest"));
  for (const line of checksums?.ignored.slice(0, MOST_LINES) ?? []) {
    found.push(ovfWarning("", "ManifestLineIgnored", { line: JSON.stringify(line.slice(0, 80)) }));
  }
  for (const file of checksums?.missing.slice(0, MOST_LINES) ?? []) {
    found.push(ovfWarning("", "ManifestFileMissing", { file }));
  }
  if (archive.isSigned) found.push(ovfWarning("", "SignatureUnchecked"));
  for (const { name } of archive.entries) {
    const isOwn = /\.(ovf|mf|cert)$/i.test(name);
    if (!used.has(name) && !isOwn) found.push(ovfWarning("", "FileIgnored", { file: name }));
    if (used.has(name) && checksums !== undefined && !checksums.files.has(name)) {
      found.push(ovfWarning("", "FileUnchecked", { file: name }));
    }
  }
  return found;
}

/** The files of the disks that are left out, as a sentence names them. */
const filesShown = ({ leftOut }: OvfVm) => leftOut.slice(0, MOST_LINES).join(", ");

/**
 * Opens an archive and judges all of it but its checksums.
 *
 * @param held keeps it as it is until it is disposed of, and closes it then
 * @throws {ContractError} why it cannot be imported
 */
export async function openOva(
  { host, imagePolicy }: OvaServices,
  { pool, volume, withoutDisks = false }: Input<"inspect_ova">,
  role: Role,
  held: DisposableStack,
): Promise<OpenOva> {
  requireHere(host, "Import of archives");
  // An archive is bytes: whatever its head pretends to be, it is not read as qcow2.
  const image = await copySource(host, { volume: { pool, name: volume }, format: "raw" }, role, held);
  if (image.type !== "file") throw ovaRefused("it is no file");
  await requireWithin(host, image.volume);
  const archive = held.use(await Archive.open(image.path));
  const checksums = await archive.manifest();
  const vm = await archive.describe(checksums);
  if (vm.leftOut.length > 0 && !withoutDisks) {
    const reason = `its hardware uses none of its disks (${filesShown(vm)}), so the VM would have no disk. ` +
      "Tick that it is imported without them (--without-disks, REST: withoutDisks)";
    throw new ContractError("OvaRefused", { reason, field: "withoutDisks" });
  }
  const policy = imagePolicy();
  const disks: (ArchivedDisk | undefined)[] = [];
  for (const disk of vm.disks) disks.push(await judged(archive, disk, policy));
  const differing = vm.disks.flatMap(({ capacityBytes }, index) => {
    const disk = disks[index];
    if (disk === undefined || Math.abs(disk.virtualBytes - capacityBytes) < GIB) return [];
    const [is, said] = [disk.virtualBytes, capacityBytes].map((bytes) => `${gigabytes(bytes)} GiB`);
    return ovfWarning(`disks.${index}`, "SizeDiffers", { file: disk.entry.name, is: is!, said: said! });
  });
  const leftOut = vm.leftOut.length === 0 ? [] : [ovfWarning("", "DisksLeftOut", { files: filesShown(vm) })];
  const warnings = [...vm.warnings, ...leftOut, ...differing, ...warningsOf(archive, disks, checksums)];
  return { archive, path: image.path, vm, disks, checksums, warnings };
}

/** The network here that stands for one elsewhere. */
export function networkFor({ inventory }: LibvirtHost, name: string): string | undefined {
  const networks = inventory.networks.records();
  return networks.some((each) => each.name === name) ? name : usualNetwork(networks);
}

/** Warnings about cards that go to another network than they came from. */
export function networkWarnings(
  nics: readonly { readonly network: string; readonly taken: string | null }[],
): OvfWarning[] {
  return nics.flatMap(({ network, taken }, index) =>
    taken === network ? [] : [ovfWarning(`nics.${index}`, "NetworkReplaced", {
      was: network === "" ? "without a name" : network,
      taken: taken ?? "none",
    })]
  );
}
