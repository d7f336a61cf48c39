/** The commands on consoles. */
import type { CommandName, consoleCommands } from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import type { VmServices } from "../vm/services.ts";
import type { Consoles } from "./consoles.ts";
import { giveViewerFile } from "./viewer_file.ts";

type ConsoleHandlers = Pick<Handlers, Extract<CommandName, keyof typeof consoleCommands>>;

/** A handler for each command on consoles. */
export function consoleHandlers(services: VmServices, consoles: Consoles): ConsoleHandlers {
  return {
    open_console: (input, { principal }) => consoles.open(input, principal),
    get_viewer_file: ({ vmId }, { principal }) => giveViewerFile(services, vmId, principal),
  };
}
