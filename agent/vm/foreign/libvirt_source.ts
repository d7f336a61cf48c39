/**
 * VMs of another host that is managed here, by SSH or otherwise: definition and disks come through its libvirt's own
 * connection. The VM is off there, and kept off until its disks have come.
 */
import { Transfer } from "../../../ffi/transfers.ts";
import { ContractError, type ForeignVmEntry, type Input, type VM } from "../../../lib/contract/mod.ts";
import { may } from "../../../lib/access/rights.ts";
import { readArriving } from "../../../lib/formats/foreign/mod.ts";
import type { ForeignDisk } from "../../../lib/formats/foreign/vm/model.ts";
import { readLibvirt } from "../../../lib/formats/foreign/vm/libvirt.ts";
import { ImageError } from "../../../lib/formats/qcow2/qcow2_header.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import { askedRights } from "../../access/asking.ts";
import type { Host } from "../../hosts/host.ts";
import { contractError, isConnectionLost } from "../../libvirt/failure.ts";
import { openFile, plainPath, readAt } from "../../machine/host_file.ts";
import { hostFiles } from "../../machine/host_files.ts";
import { type ConversionTarget, convertImage, requireOurs } from "../../storage/convert_disk.ts";
import { checkImage } from "../../storage/disk_images/check.ts";
import { makeVolume } from "../../storage/volume_steps.ts";
import { createVolume, removeVolume, type Volume, volumeAt } from "../../storage/volumes.ts";
import {
  type ConvertWork,
  type ForeignServices,
  type ForeignSource,
  type SourceDisk,
  told,
} from "./model.ts";

/** How often a transfer goes on where its line broke, and milliseconds before it does. */
const MOST_TRIES = 6, AGAIN_MS = 5000;
const SECTOR = 512;

/** The host that is meant, for who may administer its VMs. @throws {ContractError} HostNotFound, Forbidden, ForeignVmRefused */
function sourceHost({ hosts, host }: ForeignServices, from: string): Host {
  const other = hosts.named(from) ?? hosts.require(from);
  const rights = askedRights(), at = { hostId: other.id };
  if (!may(rights, "vms.administer", at) || !may(rights, "storage.operate", at)) {
    throw new ContractError("Forbidden", { role: "administrator" });
  }
  if (other === host) {
    throw new ContractError("ForeignVmRefused", {
      reason: "the VM is on this host already. Clone it instead",
    });
  }
  other.requireFilled();
  return other;
}

/** The VMs of a host. @throws {ContractError} */
export function libvirtVms(services: ForeignServices, from: string): ForeignVmEntry[] {
  return sourceHost(services, from).inventory.vms().map(({ name, state }) => ({ vm: name, name, state }));
}

/** The VM that is meant. @throws {ContractError} VmNotFound, ForeignVmRefused, VmMustBeOff */
function meantVm(other: Host, named: string | undefined): VM {
  const vms = other.inventory.vms();
  if (named === undefined && vms.length !== 1) {
    throw new ContractError("ForeignVmRefused", {
      reason: `${other.id} has ${vms.length} VMs. Say which one (--vm)`,
    });
  }
  const vm = named === undefined ? vms[0] : vms.find(({ id, name }) => name === named || id === named);
  if (vm === undefined) throw new ContractError("VmNotFound", { vmId: named });
  if (vm.state !== "stopped") throw new ContractError("VmMustBeOff", { state: vm.state });
  return vm;
}

/** Whether bytes are zeros: a new file has them already. */
const isZero = (bytes: Uint8Array): boolean => {
  const whole = bytes.length - bytes.length % 8;
  const words = bytes.byteOffset % 8 === 0
    ? new BigUint64Array(bytes.buffer, bytes.byteOffset, whole / 8)
    : undefined;
  return words !== undefined && words.every((word) => word === 0n) &&
    bytes.subarray(whole).every((byte) => byte === 0);
};

/** Writes all of a volume of another host into a file, from where the last try has come to. */
async function download(
  other: Host,
  { path, size }: { readonly path: string; readonly size: number },
  target: Volume,
  { job, onShare }: Pick<ConvertWork, "job" | "onShare">,
): Promise<void> {
  using file = await hostFiles.open(plainPath(target.path), { write: true });
  let received = 0;
  for (let tries = 1; received < size; tries++) {
    try {
      await using transfer = await Transfer.open(other.link.address, {
        direction: "download",
        ...other.link.placeOf(path),
        offset: received,
        length: size - received,
      }, other.link.gate);
      while (received < size) {
        job.signal.throwIfAborted();
        const bytes = await transfer.receive();
        if (bytes.length === 0) break;
        await file.seek(received, Deno.SeekMode.Start);
        if (target.type !== "file" || !isZero(bytes)) {
          for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
        }
        received += bytes.length;
        onShare(received / size);
      }
      if (received < size) {
        throw new ContractError("ImportFailed", { error: `${path} on ${other.id} became shorter` });
      }
      await transfer.finish();
    } catch (error) {
      job.signal.throwIfAborted();
      if (!isConnectionLost(error) || tries === MOST_TRIES) {
        throw contractError(error, "ImportFailed", "import_foreign_vm");
      }
      job.log(`The connection broke at ${received} of ${size} bytes: it goes on there`);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
  await file.sync();
}

/** Judges what has come. @throws {ContractError} DiskRefused, ImageTooLarge */
async function judged(
  { imagePolicy }: ForeignServices,
  path: string,
  size: number,
  { file, format }: ForeignDisk,
) {
  const open = await openFile(path);
  try {
    const source = {
      size,
      read: (offset: number, length: number) => readAt(open, offset, Math.min(length, size - offset)),
    };
    const disk = await readArriving(source, format ?? "raw");
    const { maxVirtualGb } = imagePolicy();
    if (disk.virtualBytes <= maxVirtualGb * GIB) return disk;
    const gib = Math.floor(disk.virtualBytes / GIB);
    throw new ContractError("ImageTooLarge", {
      reason: `a guest would see ${gib} GiB of ${file}, allowed are ${maxVirtualGb}`,
    });
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    throw new ContractError("DiskRefused", { path: file!, reason: error.message }, { cause: error });
  } finally {
    open.close();
  }
}

/** Brings a disk here, and converts it. */
async function bring(
  services: ForeignServices,
  other: Host,
  from: { readonly path: string; readonly size: number; readonly disk: ForeignDisk },
  target: ConversionTarget,
  { job, operation, onShare }: ConvertWork,
): Promise<Volume> {
  const { host } = services, { link } = host, { pool } = target;
  const name = `${target.name}.part`, capacity = Math.ceil(from.size / SECTOR) * SECTOR;
  using _held = host.locks.take(pool, name, { hold: "make" });
  const part = await makeVolume(
    link,
    operation,
    { pool, name },
    () =>
      createVolume(link, pool, {
        name,
        capacity,
        format: target.format === undefined ? undefined : "raw",
        allocation: target.format === undefined ? capacity : 0,
      }),
  );
  await requireOurs(part);
  await download(other, from, part, { job, onShare: (share) => onShare(share / 2) });
  const { format, virtualBytes } = await judged(services, part.path, from.size, from.disk);
  const source = {
    path: part.path,
    type: "file",
    format,
    part: { offset: 0, size: from.size },
    backing: [],
  } as const;
  const made = await makeVolume(
    link,
    operation,
    { pool, name: target.name },
    () =>
      convertImage(
        host,
        { ...target, source, virtualBytes, packedBytes: from.size },
        job,
        (share) => onShare(0.5 + share / 2),
      ),
  );
  await removeVolume(link, part.path);
  return made;
}

/**
 * Opens a VM of another host.
 *
 * @param held keeps it off until it is disposed of
 * @throws {ContractError} HostNotFound, Forbidden, VmNotFound, VmMustBeOff, DiskRefused, DiskNotFound, VmBusy
 */
export async function libvirtSource(
  services: ForeignServices,
  { origin, vm: named }: Input<"inspect_foreign_vm">,
  held: DisposableStack,
): Promise<ForeignSource> {
  const other = sourceHost(services, origin), found = meantVm(other, named);
  held.use(other.claim(found, "copying a disk"));
  const xml = await other.link.call("domainXml", { uuid: found.id, secure: false, inactive: true });
  const vm = told(() => readLibvirt(xml));
  const disks: SourceDisk[] = [];
  for (const disk of vm.disks) {
    const path = disk.file!;
    const volume = await volumeAt(other.link, path);
    if (volume === undefined) {
      const reason =
        `it is in no started storage pool of ${other.id}. Create a pool for its folder there first`;
      throw new ContractError("DiskRefused", { path, reason });
    }
    await checkImage(other, { volume: { pool: volume.pool, name: volume.name } }, {
      purpose: "bytes",
      role: "administrator",
    }, held);
    const size = await other.link.call("volumePhysical", { path: volume.path });
    disks.push({
      file: path,
      format: disk.format ?? "raw",
      virtualBytes: volume.capacity,
      fileBytes: size,
      local: undefined,
      convert: (target, work) => bring(services, other, { path: volume.path, size, disk }, target, work),
    });
  }
  return {
    found: named === undefined ? found.name : undefined,
    vm,
    disks,
    sums: undefined,
    warnings: vm.warnings,
  };
}
