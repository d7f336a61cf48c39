/** The commands on archives of VMs. */
import type { ovaCommands } from "../../../lib/contract/mod.ts";
import type { Handlers } from "../../dispatch.ts";
import { exportOva } from "./export.ts";
import { importOva } from "./import.ts";
import type { OvaServices } from "./inspect.ts";
import { inspectOva } from "./preview.ts";

/** A handler for each of them. */
export function ovaHandlers(services: OvaServices): Pick<Handlers, keyof typeof ovaCommands> {
  return {
    inspect_ova: (input, { principal }) => inspectOva(services, input, principal),
    import_ova: (input, { principal }) => importOva(services, input, principal),
    export_ova: (input, { principal }) => exportOva(services.host, input, principal),
  };
}
