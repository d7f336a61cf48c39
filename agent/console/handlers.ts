/** The commands on consoles. */
import type { CommandName, consoleCommands } from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { Consoles } from "./consoles.ts";
import { vncTarget } from "./vnc/target.ts";
import { giveViewerFile } from "./viewer_file.ts";

/** Commands that the consoles carry out. */
export type ConsoleCommand = Extract<CommandName, keyof typeof consoleCommands> | "get_vnc_info";
type ConsoleHandlers = Pick<Handlers, ConsoleCommand>;

/** A handler for each command on consoles. */
export function consoleHandlers(host: LibvirtHost, consoles: Consoles): ConsoleHandlers {
  return {
    open_console: (input, { principal }) => consoles.open(input, principal),
    get_vnc_info: ({ vmId }) => vncTarget(host, host.requireVm(vmId)),
    get_viewer_file: ({ vmId }, { principal }) => giveViewerFile(host, vmId, principal),
  };
}
