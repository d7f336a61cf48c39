/** Copying a VM: its definition, and its disks through libvirt's volume API. */
import { message, type Sentence, vmName } from "../../../lib/i18n/message.ts";
import {
  type ClonedTpm,
  ContractError,
  type Disk,
  type Input,
  type Output,
  type Role,
  type VM,
} from "../../../lib/contract/mod.ts";
import { type CopiedDisk, makeCopy } from "../../../lib/formats/xml/clone.ts";
import { ownPath } from "../../../lib/formats/xml/host_identities.ts";
import { dropFilterAddresses } from "../../../lib/formats/xml/filter.ts";
import { labelsIn, setLabels } from "../../../lib/formats/xml/labels.ts";
import { addressesLeftText } from "../../../lib/vm/addresses_left.ts";
import { labelsLeftText } from "../../../lib/vm/labels_left.ts";
import { setMedium } from "../../../lib/formats/xml/device_disk.ts";
import { errorText } from "../../../lib/contract/errors.ts";
import { XmlDocument } from "../../../lib/formats/xml/edit.ts";
import { summarizeSnapshot } from "../../../lib/formats/xml/snapshot.ts";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { nvramPaths } from "../../../lib/formats/xml/nvram.ts";
import type { Principal } from "../../access.ts";
import type { JobHandle } from "../../jobs/jobs.ts";
import { contractError } from "../../libvirt/failure.ts";
import { log } from "../../log.ts";
import type { Operation, Steps } from "../../operations/operation.ts";
import { t } from "../../operations/outcome.ts";
import { keyOf } from "../../operations/operation_record.ts";
import { makeDiskImage } from "../../storage/disk_of_volume.ts";
import { requireActive } from "../../storage/shared.ts";
import { requirePlaces } from "../../storage/volume_checks.ts";
import { diskIn } from "../devices/configurations.ts";
import { copyLive, liveBytes, liveDefinition } from "./clone_running.ts";
import { copyNvram, type DiskCopy, diskCopyOf, isOwnDisk, seedDrives, takenVolume } from "./disk_copies.ts";
import { tpmToCopy } from "./clone_tpm.ts";
import { requireFreeVmName, requireOff } from "./rename.ts";
import { requireNothingLeft } from "./named_files.ts";
import { putTpmState } from "./tpm_state.ts";
import { sizeOfVm } from "../../../lib/projects/quota.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import { oneLine } from "../../../lib/text/text.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { editableXml } from "../xml.ts";

/**
 * Makes a copy of a VM, as a job. When a step fails or the job is cancelled, what the steps before made is removed.
 * One that runs goes on: its disks are copied as they are at one moment, and it is held for that moment alone.
 *
 * @throws {ContractError} VmNotFound, InvalidName, VmNameExists, VmMustBeOff, VmNotPersistent, StoragePoolNotFound, StoragePoolNotActive,
 * StoragePoolReadOnly, DiskExceedsPool, DiskNotClonable, CloneFailed, VmBusy, JobCancelled, QuotaExceeded
 */
export async function cloneVm(
  host: LibvirtHost,
  input: Input<"clone_vm">,
  principal: Principal,
): Promise<Output<"clone_vm">> {
  const { inventory, jobs, operations } = host, admissions = host.requireAdmissions();
  const { name, linked = false, snapshot, tpm = "copy" } = input;
  if (linked && snapshot !== undefined) {
    const reason = "linked must be left out: a copy of a snapshot is a full one";
    throw new ContractError("InvalidInput", { reason, field: "linked" });
  }
  const vm = host.requireVm(input.vmId);
  await operations.ready([keyOf.vm(vm.id), keyOf.vmName(name)]);
  requireFreeVmName(host, name);
  const isLive = host.inventory.active().includes(vm.id);
  if (isLive) requireLiveClone(vm, linked, snapshot);
  else requireOff(host, vm);
  const vmId = crypto.randomUUID();
  const warnings: string[] = [];
  let disks: Output<"clone_vm">["disks"] = [];
  const project = host.projects.projectOf(vm.id);
  const bytes = project === undefined ? 0 : await host.sizes.totalBytes(vm.disks);
  const size = sizeOfVm(vm, { diskGb: bytes / GIB });
  using admission = admissions.admit({ vmId, name, project }, size);
  const work = async () => {
    if (input.pool !== undefined) requireActive(host, input.pool);
    const copies: DiskCopy[] = [];
    const kept = snapshot === undefined ? undefined : await keptIn(host, vm, snapshot);
    for (const disk of vm.disks.filter(isOwnDisk)) {
      requireKept(disk, kept, snapshot);
      copies.push(await diskCopyOf(host, disk, input));
    }
    const taken = await takenVolume(
      host,
      copies.map((copy) => ({ pool: copy.pool, name: copyName(name, copy, { isLive, linked }) })),
    );
    if (taken !== undefined) throw new ContractError("CloneFailed", { error: taken });
    if (isLive) await liveDefinition(host, vm);
    const bytesOf = isLive ? liveBytes : ({ source }: DiskCopy) => linked ? 0 : source.allocation;
    await requirePlaces(host, copies.map((copy) => ({ pool: copy.pool, bytes: bytesOf(copy) })));
    const spec = {
      command: "clone_vm",
      title: message`Clone ${vmName(vm)} to ${name}`,
      actor: principal.name,
      vmId: vm.id,
      ...(!linked && { lane: "copy" as const }),
      ifInterrupted: t("operations.later"),
    } as const;
    const about = {
      command: "clone_vm",
      subject: name,
      actor: principal.name,
      keys: [keyOf.vm(vm.id), keyOf.vm(vmId), keyOf.vmName(name)],
    } as const;
    const plan = { vm, vmId, name, isLive, linked, snapshot, copies, role: principal.role, tpm, warnings };
    disks = await jobs.run(
      spec,
      (job) => operations.run(about, (operation) => carryOut(host, plan, job, operation)),
    );
  };
  if (isLive) await work();
  else await host.claims.operate(vm, "cloning", work);
  admission.keep();
  await inventory.refresh(vmId).catch((error) => log.debug("a clone could not be read", { name, error }));
  return { vmId, name, disks, warnings };
}

/** The format of the copy of a disk of a VM that is off. */
const copyFormat = ({ source }: DiskCopy, linked: boolean) => linked ? "qcow2" : source.format ?? "raw";

/** The name of the volume that a disk is copied to. */
function copyName(
  name: string,
  copy: DiskCopy,
  { isLive, linked }: { readonly isLive: boolean; readonly linked: boolean },
): string {
  return `${name}-${copy.target}.${isLive ? copy.used : copyFormat(copy, linked)}`;
}

/** Refuses what cannot be made of a VM that runs. @throws {ContractError} VmMustBeOff, VmNotPersistent */
function requireLiveClone(
  { state, persistent }: VM,
  linked: boolean,
  snapshot: string | undefined,
): void {
  if (!persistent) throw new ContractError("VmNotPersistent");
  const why = linked
    ? "it writes to the disks that linked clones are built on. Make a full clone, which can be made now"
    : snapshot === undefined
    ? undefined
    : "it writes to the images that the snapshot is in. Clone it as it is now, or shut it down";
  if (why === undefined) return;
  throw new ContractError("VmMustBeOff", { state, reason: why }, {
    message: `${errorText("VmMustBeOff", { state })}: ${why}`,
  });
}

/** Targets of the disks that a snapshot has. @throws {ContractError} SnapshotNotFound */
async function keptIn({ link }: LibvirtHost, { id: uuid }: VM, name: string): Promise<ReadonlySet<string>> {
  try {
    return new Set(summarizeSnapshot(await link.call("snapshotXml", { uuid, name })).internalDisks);
  } catch (error) {
    const isUnknown = error instanceof LibvirtError && error.code === VIR_ERR.NO_DOMAIN_SNAPSHOT;
    throw isUnknown ? new ContractError("SnapshotNotFound", { name }, { cause: error }) : error;
  }
}

/** @throws {ContractError} DiskNotClonable for a disk that the snapshot does not have */
function requireKept(
  { target, source: path = "" }: Disk,
  kept: ReadonlySet<string> | undefined,
  snapshot: string | undefined,
): void {
  if (kept === undefined || kept.has(target)) return;
  const reason = `the snapshot ${snapshot} does not have it within its image`;
  throw new ContractError("DiskNotClonable", { target, path, reason });
}

/** The copy's own file of UEFI variables; undefined where libvirt is to make it. */
async function ownNvram(
  host: LibvirtHost,
  document: XmlDocument,
  vm: VM,
  name: string,
  steps: Steps,
): Promise<string | undefined> {
  const paths = nvramPaths(document, vm.name, name, ownPath);
  if (paths === undefined) return undefined;
  const failed = (error: Sentence, cause: unknown) => new ContractError("CloneFailed", { error }, { cause });
  return await copyNvram(host, paths, steps, failed) ? paths.to : undefined;
}

/** Parameters of a clone. */
interface Plan {
  readonly vm: VM;
  readonly vmId: string;
  readonly name: string;
  /** It runs: QEMU copies its disks. */
  readonly isLive: boolean;
  readonly linked: boolean;
  /** The snapshot whose disks are copied. */
  readonly snapshot: string | undefined;
  readonly copies: readonly DiskCopy[];
  readonly role: Role;
  readonly tpm: ClonedTpm;
  /** Warnings for the user. */
  readonly warnings: string[];
}

/** Copies or links the disks of a VM that is off, one after the other. */
async function copyEach(
  host: LibvirtHost,
  { vm, name, linked, snapshot, copies, role }: Plan,
  { job, steps, held }: { readonly job: JobHandle; readonly steps: Steps; readonly held: DisposableStack },
): Promise<Map<string, CopiedDisk>> {
  const made = new Map<string, CopiedDisk>();
  const total = linked ? 0 : copies.reduce((sum, { source }) => sum + source.allocation, 0);
  const of = snapshot === undefined ? "" : ` of the snapshot ${snapshot}`;
  let before = 0;
  for (const copy of copies) {
    const { target, source, used, pool } = copy;
    const format = copyFormat(copy, linked), volumeName = copyName(name, copy, { isLive: false, linked });
    job.log(
      message`${linked ? "Linking" : "Copying"} ${target}${of}: ${source.path} to ${pool}/${volumeName}`,
    );
    const wish = { path: source.path, format: used === "qcow2" ? used : "raw" } as const;
    const { volume, backing } = await makeDiskImage(
      host,
      { source: wish, pool, name: volumeName, format, linked, snapshot },
      { role, job, steps, held, share: { before, total }, except: vm.id },
    );
    made.set(target, { path: volume.path, type: volume.type, format: volume.format, backing });
    before += source.allocation;
    if (!linked) job.progress(Math.min(before, total), total);
  }
  return made;
}

async function carryOut(
  host: LibvirtHost,
  plan: Plan,
  job: JobHandle,
  operation: Operation,
): Promise<Output<"clone_vm">["disks"]> {
  const { link } = host, { vm, vmId, name, isLive, copies } = plan;
  operation.showsAs(job.id);
  using held = new DisposableStack();
  let made: Map<string, CopiedDisk>;
  try {
    // Of a VM that runs they may change while its disks are copied: what is taken is as at their moment.
    const document = new XmlDocument(await (isLive ? liveDefinition : editableXml)(host, vm));
    await requireNothingLeft(host, document, name);
    const tpmState = await tpmToCopy(host, document, plan, job);
    const nvram = await ownNvram(host, document, vm, name, operation);
    await putTpmState(operation, vmId, tpmState);
    made = isLive
      ? await copyLive(host, plan, { job, steps: operation, held })
      : await copyEach(host, plan, { job, steps: operation, held });
    const left = makeCopy(document, { name, uuid: vmId, createdAt: Date.now(), disks: made, nvram });
    if (left.length > 0) {
      job.log(
        message`Leaving out devices of the host, which stay with ${vmName(vm)}: ${oneLine(left.join(", "))}`,
      );
    }
    const labels = labelsIn(document);
    setLabels(document, { tags: [], group: labels.group }, Date.now());
    for (
      const told of [
        labelsLeftText({ tags: labels.tags }, vm.name),
        addressesLeftText(dropFilterAddresses(document), vm.name),
      ].filter((each) => each !== undefined)
    ) {
      plan.warnings.push(told);
      job.log(told);
    }
    for (const target of await seedDrives(host, vm)) {
      job.log(
        message`Leaving the drive ${target} empty: the cloud-init seed in it belongs to ${vmName(vm)}`,
      );
      setMedium(document, () => diskIn(document, target)!, undefined);
    }
    job.signal.throwIfAborted();
    job.log(message`Defining ${name}`);
    operation.add({ kind: "domain-made", uuid: vmId, name, at: Date.now() });
    await link.call("domainDefineXml", { xml: document.toString() });
  } catch (error) {
    job.log("Removing what was made");
    throw contractError(error, "CloneFailed", "clone_vm");
  }
  return copies.map(({ target, source }) => ({
    target,
    source: source.path,
    path: made.get(target)?.path ?? "",
  }));
}
