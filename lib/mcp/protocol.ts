/** Constants of the MCP (Model Context Protocol) interface: its address, its headers, its limits. Pure. */

/** Path of its only endpoint. */
export const MCP_PATH = "/mcp";
/** The head that names a session. */
export const SESSION_HEADER = "mcp-session-id";
/** Bytes of the largest message. */
export const MOST_MESSAGE = 1024 * 1024;
/** Minutes for which a plan can be carried out. */
export const PLAN_MINUTES = 5;

/** A message of a client, as far as the door looks into it. */
export interface McpMessage {
  readonly id?: string | number;
  readonly method?: string;
}

/** Codes of JSON-RPC for what is wrong with a message itself; `failed` for what an error of the contract says. */
export const RPC_CODES = { parse: -32700, invalid: -32600, failed: -32000 } as const;

/** A parsed value as a message; undefined if it is none, as a batch of several. */
export function messageIn(value: unknown): McpMessage | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const { id, method } = value as Record<string, unknown>;
  const isId = id === undefined || typeof id === "string" || typeof id === "number";
  if (!isId || (method !== undefined && typeof method !== "string")) return undefined;
  return { ...(id !== undefined && { id }), ...(method !== undefined && { method }) };
}
