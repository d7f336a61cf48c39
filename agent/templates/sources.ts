/** Sources of a version of a template: a VM that is off, or a disk image or an empty disk with a configuration. */
import { ContractError, type Input, type Role, type VmConfig } from "../../lib/contract/mod.ts";
import { newDomainXml } from "../../lib/formats/xml/new_domain.ts";
import { summarizeDomain } from "../../lib/formats/xml/domain.ts";
import { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { sealDefinition } from "../../lib/template/definition.ts";
import { GIB } from "../../lib/text/byte_units.ts";
import type { NewVm } from "../../lib/formats/xml/new_vm.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import type { Operation } from "../operations/operation.ts";
import { copyEnlarged } from "../storage/copy.ts";
import { copySource } from "../storage/copy_source.ts";
import { requireActiveNow } from "../storage/shared.ts";
import { requireRoom, requireWithin, requireWritable } from "../storage/volume_checks.ts";
import { makeVolume } from "../storage/volume_steps.ts";
import { createVolume, defaultPool, keepsFiles } from "../storage/volumes.ts";
import { type CreateServices, decide } from "../vm/create/facts.ts";
import { requireOff } from "../vm/lifecycle/rename.ts";
import { makeVersion, planVersion, type VersionMarks } from "./make.ts";
import type { StoredVersion } from "./records.ts";
import { sealDisks, type SealingHost } from "./seal.ts";
import { isMessage, message, type Sentence } from "../../lib/i18n/message.ts";

/** Makes what was planned, each volume a step of the operation. */
export type MakeVersion = (
  marks: VersionMarks,
  job: JobHandle,
  operation: Operation,
) => Promise<StoredVersion>;

/** Host on which a version is made. */
export interface SourceHost extends SealingHost {
  /** Dependencies of creating a new VM of an image. */
  readonly create: CreateServices;
}

/** Source of a version. */
export interface VersionSource {
  readonly name: string;
  readonly vmId?: string;
  /** Keeps it as it is while something works with it. */
  hold(work: () => Promise<void>): Promise<void>;
  /** Decides on everything, before anything is made. @throws {ContractError} */
  plan(): Promise<MakeVersion>;
}

/** The fields of commands that say it. */
export type SourceRequest = Pick<
  Input<"create_template">,
  "vmId" | "image" | "backingFile" | "pool" | "diskSizeGb" | "seal" | typeof CONFIG[number]
>;

/** Fields of a new VM that are said of an image or an empty disk. */
const CONFIG = ["osType", "osVariant", "cpuCount", "memoryMb", "firmware", "tpm", "network"] as const;
/** Those that have no meaning with a VM. */
const OF_IMAGE = ["backingFile", "diskSizeGb", ...CONFIG] as const;
/** Fields of a new VM's configuration → the command's own fields, for errors. */
const FIELDS: readonly (readonly [part: string, field: string])[] = [
  ["disks.0.sizeGb", "diskSizeGb"],
  ["disks.0.path", "image"],
  ["disks.0.backingFile", "backingFile"],
  ["disks.0.pool", "pool"],
];

const invalid = (field: string, reason: Sentence) =>
  new ContractError("InvalidInput", { field, reason: message`${field} ${reason}` });

/** Source by the fields of a command; undefined where they name none. @throws {ContractError} InvalidInput */
export function sourceOf(on: SourceHost, wish: SourceRequest, role: Role): VersionSource | undefined {
  const { vmId, image, pool, diskSizeGb, backingFile, seal = [] } = wish;
  if (image !== undefined) {
    if (vmId !== undefined) throw invalid("image", "cannot be given together with vmId");
    return diskSource(on, wish, role);
  }
  if (vmId === undefined && diskSizeGb !== undefined) {
    if (backingFile !== undefined) throw invalid("backingFile", "is of an image");
    if (seal.length > 0) throw invalid("seal", "is of a guest: there is none on an empty disk");
    return diskSource(on, wish, role);
  }
  const stray = OF_IMAGE.find((field) => wish[field] !== undefined);
  if (stray !== undefined) {
    throw invalid(
      stray,
      vmId === undefined
        ? "is of an image, or of an empty disk of diskSizeGb"
        : "is of an image: a VM is taken as it is",
    );
  }
  if (vmId !== undefined) return vmSource(on, vmId, pool);
  if (pool !== undefined) {
    throw invalid("pool", "is of a new version: say of what it is made, by vmId or image");
  }
}

function vmSource(on: SourceHost, vmId: string, pool: string | undefined): VersionSource {
  const { host } = on;
  const vm = host.requireVm(vmId);
  return {
    name: vm.name,
    vmId: vm.id,
    hold: (work) => {
      requireOff(host, vm);
      return host.claims.operate(vm, "being copied", work);
    },
    plan: async () => {
      const plan = await planVersion(host, vm, { pool });
      return (marks, job, operation) => makeVersion(on, plan, marks, job, operation);
    },
  };
}

/** The error with the names of the command's own fields. */
function ownFields(error: ContractError): ContractError {
  const rename = (value: unknown): unknown =>
    typeof value === "string"
      ? FIELDS.reduce((text, [part, field]) => text.replaceAll(part, field), value)
      : isMessage(value)
      ? {
        $text: value.$text,
        args: Object.fromEntries(Object.entries(value.args).map(([name, each]) => [name, rename(each)])),
      }
      : value;
  const details = Object.entries(error.details ?? {}).map(([name, value]) => [name, rename(value)] as const);
  return new ContractError(error.code, Object.fromEntries(details), { cause: error });
}

/** Of an image, or of an empty disk where there is none. */
function diskSource(on: SourceHost, wish: SourceRequest, role: Role): VersionSource {
  const { host } = on;
  const { image, backingFile, diskSizeGb } = wish;
  const name = image ?? `an empty disk of ${diskSizeGb} GiB`;
  return {
    name,
    hold: (work) => work(),
    plan: async () => {
      const pool = await goalOf(host, wish.pool);
      const config: VmConfig = {
        // Not of the user: a VM that is made of it has a name of its own.
        name: `image-${crypto.randomUUID()}`,
        ...Object.fromEntries(
          CONFIG.map((field) => [field, wish[field]]).filter(([, value]) => value !== undefined),
        ),
        disks: [{
          ...image === undefined ? { format: "qcow2" } : { path: image, copyAs: "qcow2" },
          pool,
          ...(backingFile !== undefined && { backingFile }),
          ...(diskSizeGb !== undefined && { sizeGb: diskSizeGb }),
        }],
      };
      const { vm, findings } = await decide(on.create, config, { role, held: undefined });
      if (findings.first !== undefined) throw ownFields(findings.first);
      return (marks, job, operation) => makeOfDisk(on, { vm, source: name, pool }, marks, job, operation);
    },
  };
}

/** The pool that the copy goes into: VMs are built on it. @throws {ContractError} */
async function goalOf(host: LibvirtHost, wanted: string | undefined): Promise<string> {
  const pool = wanted ?? await defaultPool(host.link);
  await requireActiveNow(host, pool);
  await requireWritable(host, pool);
  if (!await keepsFiles(host.link, pool)) {
    throw invalid(
      "pool",
      message`must keep files: VMs are built on a template's disks, and ${pool} keeps none`,
    );
  }
  return pool;
}

/** Copies an image, or makes an empty disk, and writes down what VMs of it are like. */
async function makeOfDisk(
  on: SourceHost,
  { vm, source, pool }: { readonly vm: NewVm; readonly source: string; readonly pool: string },
  { prefix, version, createdAt, createdBy, role, seal }: VersionMarks,
  job: JobHandle,
  operation: Operation,
): Promise<StoredVersion> {
  const { host } = on, { link } = host;
  const [disk] = vm.disks, { copyOf, target, sizeGb } = disk!;
  using held = new DisposableStack();
  const name = `${prefix}-v${version}-${target}.qcow2`;
  held.use(host.locks.take(pool, name, { hold: "make" }));
  const copied = async (image: NonNullable<typeof copyOf>) => {
    const source = await copySource(host, image, role, held);
    await requireWithin(host, source.volume);
    await requireRoom(host, pool, source.volume.allocation);
    return () => copyEnlarged(link, { source, pool, name, format: "qcow2" }, sizeGb, job);
  };
  const make = copyOf === undefined
    ? () => createVolume(link, pool, { name, capacity: (sizeGb ?? 0) * GIB, allocation: 0, format: "qcow2" })
    : await copied(copyOf);
  const made = await makeVolume(link, operation, { pool, name }, make);
  const { path, capacity, allocation } = made;
  const disks = [{ target, pool, volume: name, path, capacityBytes: capacity, allocationBytes: allocation }];
  await sealDisks(on, disks, seal, job);
  job.signal.throwIfAborted();
  const document = new XmlDocument(
    newDomainXml({ ...vm, screenPassword: undefined, disks: [{ ...disk!, source: { path, type: "file" } }] }),
  );
  sealDefinition(document);
  const xml = document.toString();
  const { cpuCount, memoryMb, firmware, osType, osVariant } = summarizeDomain(xml);
  return {
    version,
    createdAt,
    createdBy,
    source,
    cpuCount,
    memoryMb,
    firmware,
    disks,
    xml,
    ...(osType !== undefined && { osType }),
    ...(osVariant !== undefined && { osVariant }),
  };
}
