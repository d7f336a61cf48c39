/** Access to KVM Manager by MCP, the Model Context Protocol: its settings and its sessions. */
import Type, { type Static } from "typebox";
import { command, ROLES } from "./command.ts";
import { closed, NOTHING_IN, NOTHING_OUT, oneOf, Timestamp } from "./schema.ts";

const Settings = {
  enabled: Type.Boolean({ description: "programs may speak MCP with this server" }),
  acting: Type.Boolean({ description: "they may change things; else they read and plan" }),
  role: oneOf(ROLES, { description: "the most that a session may, whatever its API token or user may" }),
  callsPerMinute: Type.Integer({
    minimum: 1,
    maximum: 6000,
    description: "of one API token, or of one user at the socket",
  }),
};

export const McpAccess = Type.Object({
  ...Settings,
  sessions: Type.Integer({ description: "sessions that are open" }),
});
export type McpAccess = Static<typeof McpAccess>;

export const McpSession = Type.Object({
  id: Type.String({ description: "begin of what stands for the session: it opens nothing" }),
  actor: Type.String(),
  client: Type.String({ description: "name and version, as the program itself gives them" }),
  address: Type.Union([Type.String(), Type.Null()], { description: "null: the socket of this host" }),
  beganAt: Timestamp,
  lastUsedAt: Timestamp,
  calls: Type.Integer({ description: "since it began" }),
});
export type McpSession = Static<typeof McpSession>;

const ADMINISTER = { role: "administrator", withoutLibvirt: true } as const;

/** Commands on the door itself: none of them is carried out by it. */
export const mcpCommands = {
  get_mcp_access: command({
    ...ADMINISTER,
    summary: "Show whether programs may use MCP, and for what",
    input: NOTHING_IN,
    output: McpAccess,
    errors: ["StoreUnavailable"],
    route: "GET /mcp",
    cli: ["mcp-access", "show"],
    readOnly: true,
  }),
  update_mcp_access: command({
    ...ADMINISTER,
    summary: "Set whether programs may use MCP, and for what",
    description:
      "What is left out stays as it is. Sessions that are open go on by the new settings; switched off, they end.",
    input: closed({
      enabled: Type.Optional(Settings.enabled),
      acting: Type.Optional(Settings.acting),
      role: Type.Optional(Settings.role),
      callsPerMinute: Type.Optional(Settings.callsPerMinute),
    }),
    output: McpAccess,
    errors: ["PasswordNeeded", "StoreUnavailable"],
    route: "PUT /mcp",
    cli: ["mcp-access", "set"],
    examples: ["kvm-manager mcp-access set --enabled", "kvm-manager mcp-access set --acting --role operator"],
    exampleFields: ["enabled"],
    confirms: true,
    readOnly: false,
  }),
  stop_mcp: command({
    ...ADMINISTER,
    summary: "Switch MCP off and end all its sessions at once",
    description: "What a session has begun already is a task, and goes on: it can be cancelled there.",
    input: NOTHING_IN,
    output: NOTHING_OUT,
    errors: ["StoreUnavailable"],
    route: "POST /mcp/stop",
    cli: ["mcp-access", "stop"],
    readOnly: false,
  }),
  list_mcp_sessions: command({
    ...ADMINISTER,
    summary: "List open MCP sessions",
    input: NOTHING_IN,
    output: Type.Array(McpSession),
    errors: [],
    route: "GET /mcp/sessions",
    cli: ["mcp-access", "sessions"],
    columns: ["actor", "client", "address", "beganAt", "lastUsedAt", "calls"],
    wide: ["id"],
    readOnly: true,
  }),
};
