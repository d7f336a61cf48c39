/** VMs made of a template: one after the other, each whole or not at all. */
import { message, type Sentence, type Unrendered, vmName } from "../../lib/i18n/message.ts";
import { sentenceOf } from "../../lib/contract/errors.ts";
import {
  type CloudInit,
  type ConfigFinding,
  ContractError,
  type Input,
  type Output,
  type Role,
} from "../../lib/contract/mod.ts";
import { type CopiedDisk, makeCopy } from "../../lib/formats/xml/clone.ts";
import { ownPath } from "../../lib/formats/xml/host_identities.ts";
import { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { dropFilterAddresses } from "../../lib/formats/xml/filter.ts";
import { summarizeDomain } from "../../lib/formats/xml/domain.ts";
import type { VmSize } from "../../lib/projects/quota.ts";
import { GIB } from "../../lib/text/byte_units.ts";
import { dropLabels } from "../../lib/formats/xml/labels.ts";
import { addressesLeftText } from "../../lib/vm/addresses_left.ts";
import { labelsLeftText } from "../../lib/vm/labels_left.ts";
import { nvramPaths } from "../../lib/formats/xml/nvram.ts";
import { NO_PLACE } from "../../lib/formats/xml/seed_drive.ts";
import { giveMacs, putSeed } from "../../lib/template/definition.ts";
import { vmNames } from "../../lib/template/names.ts";
import type { Principal } from "../access.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { VmAdmissions } from "../hosts/projects.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { contractError } from "../libvirt/failure.ts";
import { log } from "../log.ts";
import type { Operation } from "../operations/operation.ts";
import { t } from "../operations/outcome.ts";
import { keyOf } from "../operations/operation_record.ts";
import { makeDiskImage } from "../storage/disk_of_volume.ts";
import { requireActive } from "../storage/shared.ts";
import { requirePlaces, type RoomNeeded } from "../storage/volume_checks.ts";
import { keepsFiles } from "../storage/volumes.ts";
import { checkSeed, makeSeed } from "../vm/cloud_init/seed.ts";
import { copyNvram, takenVolume } from "../vm/lifecycle/disk_copies.ts";
import { requireNothingLeft } from "../vm/lifecycle/named_files.ts";
import { requireFreeVmName } from "../vm/lifecycle/rename.ts";
import { requireTemplate, requireVersion, type TemplateContext } from "./change.ts";
import type { StoredTemplate, StoredVersion } from "./records.ts";
import { withSaved } from "../storage/saved_devices.ts";

type Wish = Input<"create_vm_from_template">;
type Made = Output<"create_vm_from_template">["vms"][number];

/** Common parameters of all VMs of a call. */
interface Plan {
  readonly template: StoredTemplate;
  readonly version: StoredVersion;
  readonly names: readonly string[];
  readonly linked: boolean;
  readonly pool: string | undefined;
  readonly cloudInit: CloudInit | undefined;
  /** Id of the project that they are in. */
  readonly project: string | undefined;
  readonly role: Role;
  readonly actor: string;
}

/** Size of each VM. */
function sizeOf({ version: { xml, disks } }: Plan): VmSize {
  const { cpuCount: cpus, maxMemoryMb: memoryMb } = summarizeDomain(xml);
  return { cpus, memoryMb, diskGb: disks.reduce((sum, { capacityBytes }) => sum + capacityBytes, 0) / GIB };
}

/** Pool and bytes that each disk of one VM needs. */
const placedOf = ({ pool, linked, version: { disks } }: Plan): RoomNeeded[] =>
  disks.map((disk) => ({ pool: pool ?? disk.pool, bytes: linked ? 0 : disk.allocationBytes }));

/** The volumes of one VM. */
const placesFor = ({ pool, version: { disks } }: Plan, name: string) =>
  disks.map((disk) => ({ pool: pool ?? disk.pool, name: `${name}-${disk.target}.qcow2` }));

/** Throws where a VM cannot be made, before any is made. @returns warnings @throws {ContractError} */
async function requireMakeable(host: LibvirtHost, plan: Plan): Promise<ConfigFinding[]> {
  const { names, pool, version: { disks }, cloudInit } = plan;
  await host.operations.ready(names.map(keyOf.vmName));
  for (const name of names) requireFreeVmName(host, name);
  if (pool !== undefined) {
    requireActive(host, pool);
    if (!await keepsFiles(host.link, pool)) {
      const { target, path } = disks[0]!;
      throw new ContractError("DiskNotClonable", {
        target,
        path,
        reason: message`the pool ${pool} keeps no qcow2 files`,
      });
    }
  }
  await requirePlaces(host, names.flatMap(() => placedOf(plan)));
  const document = new XmlDocument(plan.version.xml);
  for (const name of names) {
    await requireNothingLeft(host, document, name);
    const error = await takenVolume(host, placesFor(plan, name));
    if (error !== undefined) {
      throw new ContractError("TemplateVmFailed", { vm: name, done: 0, count: names.length, error });
    }
  }
  const macs = giveMacs(document, new Set());
  const seed = cloudInit && await checkSeed({ vmName: names[0]!, cloudInit, macs });
  if (seed?.refusal) throw seed.refusal;
  return seed?.warnings ?? [];
}

/** Makes the disks of one VM. @returns them by their targets */
async function makeDisks(
  host: LibvirtHost,
  plan: Plan,
  name: string,
  { job, operation, before, total }: Work,
): Promise<Map<string, CopiedDisk>> {
  using held = new DisposableStack();
  const { version, linked, role } = plan;
  const made = new Map<string, CopiedDisk>();
  let done = before;
  const places = placesFor(plan, name);
  for (const [index, { target, pool: own, volume: base, allocationBytes }] of version.disks.entries()) {
    const place = { ...places[index]!, format: "qcow2", linked };
    const source = { volume: { pool: own, name: base }, format: "qcow2" } as const;
    const share = { before: done, total };
    const { volume, backing } = await makeDiskImage(
      host,
      { source, ...place },
      { role, job, steps: operation, held, share },
    );
    made.set(target, { path: volume.path, type: volume.type, format: "qcow2", backing });
    if (linked) continue;
    done += allocationBytes;
    job.progress(Math.min(done, total), total);
  }
  return made;
}

/** One VM's part of the whole. */
interface Work {
  readonly job: JobHandle;
  readonly operation: Operation;
  /** Bytes copied before, and of all VMs. */
  readonly before: number;
  readonly total: number;
}

/** The VM's own UEFI variables; undefined where libvirt is to make them. */
async function makeVariables(
  host: LibvirtHost,
  document: XmlDocument,
  { version: { source, variables } }: Plan,
  name: string,
  operation: Operation,
): Promise<string | undefined> {
  const to = nvramPaths(document, source, name, ownPath)?.to;
  if (to === undefined || variables === undefined) return undefined;
  const failed = (error: Sentence, cause: unknown) => new ContractError("CloneFailed", { error }, { cause });
  return await copyNvram(host, { from: variables.path, to }, operation, failed) ? to : undefined;
}

/** Makes one VM, each thing a step of the operation. */
async function makeVm(
  { host, records, now }: TemplateContext,
  plan: Plan,
  { name, vmId }: Made,
  work: Work,
): Promise<void> {
  const { link, inventory } = host;
  const { template, version, linked, cloudInit } = plan;
  const { job, operation } = work;
  requireFreeVmName(host, name); // somebody may have taken it meanwhile
  const disks = await makeDisks(host, plan, name, work);
  const document = new XmlDocument(version.xml);
  const original = `The VM that the template ${template.name} was made of`;
  const labelsLeft = labelsLeftText(dropLabels(document), original);
  if (labelsLeft !== undefined) job.log(labelsLeft);
  const addressesLeft = addressesLeftText(dropFilterAddresses(document), original);
  if (addressesLeft !== undefined) job.log(addressesLeft);
  const nvram = await makeVariables(host, document, plan, name, operation);
  const left = makeCopy(document, { name, uuid: vmId, createdAt: now(), disks, nvram });
  if (left.length > 0) {
    job.log(message`${name}: devices of the host were left out: ${oneLine(left.join(", "))}`);
  }
  const taken = (await withSaved(host, inventory.vms())).flatMap((vm) =>
    vm.networkInterfaces.map(({ mac }) => mac.toLowerCase())
  );
  const macs = giveMacs(document, new Set(taken));
  if (cloudInit !== undefined) {
    const { path } = await makeSeed(link, { vmName: name, cloudInit, macs }, operation);
    if (!putSeed(document, path, version.osType === "windows")) {
      throw new ContractError("CloudInitFailed", { error: NO_PLACE });
    }
  }
  job.signal.throwIfAborted();
  operation.add({ kind: "domain-made", uuid: vmId, name, at: Date.now() });
  await link.call("domainDefineXml", { xml: document.toString() });
  records.putVm({ vmId, templateId: template.id, version: version.version, linked, createdAt: now() });
}

/** Makes all of them. @throws {ContractError} TemplateVmFailed naming the one that failed; JobCancelled */
async function makeAll(
  context: TemplateContext,
  plan: Plan,
  job: JobHandle,
  admissions: VmAdmissions,
): Promise<Made[]> {
  const { host } = context;
  const { names, actor } = plan, made: Made[] = [];
  const share = placedOf(plan).reduce((sum, { bytes }) => sum + bytes, 0), total = share * names.length;
  for (const [index, name] of names.entries()) {
    job.signal.throwIfAborted();
    const vmId = crypto.randomUUID();
    const about = {
      command: "create_vm_from_template",
      subject: name,
      vmId,
      actor,
      keys: [keyOf.vm(vmId), keyOf.vmName(name)],
    } as const;
    try {
      using admission = admissions.admit({ vmId, name, project: plan.project }, sizeOf(plan));
      await host.operations.run(about, (operation) => {
        operation.showsAs(job.id);
        return makeVm(context, plan, { name, vmId }, { job, operation, before: share * index, total });
      });
      admission.keep();
    } catch (error) {
      job.log(message`${name} was not made. What was made of it is removed; the VMs before it stay.`);
      if (job.signal.aborted) throw error;
      const told = contractError(error, "CreateFailed", "create_vm_from_template");
      const [done, count] = [index, names.length];
      throw new ContractError("TemplateVmFailed", { vm: name, done, count, error: sentenceOf(told) }, {
        cause: error,
      });
    }
    await host.inventory.refresh(vmId).catch((error) =>
      log.debug("a new VM could not be read", { name, error })
    );
    made.push({ vmId, name });
    job.log(message`Created ${name} (${index + 1} of ${names.length})`);
  }
  return made;
}

/** Starts them, as who asks; one that does not start stays. */
async function startAll(
  { host }: TemplateContext,
  made: readonly Made[],
  principal: Principal,
  job: JobHandle,
): Promise<Unrendered<Output<"create_vm_from_template">["notStarted"]>> {
  const notStarted: Unrendered<Output<"create_vm_from_template">["notStarted"]> = [];
  for (const { vmId, name } of made) {
    job.signal.throwIfAborted();
    try {
      await host.run("start_vm", { vmId }, principal);
    } catch (error) {
      notStarted.push({ name, reason: sentenceOf(error) });
      job.log(message`${vmName({ vmId, name })} did not start: ${sentenceOf(error)}`);
    }
  }
  return notStarted;
}

/** @throws {ContractError} as the contract says */
export async function createVms(
  context: TemplateContext,
  { templateId, name, count = 1, first = 1, version, linked = true, pool, cloudInit, project, start = false }:
    Wish,
  principal: Principal,
): Promise<Unrendered<Output<"create_vm_from_template">>> {
  const { host } = context, admissions = host.requireAdmissions();
  const template = requireTemplate(context, templateId);
  const plan: Plan = {
    template,
    version: requireVersion(template, version),
    names: vmNames({ name, count, first }),
    linked,
    pool,
    cloudInit,
    project: host.projects.idOf(project),
    role: principal.role,
    actor: principal.name,
  };
  const warnings = await requireMakeable(host, plan);
  host.projects.requireRoom(plan.project, plan.names.length, sizeOf(plan));
  using held = new DisposableStack();
  for (const each of plan.names) {
    const taken = host.reservations.take("name", each, each);
    if (typeof taken === "string") throw new ContractError("VmNameExists", { name: each });
    held.use(taken);
  }
  // A version that is in use here is not deleted meanwhile.
  for (const { pool: own, volume } of plan.version.disks) {
    held.use(host.locks.take(own, volume, { hold: "read" }));
  }
  const many = plan.names.length;
  const spec = {
    command: "create_vm_from_template",
    title: many === 1
      ? `Create ${plan.names[0]} from the template ${template.name}`
      : `Create ${many} VMs from the template ${template.name}`,
    actor: principal.name,
    subject: template.name,
    ...(!linked && { lane: "copy" as const }),
    ifInterrupted: t("operations.later"),
  } as const;
  return await host.jobs.run(spec, async (job) => {
    const vms = await makeAll(context, plan, job, admissions);
    return { vms, notStarted: start ? await startAll(context, vms, principal, job) : [], warnings };
  });
}
