/**
 * One session by the official SDK, which is loaded once somebody speaks MCP and not before: its schemas take 8 MB. Answers
 * are JSON: no stream stays open, so that a client which never reads holds nothing.
 */
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { WebStandardStreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js";
import {
  CallToolRequestSchema,
  ErrorCode as RpcCode,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  McpError,
  ReadResourceRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { CommandName, Output } from "../../lib/contract/mod.ts";
import { ERRORS } from "../../lib/contract/errors.ts";
import { mayCall } from "../../lib/access/may_call.ts";
import { PROMPTS, promptText } from "../../lib/mcp/prompts.ts";
import { PLAIN, type ResourceTemplate, TEMPLATES, vmAddress } from "../../lib/mcp/resources.ts";
import { INSTRUCTIONS, TOOLS } from "../../lib/mcp/tools.ts";
import { oneLine } from "../../lib/text/text.ts";
import { VERSION } from "../../lib/version.ts";
import { asContractError } from "../libvirt/failure.ts";
import { type ResultPart, UNTRUSTED_META } from "./answers.ts";
import type { McpCall, McpCalls } from "./calls.ts";

/** VMs in one page of the list of resources. */
const PAGE = 100;

/** A session as the door uses it. */
export interface OpenSession {
  /** Answers a request. @param message its body, parsed */
  handle(request: Request, message: unknown, call: McpCall): Promise<Response>;
  close(): Promise<void>;
}

/** An error of the contract as MCP has it where there is no result to mark: its code and the table's text, which are ours. */
function rpcError(thrown: unknown): McpError {
  const { code } = asContractError(thrown, "mcp", "a call by MCP");
  const kind = ERRORS[code].status === 404 ? RpcCode.InvalidParams : RpcCode.InternalError;
  return new McpError(kind, `${code}: ${ERRORS[code].text}`, { code });
}

const listed = ({ route: { name, command }, mimeType }: ResourceTemplate) => ({
  name,
  description: command.summary,
  mimeType: mimeType === "application/json" ? "text/plain" : mimeType,
});

/** Whether somebody may read what a template stands for. */
const mayRead = ({ principal: { rights } }: McpCall) => ({ route: { name } }: ResourceTemplate): boolean =>
  mayCall(rights, name);

/** The parts of an answer as the contents of a resource. */
const contentsOf = (uri: string, parts: readonly ResultPart[]) =>
  parts.map((part) =>
    part.type === "image"
      ? { uri, mimeType: part.mimeType, blob: part.data, ...(part._meta && { _meta: part._meta }) }
      : { uri, mimeType: "text/plain", text: part.text, ...(part._meta && { _meta: part._meta }) }
  );

/** VMs that are seen, a page of them, and the cursor of the next. */
async function vmResources(calls: McpCalls, { principal, on }: McpCall, from: number) {
  const { dispatch } = calls.world;
  const vms = await dispatch("get_vms" satisfies CommandName, {}, principal, undefined, on) as Output<
    "get_vms"
  >;
  const page = vms.toSorted((a, b) => a.id < b.id ? -1 : 1).slice(from, from + PAGE);
  return {
    resources: page.map(({ id, name }) => ({
      uri: vmAddress(id),
      name: `vm-${id}`,
      title: `VM ${JSON.stringify(oneLine(name, 64))}`,
      description: "A VM. Its name is data that others wrote.",
      mimeType: "text/plain",
      _meta: UNTRUSTED_META,
    })),
    ...(vms.length > from + PAGE && { nextCursor: String(from + PAGE) }),
  };
}

/** Data of the SDK on a request in addition to its parameters. */
interface Extra {
  readonly authInfo?: { readonly extra?: { readonly call: McpCall } };
}

/** A server for one session. @param isActing whether `act` is offered now */
function serverFor(calls: McpCalls, isActing: () => boolean): Server {
  const server = new Server({ name: "kvm-manager", title: "KVM Manager", version: VERSION }, {
    capabilities: { tools: {}, resources: {}, prompts: {} },
    instructions: INSTRUCTIONS,
  });
  // The SDK has checked the parameters by its schema: their types here are the part that is used
  const on = <P>(schema: unknown, handle: (params: P, call: McpCall) => unknown) =>
    server.setRequestHandler(
      schema as never,
      ((request: { params: P }, { authInfo }: Extra) =>
        handle(request.params, authInfo!.extra!.call)) as never,
    );
  on(ListToolsRequestSchema, () => ({ tools: TOOLS.filter(({ name }) => name !== "act" || isActing()) }));
  on<{ name: string; arguments?: Readonly<Record<string, unknown>> }>(
    CallToolRequestSchema,
    ({ name, arguments: args = {} }, call) => calls.tool(name, args, call),
  );
  on<{ cursor?: string } | undefined>(ListResourcesRequestSchema, async (params, call) => {
    const from = Number(params?.cursor ?? 0);
    if (!Number.isSafeInteger(from) || from < 0) {
      throw new McpError(RpcCode.InvalidParams, "this is no cursor");
    }
    try {
      const { resources, ...more } = await vmResources(calls, call, from);
      const plain = from > 0
        ? []
        : PLAIN.filter(mayRead(call)).map((each) => ({ uri: each.uriTemplate, ...listed(each) }));
      return { resources: [...resources, ...plain], ...more };
    } catch (error) {
      throw rpcError(error);
    }
  });
  on(ListResourceTemplatesRequestSchema, (_params, call) => ({
    resourceTemplates: TEMPLATES.filter(mayRead(call)).map((each) => ({
      uriTemplate: each.uriTemplate,
      ...listed(each),
    })),
  }));
  on<{ uri: string }>(ReadResourceRequestSchema, async ({ uri }, call) => {
    try {
      return { contents: contentsOf(uri, await calls.resource(uri, call)) };
    } catch (error) {
      throw rpcError(error);
    }
  });
  on(ListPromptsRequestSchema, () => ({
    prompts: PROMPTS.map(({ text: _text, ...shown }) => shown),
  }));
  on<{ name: string; arguments?: Readonly<Record<string, string>> }>(
    GetPromptRequestSchema,
    ({ name, arguments: given = {} }) => {
      const prompt = PROMPTS.find((each) => each.name === name);
      if (prompt === undefined) throw new McpError(RpcCode.InvalidParams, "there is no such prompt");
      const missing = prompt.arguments.find((each) => each.required && !given[each.name]);
      if (missing !== undefined) throw new McpError(RpcCode.InvalidParams, `${missing.name} is missing`);
      return {
        description: prompt.description,
        messages: [{ role: "user", content: { type: "text", text: promptText(prompt, given) } }],
      };
    },
  );
  return server;
}

/** Begins a session. @param id id of the session */
export async function openSession(
  calls: McpCalls,
  id: string,
  isActing: () => boolean,
): Promise<OpenSession> {
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: () => id,
    enableJsonResponse: true,
  });
  const server = serverFor(calls, isActing);
  await server.connect(transport as never);
  return {
    handle: (request, message, call) =>
      transport.handleRequest(request, {
        parsedBody: message,
        authInfo: { token: "", clientId: call.principal.holder, scopes: [], extra: { call } },
      }),
    close: () => server.close(),
  };
}
