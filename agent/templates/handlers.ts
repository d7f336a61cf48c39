/** The commands on templates. */
import { vmObjectOf } from "../../lib/vm/object.ts";
import { may } from "../../lib/access/rights.ts";
import type { Template, templateCommands } from "../../lib/contract/mod.ts";
import type { Principal } from "../access.ts";
import type { Handlers } from "../dispatch.ts";
import {
  createTemplate,
  deleteTemplate,
  requireTemplate,
  requireVersion,
  type TemplateContext,
  updateTemplate,
} from "./change.ts";
import { importTemplate } from "./import.ts";
import { createVms } from "./create_vms.ts";
import { within } from "../within.ts";
import { statInTime } from "../machine/resolved_path.ts";
import { type StoredTemplate, type StoredVersion, templateVolumes } from "./records.ts";

/** Milliseconds that files are looked at: a list does not wait for a server that does not answer. */
const LOOK_MS = 1500;

/** A version without what is not shown. */
function versionOf(
  { xml: _xml, variables: _variables, ...shown }: StoredVersion,
): Template["versions"][number] {
  return shown;
}

/** A handler for each of them. */
export function templateHandlers(
  context: TemplateContext,
): Pick<Handlers, keyof typeof templateCommands> {
  const { host, records } = context;
  /** The VMs that are still there, and that somebody may see. */
  const vmsOf = (templateId: string, { rights }: Principal): Template["vms"] =>
    records.vmsOf(templateId).flatMap(({ vmId, version, linked, createdAt }) => {
      const vm = host.inventory.vm(vmId);
      if (vm === undefined || !may(rights, "vms.view", { ...vmObjectOf(vm), hostId: host.id })) return [];
      return [{ vmId, name: vm.name, version, linked, createdAt }];
    });
  /** The files of a template that are gone; what cannot be looked at now counts as there. */
  const missingOf = async ({ versions }: StoredTemplate): Promise<string[]> => {
    if (host.machine === null) return [];
    const looks = versions.flatMap(templateVolumes).map(async ({ path }) => {
      const found = await statInTime(path);
      return found === "none" ? [path] : [];
    });
    return (await Promise.all(looks)).flat();
  };
  const shown = async (template: StoredTemplate, principal: Principal): Promise<Template> => {
    const { id, name, description, createdAt, versions } = template;
    let missing: string[] = [];
    await within(LOOK_MS, missingOf(template).then((found) => void (missing = found)));
    return {
      id,
      name,
      description,
      createdAt,
      versions: versions.map(versionOf).reverse(),
      vms: vmsOf(id, principal),
      ...(missing.length > 0 && { missing }),
    };
  };
  return {
    list_templates: async (_input, { principal }) => {
      records.require();
      return await Promise.all(records.of(host.id).map((each) => shown(each, principal)));
    },
    get_template: async ({ templateId }, { principal }) =>
      await shown(requireTemplate(context, templateId), principal),
    export_template: ({ templateId, version }) => {
      const template = requireTemplate(context, templateId), { name, description } = template;
      const found = requireVersion(template, version), { xml: definition, variables } = found;
      return {
        name,
        description,
        version: versionOf(found),
        definition,
        ...(variables !== undefined && { variables: { pool: variables.pool, volume: variables.volume } }),
      };
    },
    import_template: async (input, { principal }) => {
      const { template, warnings } = await importTemplate(context, input, principal);
      return { ...await shown(template, principal), warnings: [...warnings] };
    },
    create_template: async (input, { principal }) =>
      await shown(await createTemplate(context, input, principal), principal),
    update_template: async (input, { principal }) =>
      await shown(await updateTemplate(context, input, principal), principal),
    delete_template: (input, { principal }) => deleteTemplate(context, input, principal),
    create_vm_from_template: (input, { principal }) => createVms(context, input, principal),
  };
}
