/** Errors: the door for programs that speak MCP. */
import type { ErrorKind } from "./kind.ts";

export const MCP_ERRORS = {
  McpOff: {
    text:
      "MCP is switched off. An administrator can switch it on: Settings, MCP, or kvm-manager mcp-access set.",
    status: 403,
    exit: 6,
  },
  McpReadOnly: {
    text: "MCP may only read here. An administrator can allow changes: Settings, MCP.",
    status: 403,
    exit: 6,
  },
  McpSessionNotFound: {
    text: "This MCP session has ended. Begin another one with initialize.",
    status: 404,
    exit: 4,
  },
  McpNotOffered: { text: "{command} is not carried out by MCP: {reason}", status: 403, exit: 6 },
  PlanNotFound: {
    text:
      "No plan of this session has this digest: it was carried out, is older than {minutes} minutes, or is " +
      "another session's. Make another plan.",
    status: 404,
    exit: 4,
  },
  PlanOutdated: {
    text: "What {command} is about has changed since the plan was made. Nothing was done. Make another plan.",
    status: 409,
    exit: 5,
  },
} as const satisfies Record<string, ErrorKind>;
