/** Making a VM from a foreign one: checksums compared, disks converted, and the VM created as by create_vm. */
import { ContractError, type Input, type Output } from "../../../lib/contract/mod.ts";
import type { Principal } from "../../access.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { contractError } from "../../libvirt/failure.ts";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import type { Operation } from "../../operations/operation.ts";
import { t } from "../../operations/outcome.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { requireQemuImg } from "../../storage/convert_disk.ts";
import { requireActive } from "../../storage/shared.ts";
import { sameContent } from "../../storage/qemu_img.ts";
import { requireRoom, requireWritable } from "../../storage/volume_checks.ts";
import { findVolumeNamed, hasFormats } from "../../storage/volumes.ts";
import { requireFreeVmName } from "../lifecycle/rename.ts";
import { compareSums } from "./checksums.ts";
import { configOf, networkKey, nicsOf, requireCount, requireCreatable } from "./config.ts";
import { lastChoices, nameHere } from "./inspect.ts";
import type { ForeignServices, ForeignSource, SourceDisk } from "./model.ts";
import { openForeign } from "./source.ts";
import { requireClean } from "./windows.ts";
import type { FolderDisk } from "./disk.ts";
import { message } from "../../../lib/i18n/message.ts";

/** A disk that was converted. */
interface Made {
  readonly file: string;
  readonly path: string;
}

/** Parameters of an import. */
interface Plan {
  readonly input: Input<"import_foreign_vm">;
  readonly name: string;
  readonly pool: string;
  readonly format: "qcow2" | "raw" | undefined;
  readonly principal: Principal;
}

/** A VM without what is left out. @throws {ContractError} InvalidInput */
function chosenOf(source: ForeignSource, { disks: chosen }: Input<"import_foreign_vm">) {
  const { vm, disks } = source;
  requireCount("disks", disks.length, chosen?.length);
  const kept = disks.map((disk, index) => ({
    disk,
    described: vm.disks[index]!,
    choice: chosen?.[index] ?? {},
  }))
    .filter(({ choice }) => !choice.leaveOut);
  return {
    vm: { ...vm, disks: kept.map(({ described }) => described) },
    disks: kept.map(({ disk }) => disk),
    buses: kept.map(({ choice }) => choice.bus),
  };
}

/** A volume for a disk: `web-disk1.qcow2`. */
const volumeName = ({ name, format }: Plan, index: number) =>
  `${name}-disk${index + 1}${format === undefined ? "" : `.${format}`}`;

/** Compares every file that has a checksum. @throws {ContractError} FileDamaged, JobCancelled */
async function verify(
  sums: NonNullable<ForeignSource["sums"]>,
  disks: readonly SourceDisk[],
  job: JobHandle,
  onRead: (bytes: number) => void,
): Promise<void> {
  for (const file of filesOf(disks)) {
    const digests = sums.get(file.name);
    if (digests === undefined) continue;
    job.log(message`Comparing the checksum of ${file.name}`);
    await compareSums(file, digests, { signal: job.signal, onRead });
  }
}

const filesOf = (disks: readonly SourceDisk[]) => disks.flatMap(({ local }) => local?.files ?? []);
const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0);

/** Compares a converted disk with its source. @throws {ContractError} ImportFailed @throws the signal's reason */
async function requireSame(
  { image, file }: FolderDisk,
  made: { readonly path: string; readonly format: "qcow2" | "raw" },
  signal: AbortSignal,
): Promise<void> {
  if (await sameContent(image, { ...made, type: "file", backing: [] }, signal)) return;
  throw new ContractError("ImportFailed", {
    error: message`the converted disk differs from ${file}. Import it again`,
  });
}

async function carryOut(
  services: ForeignServices,
  plan: Plan,
  job: JobHandle,
  operation: Operation,
): Promise<Output<"import_foreign_vm">> {
  const { host } = services, { input, name, pool, format, principal } = plan;
  operation.showsAs(job.id);
  using held = new DisposableStack();
  // What was decided on before the job had its turn may have changed.
  const source = await openForeign(services, input, principal, held);
  const { vm, disks, buses } = chosenOf(source, input), { sums } = source;
  const { nics, warnings } = await nicsOf(services, vm, input);
  const checked = sums === undefined ? [] : filesOf(disks).filter((file) => sums.has(file.name));
  const total = sumOf(checked.map(({ size }) => size)) + sumOf(disks.map(({ fileBytes }) => fileBytes));
  // What comes from another host lies here twice until it is converted.
  const arriving = Math.max(
    0,
    ...disks.filter(({ local }) => local === undefined).map(({ fileBytes }) => fileBytes),
  );
  const needed = disks.map(({ fileBytes, virtualBytes }) =>
    format === "qcow2" ? Math.min(fileBytes, virtualBytes || fileBytes) : virtualBytes || fileBytes
  );
  await requireRoom(host, pool, sumOf(needed) + arriving);
  let done = 0;
  if (sums !== undefined) await verify(sums, disks, job, (bytes) => job.progress(done += bytes, total));
  const mustBeClean = vm.osType !== "linux" && !input.allowUnclean;
  for (const { file, readGuest } of disks) {
    if (readGuest !== undefined && mustBeClean) await requireClean({ file, readGuest }, job.signal);
  }
  const made: Made[] = [];
  using making = new DisposableStack();
  for (const [index, disk] of disks.entries()) {
    const volume = volumeName(plan, index), before = done;
    making.use(host.locks.take(pool, volume, { hold: "make" }));
    job.log(message`Converting ${disk.file} (${disk.format}) to ${pool}/${volume}`);
    const { path } = await disk.convert({ pool, name: volume, format }, {
      job,
      operation,
      onShare: (share) => job.progress(before + share * disk.fileBytes, total),
      mustBeClean: mustBeClean && disk.readGuest === undefined,
      verify: input.verify ?? false,
    });
    // What was judged is what was converted
    for (const file of filesOf([disk])) await file.requireUnchanged();
    done = before + disk.fileBytes;
    if (input.verify && disk.local !== undefined) {
      job.log(message`Comparing ${volume} with ${disk.file}`);
      await requireSame(disk.local, { path, format: format ?? "raw" }, job.signal);
    }
    made.push({ file: disk.file, path });
    const seen = await findVolumeNamed(host.link, pool, volume);
    if (seen !== undefined) host.inventory.storage.put(seen);
  }
  await source.confirm?.(job.signal);
  job.signal.throwIfAborted();
  job.log(message`Defining ${name}`);
  const paths = made.map(({ path }) => path);
  const config = configOf(vm, input, { name, paths, buses, pool, format, nics });
  // From here on they are whole, and create_vm takes them.
  making.dispose();
  const created = await host.run("create_vm", config, principal) as Output<"create_vm">;
  remember(services, plan, source);
  return {
    vmId: created.id,
    name,
    disks: made,
    warnings: [...source.warnings, ...warnings, ...created.warnings],
  };
}

/** Keeps what was chosen for the next import. */
function remember(
  { host, choices }: ForeignServices,
  { input, pool, format }: Plan,
  { vm }: ForeignSource,
): void {
  choices.set(host.id, "pool", pool);
  if (format !== undefined) choices.set(host.id, "format", format);
  for (const [index, { network, bridge, leaveOut }] of (input.nics ?? []).entries()) {
    const nic = vm.nics[index];
    if (nic === undefined || leaveOut) continue;
    if (bridge !== undefined) choices.set(host.id, networkKey(nic), `bridge:${bridge}`);
    else if (network !== undefined) choices.set(host.id, networkKey(nic), `network:${network}`);
  }
}

/** Throws the refusals that need no wait in the queue. @returns the VM's name here */
async function requirePossible(services: ForeignServices, plan: Omit<Plan, "name">): Promise<string> {
  const { host } = services, { input, pool, format, principal } = plan;
  using held = new DisposableStack();
  const source = await openForeign(services, input, principal, held);
  const { vm, disks, buses } = chosenOf(source, input);
  const name = input.name ?? nameHere(services, source);
  await host.operations.ready([keyOf.vmName(name)]);
  requireFreeVmName(host, name);
  const { nics } = await nicsOf(services, vm, input);
  const paths = disks.map(() => undefined);
  await requireCreatable(
    services,
    configOf(vm, input, { name, paths, buses, pool, format, nics }),
    principal,
    disks.reduce((sum, { virtualBytes }) => sum + virtualBytes, 0),
  );
  for (const index of disks.keys()) {
    const volume = volumeName({ ...plan, name }, index);
    if (await findVolumeNamed(host.link, pool, volume) !== undefined) {
      throw new ContractError("VolumeExists", { pool, name: volume });
    }
  }
  return name;
}

/**
 * Makes a VM from a foreign one, as a job. When a step fails or the job is cancelled, what the steps before made is removed.
 *
 * @throws {ContractError}
 */
export async function importForeign(
  services: ForeignServices,
  asked: Input<"import_foreign_vm">,
  principal: Principal,
): Promise<Output<"import_foreign_vm">> {
  const { host, logins } = services, input = logins.filled(asked, principal);
  host.requireFilled();
  host.maintenance.requireInService();
  const pool = input.targetPool ?? lastChoices(services).targetPool ?? "default";
  const format = hasFormats(requireActive(host, pool)) ? input.diskFormat ?? "qcow2" : undefined;
  await requireWritable(host, pool);
  await requireQemuImg("Import of VMs");
  const name = await requirePossible(services, { input, pool, format, principal });
  const plan: Plan = { input, name, pool, format, principal };
  const spec = {
    command: "import_foreign_vm",
    title: message`Import ${name} (${input.kind})`,
    actor: principal.name,
    subject: name,
    lane: "copy",
    ifInterrupted: t("operations.later"),
  } as const;
  const about = {
    command: "import_foreign_vm",
    subject: name,
    actor: principal.name,
    keys: [keyOf.vmName(name)],
  } as const;
  return await host.jobs.run(spec, async (job) => {
    try {
      return await host.operations.run(about, (operation) => carryOut(services, plan, job, operation));
    } catch (error) {
      job.log("Removing what was made");
      if (error instanceof LibvirtError && error.code === VIR_ERR.STORAGE_VOL_EXIST) {
        throw new ContractError("VolumeExists", { pool, name }, { cause: error });
      }
      throw contractError(error, "ImportFailed", "import_foreign_vm");
    }
  });
}
