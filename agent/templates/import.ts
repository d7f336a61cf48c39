/** Templates that are made of volumes and a definition, as they come from another host: all of it is judged first. */
import { userName } from "../../lib/i18n/message.ts";
import { confineDefinition, confineFiles } from "../../lib/backup/confine.ts";
import { ContractError, type Input, MOST_TEMPLATES } from "../../lib/contract/mod.ts";
import { setDisk } from "../../lib/formats/xml/clone.ts";
import { summarizeDomain } from "../../lib/formats/xml/domain.ts";
import type { XmlDocument } from "../../lib/formats/xml/edit.ts";
import { readDomain } from "../../lib/formats/xml/trial.ts";
import { child, children } from "../../lib/formats/xml/tree.ts";
import { sealDefinition, templateRefusal } from "../../lib/template/definition.ts";
import type { Principal } from "../access.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { checkImage } from "../storage/disk_images/check.ts";
import { requireActive } from "../storage/shared.ts";
import { keepsFiles, type PoolVolume } from "../storage/volumes.ts";
import { findingText } from "../vm/migration/findings.ts";
import { checkIncoming } from "../vm/migration/incoming_checks.ts";
import { requireTemplate, takeName, type TemplateContext } from "./change.ts";
import { MOST_VARIABLES } from "./make.ts";
import type { StoredTemplate, StoredVersion } from "./records.ts";

/** Checks of a VM that is to come which say what VMs of a template would lack here. */
const LACKING: ReadonlySet<string> = new Set([
  ...["arch", "kvm", "machine", "emulator", "firmware", "cpu", "no-network", "network-off", "no-bridge"],
]);

const failed = (error: string) => new ContractError("TemplateFailed", { verb: "import", error });

/** Targets of the disks that a definition has, without drives. */
const targetsOf = (document: XmlDocument) =>
  children(document.find("devices"), "disk").filter(({ attributes: { device = "disk" } }) =>
    device === "disk"
  )
    .map((disk) => child(disk, "target")?.attributes.dev ?? "");

/** A volume that the template is to have: no VM uses it, and it stands alone. @throws {ContractError} */
async function judged(
  host: LibvirtHost,
  at: { readonly pool: string; readonly name: string },
  purpose: "base" | "bytes",
  role: Principal["role"],
  held: DisposableStack,
): Promise<PoolVolume> {
  const format = purpose === "base" ? { format: "qcow2" as const } : {};
  const { volume, uses, backing } = await checkImage(
    host,
    { volume: at, ...format },
    { purpose, role },
    held,
  );
  if (volume === undefined) throw new ContractError("VolumeNotFound", at);
  if (backing[0] !== undefined) throw failed(`${at.name} is built on ${backing[0].path}: clone it first`);
  const [use] = uses;
  const keeper = await host.keepers.of(volume.path);
  if (use !== undefined || keeper !== undefined) {
    const vm = use === undefined ? keeper : userName(use);
    throw new ContractError("VolumeInUse", { ...at, vm });
  }
  return volume;
}

/**
 * Makes a template.
 *
 * @returns with what of its definition was left out, and what VMs of it would lack here @throws {ContractError}
 */
export async function importTemplate(
  context: TemplateContext,
  input: Input<"import_template">,
  { name: createdBy, role }: Principal,
): Promise<{ readonly template: StoredTemplate; readonly warnings: readonly string[] }> {
  const { host, records, now } = context, { name, pool, description = "" } = input;
  records.require();
  if (records.of(host.id).length >= MOST_TEMPLATES) {
    throw new ContractError("TooManyTemplates", { limit: MOST_TEMPLATES, what: "templates" });
  }
  using _name = takeName(context, name);
  requireActive(host, pool);
  if (!await keepsFiles(host.link, pool)) throw failed(`the pool ${pool} keeps no files`);
  const read = readDomain(input.definition);
  if ("fault" in read) throw new ContractError("TemplateRefused", { vm: name, reason: read.fault.message });
  const { document } = read, refusal = templateRefusal(document);
  if (refusal !== undefined) throw new ContractError("TemplateRefused", { vm: name, reason: refusal });
  const warnings = confineDefinition(document, undefined);
  const targets = targetsOf(document), wanted = input.disks.map(({ target }) => target);
  if (new Set(wanted).size !== wanted.length || targets.toSorted().join() !== wanted.toSorted().join()) {
    throw failed(`its definition has the disks ${targets.join(", ")}, not ${wanted.join(", ")}`);
  }
  using held = new DisposableStack();
  const disks: StoredVersion["disks"] = [];
  for (const { target, volume: file } of input.disks) {
    const { path, type, capacity, allocation } = await judged(host, { pool, name: file }, "base", role, held);
    if (type !== "file") throw failed(`${file} is no file`);
    if (disks.some((disk) => disk.path === path)) throw failed(`${file} is named twice`);
    setDisk(document, target, { path, type, format: "qcow2", backing: [] });
    disks.push({ target, pool, volume: file, path, capacityBytes: capacity, allocationBytes: allocation });
  }
  warnings.push(...confineFiles(document, new Set(disks.map(({ path }) => path))));
  const variables = input.variables === undefined
    ? undefined
    : await judged(host, { pool, name: input.variables }, "bytes", role, held);
  if (variables !== undefined && variables.capacity > MOST_VARIABLES) {
    throw failed("the UEFI variables are larger than any firmware's");
  }
  const live = document.toString(), vmId = crypto.randomUUID();
  for (const finding of host.machine === null ? [] : await checkIncoming(host, { vmId, live })) {
    if (LACKING.has(finding.check)) warnings.push(findingText(finding, host.label));
  }
  sealDefinition(document);
  const xml = document.toString(), id = crypto.randomUUID(), createdAt = now();
  const { cpuCount, memoryMb, firmware, osType, osVariant } = summarizeDomain(xml);
  records.put({
    id,
    host: host.id,
    name,
    description,
    createdAt,
    nextVersion: 2,
    versions: [{
      version: 1,
      createdAt,
      createdBy,
      source: input.source ?? name,
      cpuCount,
      memoryMb,
      firmware,
      disks,
      xml,
      ...(osType !== undefined && { osType }),
      ...(osVariant !== undefined && { osVariant }),
      ...(variables !== undefined && { variables: { pool, volume: variables.name, path: variables.path } }),
    }],
  });
  return { template: requireTemplate(context, id), warnings };
}
