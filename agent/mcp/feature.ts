/** Programs that speak MCP: their settings, their sessions. The door itself is loaded once somebody comes by it. */
import type { mcpCommands } from "../../lib/contract/mod.ts";
import { feature } from "../feature.ts";
import { McpDoor } from "./door.ts";
import { mcpHandlers } from "./handlers.ts";
import { MCP_MIGRATIONS, McpSettings } from "./settings.ts";

/** Milliseconds between looks for unused sessions. */
const TIDY_MS = 60_000;

export const mcpFeature = feature<keyof typeof mcpCommands>({
  name: "mcp",
  migrations: MCP_MIGRATIONS,
  open: (app) => {
    const { store, clock, activity, refusals, dispatch, places, access } = app;
    const door = new McpDoor(
      new McpSettings(store),
      {
        ...places,
        dispatch,
        grantedGroups: () => access.accounts.grantedGroups(),
        guardTools: (...call) => app.guardTools.get()(...call),
        refused: ({ name, address, client }, error, input) =>
          refusals.add({
            actor: name,
            door: "mcp",
            action: "mcp-act",
            result: "error",
            message: error.sentence,
            input,
            client,
            ...(address !== "" && { address }),
          }, { code: error.code, isAnonymous: false }),
      },
      activity,
      clock,
    );
    app.mcp.give(door);
    return {
      handlers: mcpHandlers(door),
      periodic: [{
        name: "mcp sessions",
        every: () => TIDY_MS,
        run: () => Promise.resolve(door.sessions.tidy()),
      }],
      stop: () => door.sessions.endAll(),
    };
  },
});
