/** The commands on VMs of other hypervisors. */
import type { foreignCommands } from "../../../lib/contract/mod.ts";
import type { Handlers } from "../../dispatch.ts";
import { importForeign } from "./import.ts";
import { inspectForeign } from "./inspect.ts";
import type { ForeignServices } from "./model.ts";
import { listForeign } from "./source.ts";

/** A handler for each of them. */
export function foreignHandlers(services: ForeignServices): Pick<Handlers, keyof typeof foreignCommands> {
  return {
    list_foreign_vms: (input, { principal }) => listForeign(services, input, principal),
    inspect_foreign_vm: (input, { principal }) => inspectForeign(services, input, principal),
    import_foreign_vm: (input, { principal }) => importForeign(services, input, principal),
  };
}
