/** The commands on templates. */
import { may } from "../../lib/access/rights.ts";
import type { Template, templateCommands } from "../../lib/contract/mod.ts";
import type { Principal } from "../access.ts";
import type { Handlers } from "../dispatch.ts";
import {
  createTemplate,
  deleteTemplate,
  requireTemplate,
  type TemplateContext,
  updateTemplate,
} from "./change.ts";
import { createVms } from "./create_vms.ts";
import type { StoredTemplate, StoredVersion } from "./records.ts";

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
      if (vm === undefined || !may(rights, "vms.view", { vmId, group: vm.group })) return [];
      return [{ vmId, name: vm.name, version, linked, createdAt }];
    });
  const shown = (template: StoredTemplate, principal: Principal): Template => {
    const { id, name, description, createdAt, versions } = template;
    return {
      id,
      name,
      description,
      createdAt,
      versions: versions.map(versionOf).reverse(),
      vms: vmsOf(id, principal),
    };
  };
  return {
    list_templates: (_input, { principal }) => {
      records.require();
      return records.of(host.id).map((each) => shown(each, principal));
    },
    get_template: ({ templateId }, { principal }) => shown(requireTemplate(context, templateId), principal),
    create_template: async (input, { principal }) =>
      shown(await createTemplate(context, input, principal), principal),
    update_template: async (input, { principal }) =>
      shown(await updateTemplate(context, input, principal), principal),
    delete_template: (input, { principal }) => deleteTemplate(context, input, principal),
    create_vm_from_template: (input, { principal }) => createVms(context, input, principal),
  };
}
