/** A VM out of a folder of backups: as a new one, or in the place of what it has become. Undone where a step fails. */
import { message, type Sentence, vmName } from "../../lib/i18n/message.ts";
import {
  confineDefinition,
  confineDisk,
  hasMedium,
  type Medium,
  mediumIn,
} from "../../lib/backup/confine.ts";
import { ManifestError } from "../../lib/backup/manifest.ts";
import { ContractError, type Input, type Output, type VM } from "../../lib/contract/mod.ts";
import { type CopiedDisk, makeCopy, setDisk } from "../../lib/formats/xml/clone.ts";
import { MOST_TPM_BYTES } from "../../lib/formats/swtpm.ts";
import { setMedium } from "../../lib/formats/xml/device_disk.ts";
import { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { goneDevices } from "../../lib/backup/gone_devices.ts";
import { dropLabels, labelsIn, setLabels } from "../../lib/formats/xml/labels.ts";
import { dropFilterAddresses } from "../../lib/formats/xml/filter.ts";
import { identityOf, setName, setUuid } from "../../lib/formats/xml/identity.ts";
import { keepsVariables, nvramPaths, setNvram, usualNvram } from "../../lib/formats/xml/nvram.ts";
import { protectNewDomain } from "../../lib/formats/xml/screen_passwords.ts";
import { hasEmulatedTpm } from "../../lib/formats/xml/tpm.ts";
import { readDomain } from "../../lib/formats/xml/trial.ts";
import { child, children } from "../../lib/formats/xml/tree.ts";
import { oneLine } from "../../lib/text/text.ts";
import { addressesLeftText } from "../../lib/vm/addresses_left.ts";
import { labelsLeftText } from "../../lib/vm/labels_left.ts";
import type { Principal } from "../access.ts";
import { isTaken, isThere, lookAt } from "../machine/files.ts";
import { plainPath, statFile } from "../machine/host_file.ts";
import { hostFiles } from "../machine/host_files.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { VmAdmissions } from "../hosts/projects.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { log } from "../log.ts";
import { identityAt } from "../operations/file_identity.ts";
import type { Operation } from "../operations/operation.ts";
import { t } from "../operations/outcome.ts";
import type { FileMade, StateReplaced } from "../operations/step.ts";
import { keyOf } from "../operations/operation_record.ts";
import { checkImage } from "../storage/disk_images/check.ts";
import { defaultPool } from "../storage/volumes.ts";
import { dropCheckpoints } from "../vm/checkpoints.ts";
import { diskIn } from "../vm/devices/configurations.ts";
import { macOwner } from "../vm/mac_owner.ts";
import { requireNothingLeft } from "../vm/lifecycle/named_files.ts";
import { isSeedAt } from "../vm/lifecycle/disk_copies.ts";
import { otherUserOf } from "../vm/lifecycle/other_user.ts";
import { requireFreeVmName, requireOff } from "../vm/lifecycle/rename.ts";
import { replaceState } from "../vm/lifecycle/replace_state.ts";
import { putTpmState, stageTpmState, tpmPlaceFault, type TpmStateFile } from "../vm/lifecycle/tpm_state.ts";
import { sizeOfDefinition } from "../vm/vm_size.ts";
import { editableXml } from "../vm/xml.ts";
import { type DiskPlace, type DiskWork, makeDisk, restoreFailure, type RestoreSource } from "./make_disk.ts";
import { putAway } from "./old_disks.ts";
import { findReplaced, keepLater, laterDisks, noteLineage } from "./replaced_disks.ts";
import { withSaved } from "../storage/saved_devices.ts";

/** Bytes of a definition and of UEFI variables that are read at most: libvirt takes no larger ones. */
const MOST_DEFINITION = 4 * 1024 ** 2, MOST_VARIABLES = 128 * 1024 ** 2;

type Restored = Output<"restore_backup">;

/** Restoring, while it runs. */
interface Work extends DiskWork {
  readonly warnings: string[];
}

const notPossible = (reason: Sentence) => new ContractError("RestoreNotPossible", { reason });

/** The definition that the host has of the VM that was copied, where it has that VM. @throws {LibvirtError} */
export async function definitionNow(
  { host: { inventory, link }, manifest }: Pick<Work, "host" | "manifest">,
): Promise<XmlDocument | undefined> {
  const uuid = inventory.vm(manifest.vm.id)?.id;
  if (uuid === undefined) return undefined;
  return new XmlDocument(await link.call("domainXml", { uuid, secure: false, inactive: true }));
}

/**
 * The definition that the copy has, as far as it stays within its VM: the folder's word is not the host's.
 *
 * @throws {ManifestError} @throws {XmlError}
 */
export async function definitionOf(
  { repository, copy, manifest, warnings }: RestoreSource & Pick<Work, "warnings">,
  now: XmlDocument | undefined,
): Promise<XmlDocument> {
  const bytes = await repository.fileOf(copy, "domain.xml", manifest.definition, MOST_DEFINITION);
  const read = readDomain(new TextDecoder().decode(bytes));
  if ("fault" in read) throw new ManifestError(`its definition cannot be taken: ${read.fault.message}`);
  warnings.push(...confineDefinition(read.document, now));
  return read.document;
}

/** Makes the volumes, and fills them. @throws {Error} any error; the operation deletes the volumes then */
export async function makeDisks(
  work: DiskWork,
  placeOf: (target: string) => Promise<DiskPlace>,
): Promise<Map<string, CopiedDisk>> {
  const { job, manifest } = work, made = new Map<string, CopiedDisk>();
  const total = manifest.disks.reduce((sum, { bytes }) => sum + bytes, 0);
  let before = 0;
  for (const disk of manifest.disks) {
    const place = await placeOf(disk.target), start = before;
    const { volume: { path, type }, format } = await makeDisk(
      work,
      disk,
      place,
      (done) => job.progress(start + done, total),
    );
    made.set(disk.target, { path, type, format, backing: [] });
    before += disk.bytes;
  }
  return made;
}

/** Why a medium is not put back into its drive: the end of a sentence. Undefined where it is. @throws {LibvirtError} */
async function mediumFault({ host, held }: Work, name: string, medium: Medium): Promise<string | undefined> {
  if (medium === "elsewhere") return "is no file in a storage pool";
  try {
    if ("path" in medium && await lookAt(medium.path, statFile) === undefined) return "is not here";
    // As somebody who may not have every file of the host: so little is a folder's word worth.
    const use = { purpose: "medium", role: "operator", vm: { name } } as const;
    const { volume } = await checkImage(host, { ...medium, format: "raw" }, use, held);
    return volume?.format === "iso" ? undefined : "is no ISO image";
  } catch (error) {
    if (!(error instanceof ContractError)) throw error;
    return error.code === "Forbidden" ? "is in no storage pool" : `is not to be had: ${error.message}`;
  }
}

/** Name, disks and other values that a definition is adapted to. */
interface Fitting {
  readonly name: string;
  readonly made: ReadonlyMap<string, CopiedDisk>;
  /** The definition that the host has of the VM. */
  readonly now: XmlDocument | undefined;
  /** Targets of disks of now that stay. */
  readonly later?: ReadonlySet<string>;
  /** It is another VM than the one that was copied: the cloud-init seed of that one has its name and secrets. */
  readonly isNew?: boolean;
}

/** Takes out what the copy does not have, and media that are gone; what that is stands in the warnings. */
async function fitDisks(work: Work, document: XmlDocument, { name, made, now, later, isNew }: Fitting) {
  const { warnings } = work;
  const disks = () => children(document.find("devices"), "disk");
  const targetOf = (disk: ReturnType<typeof disks>[number]) => child(disk, "target")?.attributes.dev ?? "";
  for (const target of disks().map(targetOf)) {
    const disk = diskIn(document, target);
    if (disk === undefined) continue;
    if (made.has(target)) {
      confineDisk(document, () => diskIn(document, target));
      continue;
    }
    const { device = "disk" } = disk.attributes;
    if (device === "cdrom" || device === "floppy") {
      const medium = mediumIn(disk);
      if (medium === undefined) continue;
      if (
        isNew && typeof medium === "object" && "path" in medium && await isSeedAt(work.host.link, medium.path)
      ) {
        warnings.push(
          `The drive ${target} is empty: the cloud-init seed in it belongs to the VM that was copied`,
        );
        setMedium(document, () => diskIn(document, target)!, undefined);
        continue;
      }
      const isThereStill = hasMedium(now, medium) &&
        (!(typeof medium === "object" && "path" in medium) || await isThere(medium.path).catch(() => false)); // what cannot be seen is asked about below
      const fault = isThereStill ? undefined : await mediumFault(work, name, medium);
      if (fault === undefined) continue;
      const path = typeof medium === "object" && "path" in medium ? ` ${oneLine(medium.path)}` : "";
      warnings.push(`The drive ${target} is empty: its medium${path} ${fault}`);
      setMedium(document, () => diskIn(document, target)!, undefined);
      continue;
    }
    if (!later?.has(target)) warnings.push(`Disk ${target} is not in the backup, and was taken out`);
    document.remove(disk);
  }
  const there = new Set(disks().map(targetOf));
  const missing = [...made.keys()].filter((target) => !there.has(target));
  for (const target of missing) {
    warnings.push(
      `Disk ${target} was attached until the next stop alone: it was restored, and is not attached`,
    );
  }
}

/** The UEFI variables of the copy, where its VM keeps any. @throws {ManifestError} */
export async function nvramIn({ repository, copy, manifest }: RestoreSource, document: XmlDocument) {
  return manifest.nvram === undefined || !keepsVariables(document)
    ? undefined
    : await repository.fileOf(copy, "nvram", manifest.nvram, MOST_VARIABLES);
}

/** Writes UEFI variables where nothing is. */
export async function putNvram(
  { operation }: Pick<Work, "operation">,
  path: string,
  bytes: Uint8Array,
): Promise<void> {
  if (await isTaken(plainPath(path))) throw notPossible(message`${path} exists already`);
  const noted = operation.add<FileMade>({ kind: "file-made", path, file: null, at: Date.now() });
  await hostFiles.writeFile(plainPath(path), bytes, { createNew: true, mode: 0o600 });
  noted.know({ file: await identityAt(path) });
}

/**
 * Path for the UEFI variables of a VM that has none here: libvirt's usual one, unless another file is there.
 * @throws {ContractError}
 */
async function placeOfNvram(name: string, vmId: string): Promise<string> {
  const usual = usualNvram(name), own = usualNvram(`${name}-${vmId.slice(0, 8)}`);
  for (const path of [usual, own]) if (!await isTaken(plainPath(path))) return path;
  throw notPossible(message`${own} exists already`);
}

/**
 * Path for a VM's restored UEFI variables: its present one, unless another VM uses the same.
 *
 * @param kept its present path; undefined if it has none
 * @throws {ContractError} as {@link placeOfNvram} @throws {LibvirtError}
 */
async function ownNvram(
  { host, warnings }: Pick<Work, "host" | "warnings">,
  { id, name }: VM,
  kept: string | undefined,
): Promise<string> {
  const user = kept === undefined ? undefined : await otherUserOf(host, id, kept);
  if (kept !== undefined && user === undefined) return kept;
  const path = await placeOfNvram(name, id);
  if (user !== undefined) {
    warnings.push(`Its UEFI variables are now ${path}: ${user} has those at ${kept}, too`);
  }
  return path;
}

/**
 * The state of the copy's TPM, for a VM that has one. Missing state is reported in the warnings.
 *
 * @param otherwise the state that its TPM has then, for the warning
 * @throws {ManifestError}
 */
export async function tpmIn(
  { host, repository, copy, manifest, warnings }: RestoreSource & Pick<Work, "host" | "warnings">,
  document: XmlDocument,
  otherwise: string,
): Promise<TpmStateFile[]> {
  if (!hasEmulatedTpm(document)) return [];
  if (manifest.tpm === undefined) {
    warnings.push(`The copy has no state of its TPM: ${otherwise}`);
    return [];
  }
  const found: TpmStateFile[] = [];
  for (const { name, digest } of manifest.tpm) {
    found.push({ name, bytes: await repository.fileOf(copy, name, digest, MOST_TPM_BYTES) });
  }
  const fault = tpmPlaceFault(host, document);
  if (found.length === 0 || fault === undefined) return found;
  warnings.push(`The state of its TPM was not restored, because ${fault}: ${otherwise}`);
  return [];
}

/** As a new VM. */
async function asNew(
  work: Work,
  { vmId, name, pool }: { readonly vmId: string; readonly name: string; readonly pool: string | undefined },
  admissions: VmAdmissions,
): Promise<void> {
  const { host: { link }, operation, job } = work;
  const now = await definitionNow(work), document = await definitionOf(work, now);
  await requireNothingLeft(work.host, document, name);
  const goal = pool ?? await defaultPool(link);
  const disks = await makeDisks(work, (target) => Promise.resolve({ pool: goal, stem: `${name}-${target}` }));
  await fitDisks(work, document, { name, made: disks, now, isNew: true });
  const labelsLeft = labelsLeftText(dropLabels(document), "The copy");
  if (labelsLeft !== undefined) work.warnings.push(labelsLeft);
  const addressesLeft = addressesLeftText(dropFilterAddresses(document), "The copy");
  if (addressesLeft !== undefined) work.warnings.push(addressesLeft);
  const variables = await nvramIn(work, document), nvram = variables && await placeOfNvram(name, vmId);
  setNvram(document, nvram);
  if (variables !== undefined) await putNvram(work, nvram!, variables);
  const own = new Map([...disks].filter(([target]) => diskIn(document, target) !== undefined));
  const left = makeCopy(document, { name, uuid: vmId, createdAt: Date.now(), disks: own, nvram });
  if (left.length > 0) {
    work.warnings.push(
      `Devices of the host were left out: ${
        oneLine(left.join(", "))
      }. Add them again if they belong to the VM`,
    );
  }
  await putTpmState(operation, vmId, await tpmIn(work, document, "it begins empty"));
  job.signal.throwIfAborted();
  job.log(message`Defining ${name}`);
  // The project of the VM that the copy is of
  const project = work.host.projects.projectOf(work.manifest.vm.id);
  using admission = admissions.admit(
    { vmId, name, project },
    await sizeOfDefinition(work.host, document.toString(), project),
  );
  operation.add({ kind: "domain-made", uuid: vmId, name, at: Date.now() });
  await link.call("domainDefineXml", { xml: document.toString() });
  admission.keep();
}

/** As an import does: two cards of one address on a network take each other's traffic. @throws {ContractError} MacInUse */
async function requireFreeMacs(host: LibvirtHost, document: XmlDocument, own: string): Promise<void> {
  const { macs } = identityOf(document);
  const other = macOwner(await withSaved(host, host.inventory.vms().filter(({ id }) => id !== own)), macs);
  if (other !== undefined) throw new ContractError("MacInUse", other);
}

/** In the place of what a VM has become. Its old disks go last, once it has the restored ones. */
async function inPlace(work: Work, vm: VM, pool: string | undefined): Promise<void> {
  const { host, operation, job, manifest } = work, { link } = host;
  const now = await definitionNow(work), document = await definitionOf(work, now);
  await requireFreeMacs(host, document, vm.id);
  const before = new XmlDocument(await editableXml(host, vm));
  const replaced = await findReplaced(work, vm, document, before), old = replaced.volumes;
  const mark = manifest.id.slice(0, 15);
  const disks = await makeDisks(work, async (target) => ({
    pool: pool ?? old.get(target)?.pool ?? await defaultPool(link),
    stem: `${vm.name}-${target}-${mark}-${crypto.randomUUID().slice(0, 4)}`,
  }));
  await fitDisks(work, document, { name: vm.name, made: disks, now, later: laterDisks(before, replaced) });
  keepLater(work, document, before, replaced);
  setLabels(document, labelsIn(before), Date.now());
  setName(document, vm.name);
  setUuid(document, vm.id);
  for (const [target, disk] of disks) if (diskIn(document, target)) setDisk(document, target, disk);
  protectNewDomain(document);
  const kept = nvramPaths(before, vm.name, vm.name, (path) => path)?.from;
  const variables = await nvramIn(work, document),
    path = variables && await ownNvram(work, vm, kept);
  setNvram(document, path ?? (document.find("os", "nvram") && kept));
  const fresh = path && `${path}.restored-${manifest.id}`;
  if (fresh !== undefined) await putNvram(work, fresh, variables!);
  const tpm = await tpmIn(work, document, "it keeps the one it has now");
  const { moves, gone } = await stageTpmState(operation, vm.id, tpm, `restored-${manifest.id}`);
  const change = { moves: [...fresh === undefined ? [] : [[fresh, path!] as const], ...moves], gone };
  job.signal.throwIfAborted();
  job.log(message`Defining ${vmName(vm)}`);
  const project = host.projects.projectOf(vm.id);
  using admission = host.projects.grow(vm, await sizeOfDefinition(host, document.toString(), project));
  await dropCheckpoints(host, vm);
  operation.add<StateReplaced>({
    kind: "state-replaced",
    uuid: vm.id,
    name: vm.name,
    disks: [...disks.values()].map((disk) => disk.path),
    ...change,
    old: [...old.values()].map(({ pool, name }) => ({ pool, name })),
  });
  await link.call("domainDefineXml", { xml: document.toString() });
  work.warnings.push(...goneDevices(before.toString(), document.toString()));
  await replaceState(change);
  await noteLineage(work, vm.id, disks, replaced);
  await host.reread(vm);
  if (project !== undefined) await host.sizes.read(vm.id);
  admission.keep();
  await putAway(work, old.values());
}

/** @throws {ContractError} RestoreNotPossible for a copy of another VM, which had the id of this one before */
function requireSameVm(
  since: (vmId: string) => number,
  { id, name }: VM,
  { vm: was, takenAt }: RestoreSource["manifest"],
): void {
  if (takenAt >= since(id)) return;
  throw notPossible(
    message`the copy is of ${oneLine(was.name, 60)}, which was deleted. ${
      oneLine(name, 60)
    } is another VM that has its id. Restore the copy as a new VM`,
  );
}

/** @throws {ContractError} RestoreNotPossible for one that has snapshots: they are of the disks it has now */
async function requireNoSnapshots({ link }: LibvirtHost, { id: uuid, name }: VM): Promise<void> {
  if ((await link.call("snapshotScan", { uuid })).length === 0) return;
  throw notPossible(
    message`${name} has snapshots, which are kept in the disks it has now. Delete them first`,
  );
}

/** The principal of a restore, and data of VMs by their ids. */
export interface RestoreCall {
  readonly principal: Principal;
  /** Since when an id is that of the VM which has it now, in milliseconds since 1970. */
  readonly since: (vmId: string) => number;
}

/**
 * Restores a VM, as a task.
 *
 * @throws {ContractError} those of restore_backup
 */
export async function restoreVm(
  host: LibvirtHost,
  source: RestoreSource,
  input: Input<"restore_backup">,
  { principal, since }: RestoreCall,
): Promise<Restored> {
  const { inventory, jobs, operations } = host, { vm: was } = source.manifest;
  const isInPlace = input.inPlace === true;
  if (isInPlace === (input.name !== undefined)) {
    throw new ContractError("InvalidInput", {
      reason: isInPlace ? "name is for a new VM, not for one in place" : "name is needed for a new VM",
      field: "name",
    });
  }
  // What is restored in place is there already, and is off
  const admissions = isInPlace ? undefined : host.requireAdmissions();
  const vm = isInPlace ? host.requireVm(was.id) : undefined;
  const name = vm?.name ?? input.name!, vmId = vm?.id ?? crypto.randomUUID();
  const keys = [keyOf.vm(vmId), keyOf.vmName(name)];
  await operations.ready(keys);
  if (vm === undefined) requireFreeVmName(host, name);
  else {
    requireSameVm(since, vm, source.manifest);
    requireOff(host, vm);
    await requireNoSnapshots(host, vm);
  }
  const warnings: string[] = [];
  const carryOut = async (job: JobHandle, operation: Operation) => {
    operation.showsAs(job.id);
    using held = new DisposableStack();
    const work = { host, operation, job, warnings, ...source };
    try {
      const { pool } = input, whole = { ...work, held };
      if (vm !== undefined) await inPlace(whole, vm, pool);
      else await asNew(whole, { vmId, name, pool }, admissions!);
      for (const warning of warnings) job.log(warning);
    } catch (error) {
      job.log("Removing what was made");
      throw restoreFailure(error);
    }
  };
  const run = () =>
    jobs.run({
      command: "restore_backup",
      title: vm === undefined ? message`Restore ${was.name} as ${name}` : message`Restore ${name}`,
      actor: principal.name,
      vmId,
      subject: name,
      lane: "copy",
      ifInterrupted: t("operations.later"),
    }, (job) =>
      operations.run(
        { command: "restore_backup", subject: name, vmId, actor: principal.name, keys },
        (operation) => carryOut(job, operation),
      ));
  if (vm === undefined) await run();
  else {
    await host.claims.operate(vm, "restoring", async () => {
      requireOff(host, host.requireVm(vm.id));
      await run();
    });
  }
  await inventory.refresh(vmId).catch((error) =>
    log.debug("a restored VM could not be read", { name, error })
  );
  return { vmId, name, warnings };
}
