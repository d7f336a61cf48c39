/** Making a VM from an archive: its checksums compared, its disks converted, and the VM created as by create_vm. */
import { ContractError, type Input, type Output } from "../../../lib/contract/mod.ts";
import type { ArchiveEntry } from "../../../lib/formats/tar/entries.ts";
import { vmNameOf } from "../../../lib/vm/vm_name.ts";
import type { Principal } from "../../access.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { contractError } from "../../libvirt/failure.ts";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import type { Operation } from "../../operations/operation.ts";
import { t } from "../../operations/outcome.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { convertDisk, requireQemuImg } from "../../storage/convert_disk.ts";
import { requireActive } from "../../storage/shared.ts";
import { requireRoom, requireWritable } from "../../storage/volume_checks.ts";
import { makeVolume } from "../../storage/volume_steps.ts";
import { findVolumeNamed, hasFormats } from "../../storage/volumes.ts";
import { requireFreeVmName } from "../lifecycle/rename.ts";
import { requireCreatable } from "../foreign/config.ts";
import { ovaConfigOf, ovaNicsOf } from "./config.ts";
import { type OpenOva, openOva, type OvaServices } from "./inspect.ts";
import { message } from "../../../lib/i18n/message.ts";

/** A disk that was converted. */
interface Made {
  readonly file: string;
  readonly path: string;
}

/** Compares every file that has a checksum. @throws {ContractError} OvaDamaged, JobCancelled */
async function verify({ archive, checksums }: OpenOva, job: JobHandle, onRead: (bytes: number) => void) {
  if (checksums === undefined) return job.log("The archive has no checksums to compare");
  job.log("Comparing the archive's checksums");
  for (const [name, digests] of checksums.files) {
    await archive.verify(archive.entry(name), digests, { signal: job.signal, onRead });
  }
}

/** A volume for a disk: `web-disk1.qcow2`. */
const volumeName = (name: string, index: number, format: string | undefined) =>
  `${name}-disk${index + 1}${format === undefined ? "" : `.${format}`}`;

/** Parameters of an import. */
interface Plan {
  readonly input: Input<"import_ova">;
  readonly name: string;
  readonly pool: string;
  readonly format: "qcow2" | "raw" | undefined;
  readonly principal: Principal;
}

async function carryOut(
  services: OvaServices,
  { input, name, pool, format, principal }: Plan,
  job: JobHandle,
  operation: Operation,
): Promise<Output<"import_ova">> {
  const { host } = services;
  const { link } = host;
  operation.showsAs(job.id);
  using held = new DisposableStack();
  // What was decided on before the job had its turn may have changed.
  const ova = await openOva(services, input, principal.role, held);
  const decided = ovaNicsOf(services, ova.vm, input);
  const sizeOf = (entries: readonly ArchiveEntry[]) => entries.reduce((sum, { size }) => sum + size, 0);
  const packed = ova.disks.flatMap((disk) => disk?.entry ?? []);
  const checked = ova.archive.entries.filter((entry) => ova.checksums?.files.has(entry.name));
  const total = sizeOf(checked) + sizeOf(packed);
  await requireRoom(
    host,
    pool,
    format === undefined
      ? ova.disks.reduce((sum, disk) => sum + (disk?.virtualBytes ?? 0), 0)
      : Math.min(sizeOf(packed), ova.archive.size),
  );
  let done = 0;
  await verify(ova, job, (bytes) => job.progress(done += bytes, total));
  const paths: (string | undefined)[] = [];
  const made: Made[] = [];
  using making = new DisposableStack();
  for (const [index, disk] of ova.disks.entries()) {
    if (disk === undefined) {
      paths.push(undefined);
      continue;
    }
    const { entry } = disk;
    const volume = volumeName(name, index, format);
    making.use(host.locks.take(pool, volume, { hold: "make" }));
    job.log(message`Converting ${entry.name} (${disk.format}) to ${pool}/${volume}`);
    const before = done;
    const { path } = await makeVolume(
      link,
      operation,
      { pool, name: volume },
      () =>
        convertDisk(
          host,
          { path: ova.path, disk, part: entry, pool, name: volume, format },
          job,
          (share) => job.progress(before + share * entry.size, total),
        ),
    );
    done = before + entry.size;
    paths.push(path);
    made.push({ file: entry.name, path });
    const seen = await findVolumeNamed(link, pool, volume);
    if (seen !== undefined) host.inventory.storage.put(seen);
  }
  job.signal.throwIfAborted();
  job.log(message`Defining ${name}`);
  const config = ovaConfigOf(ova, input, { name, paths, pool, format, nics: decided.nics });
  // From here on they are whole, and create_vm takes them.
  making.dispose();
  const { id, warnings } = await host.run("create_vm", config, principal) as Output<"create_vm">;
  return { vmId: id, name, disks: made, warnings: [...ova.warnings, ...decided.warnings, ...warnings] };
}

/**
 * Makes a VM from an archive, as a job. When a step fails or the job is cancelled, what the steps before made is removed.
 *
 * @throws {ContractError}
 */
export async function importOva(
  services: OvaServices,
  input: Input<"import_ova">,
  principal: Principal,
): Promise<Output<"import_ova">> {
  const { host } = services;
  const { inventory, jobs, operations } = host;
  host.requireFilled();
  host.maintenance.requireInService();
  const pool = input.targetPool ?? input.pool;
  const format = hasFormats(requireActive(host, pool)) ? input.diskFormat ?? "qcow2" : undefined;
  await requireWritable(host, pool);
  await requireQemuImg("Import of archives");
  let name = input.name;
  {
    // Said at once, before it waits for its turn.
    using held = new DisposableStack();
    const ova = await openOva(services, input, principal.role, held);
    const { vm, disks } = ova;
    name ??= vmNameOf(vm.name, (each) => inventory.vmByName(each) !== undefined);
    await operations.ready([keyOf.vmName(name)]);
    requireFreeVmName(host, name);
    const { nics } = ovaNicsOf(services, vm, input);
    const paths = disks.map(() => undefined);
    await requireCreatable(
      services,
      ovaConfigOf(ova, input, { name, paths, pool, format, nics }),
      principal,
      disks.reduce((sum, disk) => sum + (disk?.virtualBytes ?? 0), 0),
    );
    for (const [index, disk] of disks.entries()) {
      const volume = volumeName(name, index, format);
      if (disk !== undefined && await findVolumeNamed(host.link, pool, volume) !== undefined) {
        throw new ContractError("VolumeExists", { pool, name: volume });
      }
    }
  }
  const plan: Plan = { input, name, pool, format, principal };
  const spec = {
    command: "import_ova",
    title: message`Import ${input.volume} as ${name}`,
    actor: principal.name,
    subject: `${input.pool}/${input.volume}`,
    lane: "copy",
    ifInterrupted: t("operations.later"),
  } as const;
  const about = {
    command: "import_ova",
    subject: name,
    actor: principal.name,
    keys: [keyOf.vmName(name)],
  } as const;
  return await jobs.run(spec, async (job) => {
    try {
      return await operations.run(about, (operation) => carryOut(services, plan, job, operation));
    } catch (error) {
      job.log("Removing what was made");
      if (error instanceof LibvirtError && error.code === VIR_ERR.STORAGE_VOL_EXIST) {
        throw new ContractError("VolumeExists", { pool, name }, { cause: error });
      }
      throw contractError(error, "ImportFailed", "import_ova");
    }
  });
}
