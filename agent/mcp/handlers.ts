/** The commands on the door for MCP. */
import type { mcpCommands } from "../../lib/contract/mod.ts";
import type { Handlers } from "../dispatch.ts";
import type { McpDoor } from "./door.ts";

/** A handler for each of them. */
export function mcpHandlers(door: McpDoor): Pick<Handlers, keyof typeof mcpCommands> {
  const { settings, sessions } = door;
  const show = () => ({ ...settings.show(), sessions: sessions.size });
  return {
    get_mcp_access: show,
    update_mcp_access: (change) => {
      if (change.enabled === false) door.stop();
      settings.set(change);
      return show();
    },
    stop_mcp: () => {
      door.stop();
      return null;
    },
    list_mcp_sessions: () => sessions.list(),
  };
}
