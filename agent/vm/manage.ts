/** The commands that manage VMs whole. */
import type { manageCommands } from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import { cloneVm } from "./lifecycle/clone.ts";
import { deletePlan } from "./lifecycle/delete_plan.ts";
import { exportVm } from "./lifecycle/export.ts";
import { importVm } from "./lifecycle/import.ts";
import { renameVm } from "./lifecycle/rename.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { checkVmXml, setVmXml } from "./xml.ts";

/** A handler for each of them. */
export function manageHandlers(host: LibvirtHost): Pick<Handlers, keyof typeof manageCommands> {
  return {
    check_vm_xml: (input) => checkVmXml(host, input),
    set_vm_xml: (input) => setVmXml(host, input),
    rename_vm: (input, { principal }) => renameVm(host, input, principal.name),
    clone_vm: (input, { principal }) => cloneVm(host, input, principal),
    export_vm: (input, context) => exportVm(host, input, context),
    import_vm: (input, { principal }) => importVm(host, input, principal.name),
    get_delete_plan: ({ vmId }) => deletePlan(host, vmId),
  };
}
