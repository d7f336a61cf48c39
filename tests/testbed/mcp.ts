/** Programs that speak MCP with a server, by the official SDK's client. */
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import assert from "node:assert/strict";
import { MCP_PATH } from "../../lib/mcp/protocol.ts";
import type { Person } from "./people.ts";
import { BINARY_ENV, buildBinary } from "./product_binary.ts";
import type { TestServer } from "./server.ts";

/** One part of a result. */
export interface Part {
  readonly type: string;
  readonly text?: string;
  readonly data?: string;
  readonly mimeType?: string;
  readonly _meta?: Record<string, unknown>;
}

/** Answer to a tool call. */
export interface ToolResult {
  readonly content: readonly Part[];
  readonly isError?: boolean;
}

/** The SDK's types are checked when its code is used, not when ours is. */
interface Speaking {
  listTools(): Promise<{ tools: { name: string; inputSchema: unknown }[] }>;
  callTool(call: { name: string; arguments?: unknown }): Promise<ToolResult>;
  listResources(
    at?: { cursor?: string },
  ): Promise<{ resources: { uri: string; title?: string }[]; nextCursor?: string }>;
  listResourceTemplates(): Promise<{ resourceTemplates: { uriTemplate: string; mimeType?: string }[] }>;
  readResource(
    at: { uri: string },
  ): Promise<{ contents: { mimeType?: string; text?: string; blob?: string }[] }>;
  listPrompts(): Promise<{ prompts: { name: string }[] }>;
  getPrompt(
    asked: { name: string; arguments?: Record<string, string> },
  ): Promise<{ messages: { content: { text: string } }[] }>;
  getServerVersion(): { name: string; version: string } | undefined;
  close(): Promise<void>;
}

/** A session. */
export class McpClient implements AsyncDisposable {
  constructor(readonly client: Speaking, readonly sessionId: () => string | undefined) {}

  /** Calls a tool. */
  async tool(name: string, args: Record<string, unknown> = {}): Promise<ToolResult> {
    return await this.client.callTool({ name, arguments: args });
  }

  /** The data of a tool's result, out of its marks. @throws {AssertionError} for an error, and for data without marks */
  async data(name: string, args: Record<string, unknown> = {}): Promise<unknown> {
    const result = await this.tool(name, args);
    assert.ok(!result.isError, JSON.stringify(result.content));
    return dataIn(result);
  }

  /** Calls a tool. @returns the first text of its result, parsed as JSON @throws {AssertionError} for an error */
  async facts(name: string, args: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const result = await this.tool(name, args);
    assert.ok(!result.isError, JSON.stringify(result.content));
    return JSON.parse(result.content[0]!.text!);
  }

  /** The code of the error that a tool gives. @throws {AssertionError} where it gives none */
  async refusal(name: string, args: Record<string, unknown> = {}): Promise<string> {
    const result = await this.tool(name, args);
    assert.equal(result.isError, true, JSON.stringify(result.content));
    return JSON.parse(result.content[0]!.text!).error;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
  }
}

const MARKED = /<untrusted-data-([0-9a-f]{24})>\n([\s\S]*)\n<\/untrusted-data-\1>$/;

/** The data between the marks of a result. @throws {AssertionError} where there are none */
export function dataIn({ content }: ToolResult): unknown {
  const part = content.find(({ text }) => text !== undefined && MARKED.test(text));
  assert.ok(part, `no marked data in ${JSON.stringify(content)}`);
  assert.equal(part._meta?.["kvm-manager/untrusted"], true);
  return JSON.parse(MARKED.exec(part.text!)![2]!);
}

const PROGRAM = { name: "kvmm-test", version: "1.2.3" };

/** A session over HTTP, by somebody's API token. */
export async function overHttp(
  server: TestServer,
  { headers }: Pick<Person, "headers">,
  program = PROGRAM,
): Promise<McpClient> {
  const client = new Client(program);
  const transport = new StreamableHTTPClientTransport(new URL(server.url + MCP_PATH), {
    requestInit: { headers },
  });
  await client.connect(transport as never);
  return new McpClient(client as never, () => transport.sessionId);
}

/** A session by the packed program's standard input and output. */
export async function overStdio(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<McpClient> {
  const client = new Client(PROGRAM);
  const transport = new StdioClientTransport({
    command: await buildBinary(),
    args: ["mcp", ...args],
    env: { PATH: Deno.env.get("PATH") ?? "", HOME: "/nonexistent", ...BINARY_ENV, ...env },
    stderr: "inherit",
  });
  await client.connect(transport as never);
  return new McpClient(client as never, () => undefined);
}
