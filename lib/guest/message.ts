/** Messages of the guest agent's protocol: JSON-RPC 2.0, one object a line. Pure. */
import { parseJson } from "../text/json.ts";

/** A message of an agent; `invalid` for an unknown one. */
export type AgentMessage =
  | { readonly kind: "result"; readonly id: AgentId; readonly result: unknown }
  | { readonly kind: "error"; readonly id: AgentId | null; readonly code: number; readonly message: string }
  | { readonly kind: "notification"; readonly method: string; readonly params: unknown }
  | { readonly kind: "invalid" };

/** Id that an answer has in common with its request. */
export type AgentId = number | string;

const INVALID: AgentMessage = { kind: "invalid" };
/** Letters of an error's text that are kept. */
const LONGEST_MESSAGE = 2000;

const encoder = new TextEncoder();

/** The line that asks for something. */
export function encodeRequest(id: AgentId, method: string, params: object): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
}

/** The line of a command without an answer. */
export function encodeNotification(method: string, params: object): Uint8Array<ArrayBuffer> {
  return encoder.encode(`${JSON.stringify({ jsonrpc: "2.0", method, params })}\n`);
}

const isId = (id: unknown): id is AgentId =>
  typeof id === "string" || (typeof id === "number" && Number.isSafeInteger(id));

/** Reads a line. */
export function decodeMessage(line: Uint8Array): AgentMessage {
  let value: unknown;
  try {
    value = parseJson(new TextDecoder("utf-8", { fatal: true }).decode(line));
  } catch {
    return INVALID; // no UTF-8, no JSON, or nested without end
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return INVALID;
  const has = (name: string) => Object.hasOwn(value, name);
  const { jsonrpc, id, method, params, result, error } = value as Record<string, unknown>;
  if (!has("jsonrpc") || jsonrpc !== "2.0") return INVALID;
  if (has("method")) {
    return typeof method === "string" && !has("id") ? { kind: "notification", method, params } : INVALID;
  }
  if (has("result") === has("error")) return INVALID;
  if (has("result")) return isId(id) ? { kind: "result", id, result } : INVALID;
  if (typeof error !== "object" || error === null || !(id === null || isId(id))) return INVALID;
  const { code, message } = error as Record<string, unknown>;
  if (!Number.isSafeInteger(code) || typeof message !== "string") return INVALID;
  return { kind: "error", id, code: code as number, message: message.slice(0, LONGEST_MESSAGE) };
}
