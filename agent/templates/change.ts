/** Templates made, changed and deleted. */
import { type Message, message, render, type Sentence } from "../../lib/i18n/message.ts";
import {
  ContractError,
  type Input,
  MOST_TEMPLATE_VERSIONS,
  MOST_TEMPLATES,
  type Output,
} from "../../lib/contract/mod.ts";
import type { Seal } from "../../lib/template/seal.ts";
import type { Principal } from "../access.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { contractError, isConnectionLost } from "../libvirt/failure.ts";
import type { Operation } from "../operations/operation.ts";
import { t } from "../operations/outcome.ts";
import { keyOf } from "../operations/operation_record.ts";
import { receiptOf } from "../storage/bin/keep.ts";
import { fileOf } from "../storage/volume_steps.ts";
import { whyUnremovable } from "../storage/removable.ts";
import { exactUsers } from "../storage/exact_users.ts";
import { VolumeUsage } from "../storage/volume_usage.ts";
import { deleteVolume } from "../storage/passphrases.ts";
import type { PoolVolume } from "../storage/volumes.ts";
import { planTemplate } from "./bin.ts";
import { labelOf, lockTemplate } from "./lock.ts";
import {
  type KeptVariables,
  type StoredTemplate,
  type StoredVersion,
  type TemplateRecords,
  templateVolumes,
} from "./records.ts";
import { requireSealable } from "./seal.ts";
import { type SourceHost, sourceOf, type VersionSource } from "./sources.ts";

/** Services for changes of templates: the host, records of templates, and the clock. */
export interface TemplateContext extends SourceHost {
  readonly records: TemplateRecords;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** Names that are being made, by host: two at the same time must not be the same. */
const making = new Set<string>();

const failed = (verb: string, error: unknown): unknown => {
  const told = contractError(error, "TemplateFailed");
  if (!(told instanceof ContractError) || told.code !== "TemplateFailed") return told;
  return new ContractError("TemplateFailed", { verb, ...told.details as object }, { cause: error });
};

const noSource = (reason: Sentence) => new ContractError("InvalidInput", { reason });

/** @throws {ContractError} TemplateNotFound, StoreUnavailable */
export function requireTemplate({ host, records }: TemplateContext, templateId: string): StoredTemplate {
  records.require();
  const found = records.get(host.id, templateId);
  if (found === undefined) throw new ContractError("TemplateNotFound", { templateId });
  return found;
}

/** A version of a template, the newest when none is said. @throws {ContractError} TemplateVersionNotFound */
export function requireVersion(
  { name, versions }: StoredTemplate,
  version: number | undefined,
): StoredVersion {
  const found = version === undefined ? versions.at(-1) : versions.find((each) => each.version === version);
  if (found === undefined) throw new ContractError("TemplateVersionNotFound", { name, version });
  return found;
}

/** Keeps a name for a template until disposed of. @throws {ContractError} TemplateExists */
export function takeName({ host, records }: TemplateContext, name: string, but?: string): Disposable {
  const key = `${host.id} ${name}`;
  const isTaken = records.of(host.id).some((each) => each.name === name && each.id !== but);
  if (isTaken || making.has(key)) throw new ContractError("TemplateExists", { name });
  making.add(key);
  return { [Symbol.dispose]: () => void making.delete(key) };
}

/** The operation and the title that a version is made under. */
interface VersionRequest {
  readonly command: "create_template" | "update_template";
  readonly title: Message;
  readonly templateId: string;
  readonly name: string;
  readonly version: number;
  /** Parts of the guest that are removed from its disks. */
  readonly seal: readonly Seal[];
  /** Writes the template with its new version: with that it is there. */
  readonly keep: (version: StoredVersion) => void;
}

/** Makes a version, as a job. What was made is removed when it fails or is cancelled. */
async function addVersion(
  { host, now }: TemplateContext,
  source: VersionSource,
  { command, title, templateId, name, version, seal, keep }: VersionRequest,
  { name: actor, role }: Principal,
): Promise<void> {
  const { jobs, operations } = host;
  const { vmId } = source;
  const keys = [...vmId === undefined ? [] : [keyOf.vm(vmId)], keyOf.template(templateId)];
  await operations.ready(keys);
  if (seal.length > 0) await requireSealable();
  await source.hold(async () => {
    // What is refused now is not put into the queue.
    await source.plan();
    const spec = {
      command,
      title,
      actor,
      ...(vmId === undefined ? { subject: name } : { vmId }),
      lane: "copy",
      ifInterrupted: t("operations.later"),
    } as const;
    const about = { command, subject: labelOf(name), actor, keys };
    const carryOut = async (job: JobHandle, operation: Operation) => {
      operation.showsAs(job.id);
      const make = await source.plan();
      const marks = {
        prefix: `template-${name}-${templateId.slice(0, 8)}`,
        version,
        createdAt: now(),
        createdBy: actor,
        role,
        seal,
      };
      try {
        keep(await make(marks, job, operation));
      } catch (error) {
        job.log("Removing what was made");
        throw failed("make", error);
      }
    };
    await jobs.run(spec, (job) => operations.run(about, (operation) => carryOut(job, operation)));
  });
}

/** @throws {ContractError} as the contract says */
export async function createTemplate(
  context: TemplateContext,
  { name, description = "", seal = [], ...wish }: Input<"create_template">,
  principal: Principal,
): Promise<StoredTemplate> {
  const { host, records, now } = context;
  const source = sourceOf(context, { ...wish, seal }, principal.role);
  if (source === undefined) throw noSource("needs vmId, image or diskSizeGb: what it is made of");
  records.require();
  if (records.of(host.id).length >= MOST_TEMPLATES) {
    throw new ContractError("TooManyTemplates", { limit: MOST_TEMPLATES, what: "templates" });
  }
  using _name = takeName(context, name);
  const id = crypto.randomUUID();
  const keep = (version: StoredVersion) =>
    records.put({
      id,
      host: host.id,
      name,
      description,
      createdAt: now(),
      versions: [version],
      nextVersion: version.version + 1,
    });
  const title = message`Make the template ${name} of ${source.name}`;
  await addVersion(
    context,
    source,
    { command: "create_template", title, templateId: id, name, version: 1, seal, keep },
    principal,
  );
  return requireTemplate(context, id);
}

/** @throws {ContractError} as the contract says */
export async function updateTemplate(
  context: TemplateContext,
  { templateId, name, description, seal = [], ...wish }: Input<"update_template">,
  principal: Principal,
): Promise<StoredTemplate> {
  const { records } = context;
  const first = requireTemplate(context, templateId);
  using _name = name === undefined ? undefined : takeName(context, name, templateId);
  const change = {
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
  };
  const source = sourceOf(context, { ...wish, seal }, principal.role);
  if (source === undefined) {
    if (seal.length > 0) throw noSource("seal is of a new version: say of what it is made, by vmId or image");
    records.put({ ...first, ...change });
    return requireTemplate(context, templateId);
  }
  if (first.versions.length >= MOST_TEMPLATE_VERSIONS) {
    throw new ContractError("TooManyTemplates", {
      limit: MOST_TEMPLATE_VERSIONS,
      what: message`versions of ${first.name}`,
    });
  }
  const version = first.nextVersion;
  // Two versions at the same time would be given one number.
  using _alone = lockTemplate(first);
  const keep = (made: StoredVersion) => {
    const before = requireTemplate(context, templateId); // it may have been changed, or deleted, meanwhile
    records.put({ ...before, ...change, versions: [...before.versions, made], nextVersion: version + 1 });
  };
  const title = message`Make version ${version} of the template ${first.name} of ${source.name}`;
  await addVersion(
    context,
    source,
    { command: "update_template", title, templateId, name: first.name, version, seal, keep },
    principal,
  );
  return requireTemplate(context, templateId);
}

/** The volumes as what asks for the users of volumes takes them. */
const asVolume = ({ pool, volume: name, path }: KeptVariables): PoolVolume => ({
  pool,
  name,
  path,
  type: "file",
  format: undefined,
  capacity: 0,
  allocation: 0,
} as PoolVolume);

/**
 * Users of a template's volumes: VMs by their names, and volumes that are built on them.
 *
 * @throws {ContractError} StorageUnknown when the images cannot be read in time
 */
async function usersOf(
  host: LibvirtHost,
  { id, name }: StoredTemplate,
  volumes: readonly KeptVariables[],
): Promise<string[]> {
  const label = labelOf(name);
  // Pools that were not read yet are read for it: an overlay may lie in any
  const exact = await exactUsers(host), memory = await VolumeUsage.read(host, volumes);
  const found = new Set<string>();
  for (const volume of volumes.map(asVolume)) {
    const users = memory.of(volume).map(({ name }) => name);
    const use = await exact(volume, id);
    for (const name of use === undefined ? users : [...users, render(use.user)]) {
      if (name !== label) found.add(name);
    }
  }
  return [...found].sort();
}

/** @throws {ContractError} as the contract says */
export async function deleteTemplate(
  context: TemplateContext,
  { templateId, version, permanently = false }: Input<"delete_template">,
  { name: actor }: Principal,
): Promise<Output<"delete_template">> {
  const { host, records } = context;
  const { link, operations } = host;
  const keys = [keyOf.template(templateId)];
  await operations.ready(keys);
  const template = requireTemplate(context, templateId);
  const { name } = template;
  // A new version that is being made would be lost.
  using _alone = lockTemplate(template);
  const doomed = version === undefined ? template.versions : [requireVersion(template, version)];
  const volumes = doomed.flatMap(templateVolumes);
  using held = new DisposableStack();
  for (const { pool, volume } of volumes) held.use(host.locks.take(pool, volume));
  const users = await usersOf(host, template, volumes);
  if (users.length > 0) throw new ContractError("TemplateInUse", { name, users: users.join(", ") });
  for (const { path } of volumes) {
    const error = host.machine === null ? undefined : await whyUnremovable(host.machine, path, false);
    if (error !== undefined) {
      throw new ContractError("TemplateFailed", { verb: "delete", error: `${path}: ${error}` });
    }
  }
  const about = { command: "delete_template", subject: labelOf(name), actor, keys } as const;
  const plan = permanently
    ? undefined
    : await planTemplate(host, template, doomed, records.vmsOf(templateId), actor);
  const gone = plan === undefined ? volumes : [];
  await operations.run(about, async (operation) => {
    // While the template is on record, what is settled leaves its volumes alone.
    await plan?.begin(operation);
    operation.addAll(
      await Promise.all(
        gone.map(async ({ path }) => ({
          kind: "disk-doomed" as const,
          path,
          file: await fileOf(link, path),
        })),
      ),
    );
    const before = requireTemplate(context, templateId), vms = records.vmsOf(templateId);
    const putBack = () => {
      records.put(before);
      for (const vm of vms) records.putVm(vm);
    };
    if (doomed.length === before.versions.length) records.remove(templateId);
    else records.removeVersion(before, doomed[0]!.version);
    try {
      await plan?.move();
    } catch (error) {
      if (!isConnectionLost(error)) putBack();
      throw failed("delete", error);
    }
    const errors: unknown[] = [];
    for (const [index, { path }] of gone.entries()) {
      try {
        await deleteVolume(host, path);
      } catch (error) {
        if (isConnectionLost(error)) throw error; // the rest goes when libvirt answers again
        if (error instanceof LibvirtError && error.code === VIR_ERR.NO_STORAGE_VOL) continue;
        errors.push(error);
        if (index > 0) continue;
        // Nothing is gone yet.
        putBack();
        break;
      }
    }
    if (errors.length > 0) throw failed("delete", errors[0]);
  });
  return { bin: plan === undefined ? null : receiptOf(plan.entry) };
}
