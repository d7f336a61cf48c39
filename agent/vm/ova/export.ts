/** A stopped VM with its disks as one archive: each disk as a stream-optimised VMDK, with an OVF description. */
import { message, type Sentence, vmName } from "../../../lib/i18n/message.ts";
import { createHash } from "node:crypto";
import {
  ContractError,
  type Disk,
  DISK_BUSES,
  type Input,
  NIC_MODELS,
  type Output,
  type VM,
} from "../../../lib/contract/mod.ts";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { fill } from "../../../lib/i18n/fill.ts";
import { EXPORT_WARNINGS } from "../../../lib/formats/ovf/exported.ts";
import { writeManifest } from "../../../lib/formats/ovf/manifest.ts";
import { cardOf, writeOvf } from "../../../lib/formats/ovf/write.ts";
import { tarEnd, tarHead, tarPadding } from "../../../lib/formats/tar/tar.ts";
import { safeFileName } from "../../../lib/text/text.ts";
import type { Principal } from "../../access.ts";
import { plainPath } from "../../machine/host_file.ts";
import { hostFiles } from "../../machine/host_files.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { contractError } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { Operation } from "../../operations/operation.ts";
import { t } from "../../operations/outcome.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { type CopySource, copySource } from "../../storage/copy_source.ts";
import { exportImage } from "../../storage/qemu_img.ts";
import { requireActiveNow } from "../../storage/shared.ts";
import { volumeOfDisk } from "../../storage/disk_path.ts";
import { requireRoom, requireWithin, requireWritable } from "../../storage/volume_checks.ts";
import { makeVolume } from "../../storage/volume_steps.ts";
import {
  createVolume,
  defaultPool,
  findVolumeAt,
  findVolumeNamed,
  hasFormats,
  type PoolVolume,
  removeMade,
} from "../../storage/volumes.ts";
import { requireOff } from "../lifecycle/rename.ts";
import { requireOurs, requireQemuImg } from "../../storage/convert_disk.ts";
import { requireHere } from "./inspect.ts";

type Warnings = Output<"export_ova">["warnings"];

/** Bytes copied at a time. */
const PIECE = 1024 * 1024;
const MODE = 0o644;

const oneOf = <T extends string>(words: readonly T[], text: string | undefined) =>
  words.find((word) => word === text);

const warning = (code: keyof typeof EXPORT_WARNINGS, details: Record<string, string> = {}) => ({
  field: "",
  code,
  message: fill(EXPORT_WARNINGS[code], details),
});

/** Disks with content of the VM's own. */
const isOwn = ({ device, source }: Disk) => device === "disk" && source !== undefined;

/** Warnings about parts of the VM that the archive does not have as they are. */
async function warningsOf({ link }: LibvirtHost, vm: VM): Promise<Warnings> {
  const { disks, networkInterfaces, firmware, id } = vm;
  const xml = await link.call("domainXml", { uuid: id, secure: false, inactive: true });
  const snapshots = (await link.call("snapshotScan", { uuid: id })).length;
  const media = disks.some(({ device, source }) => device !== "disk" && source !== undefined);
  const bus = disks.filter(isOwn).find((disk) => disk.bus !== "sata")?.bus;
  const models = new Set(networkInterfaces.map(({ model }) => model ?? "unknown"));
  const replaced = [...models].filter((model) => cardOf(model).toLowerCase() !== model);
  return [
    ...snapshots > 0 ? [warning("SnapshotsLeft")] : [],
    ...firmware === "bios" ? [] : [warning("FirmwareLeft")],
    ...xml.includes("<tpm ") ? [warning("TpmLeft")] : [],
    ...media ? [warning("MediaLeft")] : [],
    ...disks.filter((disk) => isOwn(disk) && disk.shareable).map(({ target }) =>
      warning("SharedLeft", { target })
    ),
    ...bus === undefined ? [] : [warning("BusReplaced", { was: bus })],
    ...replaced.map((was) => warning("CardReplaced", { was, taken: cardOf(was) })),
  ];
}

/** Decides on a disk, and holds it. @throws {ContractError} DiskNotExportable, DiskRefused, VolumeInUse, StorageBusy */
async function sourceOf(
  host: LibvirtHost,
  vm: VM,
  disk: Disk,
  { role }: Principal,
  held: DisposableStack,
): Promise<CopySource> {
  const { target, source: path = "", format } = disk;
  const refuse = (reason: Sentence) => new ContractError("DiskNotExportable", { target, path, reason });
  const volume = await volumeOfDisk(host.link, disk);
  if (volume === undefined) throw refuse("it is in no active storage pool");
  const used = format ?? "raw";
  if (used !== "raw" && used !== "qcow2") {
    throw refuse(message`its format is ${used}: convert it to qcow2 or raw`);
  }
  const { pool, name } = volume;
  await requireWithin(host, volume);
  return await copySource(host, { volume: { pool, name }, format: used }, role, held, vm.id);
}

/** A disk as it lies next to the archive until it is in it. */
interface Packed {
  readonly file: string;
  readonly volume: PoolVolume;
  readonly size: number;
  readonly capacityBytes: number;
}

/** The archive, as it is written. */
class Writer implements Disposable {
  readonly #file: Deno.FsFile;
  readonly #sums: [string, string][] = [];

  constructor(file: Deno.FsFile) {
    this.#file = file;
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#file.write(bytes.subarray(at));
  }

  /** Adds a short file. */
  async text(name: string, text: string): Promise<void> {
    const bytes = new TextEncoder().encode(text);
    await this.#write(tarHead({ name, mode: MODE, size: bytes.length, mtime: now() }));
    await this.#write(bytes);
    await this.#write(tarPadding(bytes.length));
    this.#sums.push([name, createHash("sha256").update(bytes).digest("hex")]);
  }

  /** Adds a disk. @throws {Error} when it changed meanwhile @throws the signal's reason */
  async disk(
    { file, volume, size }: Packed,
    job: JobHandle,
    onWritten: (bytes: number) => void,
  ): Promise<void> {
    await this.#write(tarHead({ name: file, mode: MODE, size, mtime: now() }));
    using source = await hostFiles.open(plainPath(volume.path));
    const hash = createHash("sha256"), buffer = new Uint8Array(PIECE);
    let written = 0;
    for (let read = await source.read(buffer); read !== null; read = await source.read(buffer)) {
      job.signal.throwIfAborted();
      const bytes = buffer.subarray(0, read);
      hash.update(bytes);
      await this.#write(bytes);
      written += read;
      onWritten(read);
    }
    if (written !== size) throw new Error(`${file} has ${written} bytes now, and had ${size}`);
    await this.#write(tarPadding(size));
    this.#sums.push([file, hash.digest("hex")]);
  }

  /** Adds the checksums of everything, and the end. @returns the bytes of all of it */
  async finish(name: string): Promise<number> {
    await this.text(name, writeManifest(this.#sums));
    await this.#write(tarEnd());
    await this.#file.sync();
    return (await this.#file.stat()).size;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}

const now = () => Math.floor(Date.now() / 1000);

/** Parameters of an export. */
interface Plan {
  readonly vm: VM;
  readonly pool: string;
  readonly volume: string;
  readonly principal: Principal;
  readonly warnings: Warnings;
}

/** Makes an empty file in the pool that this process may write to, held and written down. */
async function makeFile(
  { link, locks }: LibvirtHost,
  { pool }: Plan,
  name: string,
  operation: Operation,
  held: DisposableStack,
): Promise<PoolVolume> {
  held.use(locks.take(pool, name, { hold: "make" }));
  const wish = { name, capacity: 1, allocation: 0, format: "raw" };
  const made = await makeVolume(link, operation, { pool, name }, () => createVolume(link, pool, wish));
  await requireOurs(made);
  return made;
}

/** Converts the disks. */
async function pack(
  host: LibvirtHost,
  plan: Plan,
  job: JobHandle,
  operation: Operation,
  held: DisposableStack,
  progress: (done: number, total: number) => void,
): Promise<Packed[]> {
  const { vm, principal, pool } = plan;
  const sources: CopySource[] = [];
  for (const disk of vm.disks.filter((each) => isOwn(each) && !each.shareable)) {
    sources.push(await sourceOf(host, vm, disk, principal, held));
  }
  const total = sources.reduce((sum, { volume }) => sum + volume.allocation, 0);
  await requireRoom(host, pool, total);
  const stem = safeFileName(vm.name, 80).replace(/^\.+/, "_");
  const packed: Packed[] = [];
  let before = 0;
  for (const [index, source] of sources.entries()) {
    const file = `${stem}-disk${index + 1}.vmdk`;
    job.log(message`Packing ${source.path}`);
    const name = `.${plan.volume}.${crypto.randomUUID().slice(0, 8)}.part`;
    const volume = await makeFile(host, plan, name, operation, held);
    await exportImage(source, volume.path, {
      signal: job.signal,
      onShare: (share) => progress(before + share * source.volume.allocation, total),
    });
    before += source.volume.allocation;
    const { size } = await hostFiles.stat(plainPath(volume.path));
    const capacityBytes = source.virtualBytes ?? source.volume.capacity;
    packed.push({ file, volume, size, capacityBytes });
  }
  return packed;
}

async function carryOut(
  host: LibvirtHost,
  plan: Plan,
  job: JobHandle,
  operation: Operation,
): Promise<Output<"export_ova">> {
  const { link, inventory } = host;
  const { vm, pool, volume, warnings } = plan;
  operation.showsAs(job.id);
  using held = new DisposableStack();
  const made = await makeFile(host, plan, volume, operation, held);
  // Packing is nearly all of the work: compressing takes longer than writing.
  const packed = await pack(
    host,
    plan,
    job,
    operation,
    held,
    (done, total) => job.progress(0.9 * done, total),
  );
  const disks = vm.disks.filter((each) => isOwn(each) && !each.shareable);
  const description = writeOvf({
    name: vm.name,
    description: vm.description,
    isWindows: vm.osType === "windows",
    cpuCount: vm.cpuCount,
    memoryMb: vm.memoryMb,
    firmware: vm.firmware,
    disks: packed.map(({ file, size, capacityBytes }, index) => ({
      file,
      fileBytes: size,
      capacityBytes,
      bus: oneOf(DISK_BUSES, disks[index]?.bus),
    })),
    nics: vm.networkInterfaces.map(({ network, mac, model }) => ({
      network: network || "none",
      mac,
      model: oneOf(NIC_MODELS, model),
    })),
  });
  const stem = volume.replace(/\.ova$/, "");
  const total = packed.reduce((sum, { size }) => sum + size, 0);
  let written = 0;
  job.log(message`Writing ${made.path}`);
  const size = await write(made.path, async (writer) => {
    await writer.text(`${stem}.ovf`, description);
    for (const each of packed) {
      await writer.disk(each, job, (bytes) => {
        written += bytes;
        job.progress(9 * total + written, 10 * total);
      });
    }
    return await writer.finish(`${stem}.mf`);
  });
  job.signal.throwIfAborted();
  for (const each of packed) {
    await removeMade(link, each.volume);
    inventory.storage.remove(pool, each.volume.name);
  }
  await link.call("poolRefresh", { pool }).catch((error) =>
    log.debug("a pool could not be refreshed", { pool, error })
  );
  const seen = await findVolumeNamed(link, pool, volume);
  if (seen !== undefined) inventory.storage.put(seen);
  return { pool, volume, path: made.path, size, warnings };
}

async function write(path: string, work: (writer: Writer) => Promise<number>): Promise<number> {
  using writer = new Writer(await hostFiles.open(plainPath(path), { write: true, truncate: true }));
  return await work(writer);
}

/** The pool for the archive. @throws {ContractError} StoragePoolNotFound, StoragePoolNotActive, NotOnThisHost */
async function poolFor(host: LibvirtHost, { disks }: VM, wanted: string | undefined): Promise<string> {
  const path = disks.find(isOwn)?.source;
  const own = path?.startsWith("/") ? (await findVolumeAt(host.link, path))?.pool : undefined;
  const isFiles = async (pool: string) => hasFormats(await requireActiveNow(host, pool));
  const pool = wanted ?? (own !== undefined && await isFiles(own) ? own : await defaultPool(host.link));
  if (await isFiles(pool)) return pool;
  const reason = `the pool ${pool} keeps no files. Choose another one`;
  throw new ContractError("NotOnThisHost", { what: "Export into this pool", reason });
}

/**
 * Writes a stopped VM into a new archive, as a job. When a step fails or the job is cancelled, nothing of it stays.
 *
 * @throws {ContractError}
 */
export async function exportOva(
  host: LibvirtHost,
  { vmId, pool: wanted, volume: named }: Input<"export_ova">,
  principal: Principal,
): Promise<Output<"export_ova">> {
  const { jobs, operations, link } = host;
  const vm = host.requireVm(vmId);
  await operations.ready([keyOf.vm(vm.id)]);
  requireOff(host, vm);
  requireHere(host, "Export as an archive");
  await requireQemuImg("Export as an archive");
  const pool = await poolFor(host, vm, wanted);
  await requireWritable(host, pool);
  const volume = named ?? `${safeFileName(vm.name, 100).replace(/^\.+/, "_")}.ova`;
  if (await findVolumeNamed(link, pool, volume)) {
    throw new ContractError("VolumeExists", { pool, name: volume });
  }
  const spec = {
    command: "export_ova",
    title: message`Export ${vmName(vm)} to ${pool}/${volume}`,
    actor: principal.name,
    vmId: vm.id,
    lane: "copy",
    ifInterrupted: t("operations.later"),
  } as const;
  const about = {
    command: "export_ova",
    subject: `${pool}/${volume}`,
    vmId: vm.id,
    actor: principal.name,
    keys: [keyOf.vm(vm.id), keyOf.volume(pool, volume)],
  } as const;
  let result: Output<"export_ova"> | undefined;
  await host.claims.operate(vm, "exporting", async () => {
    const warnings = await warningsOf(host, vm);
    const plan: Plan = { vm, pool, volume, principal, warnings };
    result = await jobs.run(spec, async (job) => {
      try {
        return await operations.run(about, (operation) => carryOut(host, plan, job, operation));
      } catch (error) {
        job.log("Removing what was made");
        if (error instanceof LibvirtError && error.code === VIR_ERR.STORAGE_VOL_EXIST) {
          throw new ContractError("VolumeExists", { pool, name: volume }, { cause: error });
        }
        throw contractError(error, "ExportFailed", "export_ova");
      }
    });
  });
  return result!;
}
