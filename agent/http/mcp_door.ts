/** `/mcp`: MCP as streamable HTTP. An API token opens it, or the socket; no session of a browser. */
import { ContractError } from "../../lib/contract/errors.ts";
import { parseJson } from "../../lib/text/json.ts";
import { type McpMessage, messageIn, MOST_MESSAGE, RPC_CODES } from "../../lib/mcp/protocol.ts";
import type { Caller } from "../access/mod.ts";
import type { Application } from "../app.ts";
import { log } from "../log.ts";
import { readBody, requireUnencoded } from "./body.ts";
import { errorResponse } from "./guard.ts";
import { requireQuery } from "./rest.ts";

/** Methods that the door answers. A GET would open a stream of what the server says by itself: it says nothing. */
const ALLOW = "POST, DELETE";

/** Codes of errors that are of a message itself. */
const RPC_OF: Readonly<Partial<Record<ContractError["code"], number>>> = {
  InvalidJson: RPC_CODES.parse,
  InvalidInput: RPC_CODES.invalid,
  BodyTooLarge: RPC_CODES.invalid,
};

/** An error as JSON-RPC has it, with the status and heads it has at every door. */
function rpcResponse(
  error: ContractError,
  { id = null }: { readonly id?: string | number | null } = {},
): Response {
  const plain = errorResponse(error), headers = new Headers(plain.headers);
  if (error.code === "MethodNotAllowed") headers.set("allow", ALLOW);
  const { code: name, message, details } = error.toJSON();
  const code = RPC_OF[name] ?? RPC_CODES.failed;
  const data = { code: name, ...(details !== undefined && { details }) };
  return new Response(JSON.stringify({ jsonrpc: "2.0", id, error: { code, message, data } }), {
    status: plain.status,
    headers,
  });
}

/** The message of a request. @throws {ContractError} EncodedBody, BodyTooLarge, BodyTimeout, InvalidJson, InvalidInput */
async function messageOf(request: Request): Promise<McpMessage> {
  requireUnencoded(request.headers);
  const text = await readBody(request, MOST_MESSAGE);
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.slice(0, 200) : "";
    throw new ContractError("InvalidJson", { reason }, { cause });
  }
  if (messageIn(value) === undefined) {
    throw new ContractError("InvalidInput", { reason: "one message of JSON-RPC 2.0 is expected, an object" });
  }
  return value as McpMessage;
}

/** Answers a request of a program that speaks MCP. */
export async function answerMcp(
  { access, mcp }: Application,
  request: Request,
  caller: Caller,
): Promise<Response> {
  let message: McpMessage | undefined;
  try {
    const door = mcp.get(), principal = access.identify(request, caller);
    // Before anything is read: whoever is not let in sends no bodies
    door.admit(principal);
    requireQuery(request, ["host"]);
    if (request.method === "DELETE") {
      door.end(request, principal);
      return new Response(null, { status: 204 });
    }
    if (request.method !== "POST") {
      throw new ContractError("MethodNotAllowed", {
        method: request.method,
        path: new URL(request.url).pathname,
      });
    }
    message = await messageOf(request);
    const on = new URL(request.url).searchParams.get("host") || undefined;
    return await door.answer({ request, message, on }, principal);
  } catch (error) {
    if (error instanceof ContractError) return rpcResponse(error, message);
    log.error("a request by MCP failed unexpectedly", { error });
    return rpcResponse(new ContractError("Internal", undefined, { cause: error }), message);
  }
}
