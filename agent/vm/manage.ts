/** The commands that manage machines whole. */
import type { manageCommands } from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import { cloneVm } from "./clone.ts";
import { deletePlan } from "./delete_plan.ts";
import { exportVm } from "./export.ts";
import { importVm } from "./import.ts";
import { renameVm } from "./rename.ts";
import type { VmServices } from "./services.ts";
import { checkVmXml, setVmXml } from "./xml.ts";

/** A handler for each of them. */
export function manageHandlers(services: VmServices): Pick<Handlers, keyof typeof manageCommands> {
  return {
    check_vm_xml: (input) => checkVmXml(services, input),
    set_vm_xml: (input) => setVmXml(services, input),
    rename_vm: (input) => renameVm(services, input),
    clone_vm: (input, { principal }) => cloneVm(services, input, principal),
    export_vm: (input, context) => exportVm(services, input, context),
    import_vm: (input) => importVm(services, input),
    get_delete_plan: ({ vmId }) => deletePlan(services, vmId),
  };
}
