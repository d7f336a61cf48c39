/** Outside MCP servers: one by the official SDK, and those that hang, answer nonsense, or more than anybody reads. */
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { ContractError } from "../../lib/contract/errors.ts";
import { OutsideServers } from "./servers.ts";
import type { StoredTool } from "./records.ts";

/** Serves at loopback. @returns the tool that stands for it */
async function served(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const tool: StoredTool = {
    id: "mcp\nx",
    name: "x",
    tool_type: "mcp",
    description: "",
    enabled: true,
    arguments: [],
    parameters: [],
    steps: [],
    url: `http://127.0.0.1:${port}/mcp`,
    privateAddresses: true,
  };
  return {
    tool,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

/** A server of the SDK, with a session for each client. */
function sdkServer(): { listener: RequestListener; heads: string[] } {
  const heads: string[] = [], sessions = new Map<string, StreamableHTTPServerTransport>();
  const begin = async () => {
    const mcp = new McpServer({ name: "outside", version: "1.0.0" });
    const text = (text: string) => ({ content: [{ type: "text" as const, text }] });
    mcp.registerTool("clock", { description: "the time" }, () => text("noon"));
    mcp.registerTool("long", { description: "much" }, () => text("é".repeat(300_000)));
    mcp.registerTool("fails", { description: "not" }, () => ({ ...text("no disk"), isError: true }));
    mcp.registerTool("picture", { description: "both" }, () => ({
      content: [{ type: "image", data: "AAAA", mimeType: "image/png" }, { type: "text", text: "a picture" }],
    }));
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => crypto.randomUUID(),
      onsessioninitialized: (id: string) => void sessions.set(id, transport),
    });
    await mcp.connect(transport as Parameters<McpServer["connect"]>[0]);
    return transport;
  };
  return {
    heads,
    listener: (request, response) => {
      heads.push(`${request.method} ${request.headers.authorization ?? "-"}`);
      const id = String(request.headers["mcp-session-id"] ?? ""), known = sessions.get(id);
      void (async () => await (known ?? await begin()).handleRequest(request, response))();
    },
  };
}

/** The reason for which a call failed. */
async function reasonOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return "done";
  } catch (error) {
    assert.ok(error instanceof ContractError && error.code === "ToolFailed", String(error));
    return error.message;
  }
}

Deno.test("Outside MCP servers: one by the SDK lists its tools and is called, with its token, and the session ends", async () => {
  const { listener, heads } = sdkServer();
  await using at = await served(listener);
  const servers = new OutsideServers(), tool = { ...at.tool, secret: "its-token" };
  const listed = await servers.list(tool);
  assert.deepEqual(listed.map(({ name, description }) => [name, description]), [
    ...[["clock", "the time"], ["long", "much"], ["fails", "not"], ["picture", "both"]],
  ]);
  assert.equal(JSON.parse(listed[0]!.input_schema).type, "object");
  assert.deepEqual(await servers.call(tool, "clock", {}), {
    untrusted: true,
    is_error: false,
    text: "noon",
    truncated: false,
  });
  const long = await servers.call(tool, "long", {});
  assert.deepEqual([long.text.length, long.truncated], [100_000, true]);
  const failed = await servers.call(tool, "fails", {});
  assert.deepEqual([failed.is_error, failed.text], [true, "no disk"]);
  assert.equal((await servers.call(tool, "picture", {})).text, "(image)\na picture");
  const unknown = await servers.call(tool, "none", {}).then(
    ({ is_error, text }) => `${is_error} ${text}`,
    String,
  );
  assert.match(unknown, /none/);
  assert.ok(heads.every((head) => head.endsWith("Bearer its-token")), JSON.stringify(heads));
  assert.equal(heads.filter((head) => head.startsWith("DELETE")).length, 6, "each session is ended");
  servers.stop();
});

Deno.test("Outside MCP servers: one that hangs is given up in time, wherever it hangs, and two calls wait at most", async () => {
  const hangs: readonly RequestListener[] = [
    () => {},
    (_request, response) =>
      void response.writeHead(200, { "content-type": "application/json" }).flushHeaders(),
    (_request, response) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const timer = setInterval(() => response.write(": still there\n\n"), 50);
      response.on("close", () => clearInterval(timer));
    },
  ];
  for (const hang of hangs) {
    await using at = await served(hang);
    const servers = new OutsideServers(undefined, 700), began = performance.now();
    const calls = [servers.list(at.tool), servers.call(at.tool, "x", {})].map(reasonOf);
    await assert.rejects(servers.list(at.tool), { code: "TooManyRequests" });
    for (const reason of await Promise.all(calls)) assert.match(reason, /within 0\.7 seconds/);
    assert.ok(performance.now() - began < 4000, String(performance.now() - began));
    // Its places are free again
    assert.match(await reasonOf(servers.list(at.tool)), /within 0\.7 seconds/);
    servers.stop();
  }
});

Deno.test("Outside MCP servers: nonsense is an error of the tool, in a line", async () => {
  const answers: readonly [type: string, body: string, status: number][] = [
    ["text/html", "<h1>hello</h1>", 200],
    ["application/json", "{", 200],
    ["application/json", "null", 200],
    ["application/json", JSON.stringify({ jsonrpc: "2.0", id: 0, result: { tools: 5 } }), 200],
    ["application/json", "\u0000\ud800".repeat(100), 200],
    ["text/event-stream", "event: message\ndata: {]\n\n", 200],
    ["text/plain", "no\r\nway\u0007".repeat(1000), 500],
    ["application/json", "{}", 302],
  ];
  for (const [type, body, status] of answers) {
    await using at = await served((_request, response) => {
      response.writeHead(status, { "content-type": type, location: "http://169.254.169.254/" });
      response.end(body);
    });
    const servers = new OutsideServers(undefined, 2000), reason = await reasonOf(servers.list(at.tool));
    assert.notEqual(reason, "done", body.slice(0, 40));
    assert.ok(reason.length < 500, reason);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(reason, /[\u0000-\u001f\u007f]/);
    servers.stop();
  }
});

Deno.test("Outside MCP servers: an answer of 100 MB ends at one, and is not held", async () => {
  const piece = new Uint8Array(1_048_576).fill(0x61);
  for (const type of ["application/json", "text/event-stream"]) {
    let sent = 0;
    await using at = await served((_request, response) => {
      response.writeHead(200, { "content-type": type });
      if (type === "text/event-stream") response.write("data: ");
      const send = () => {
        while (sent < 100 && !response.destroyed) {
          sent++;
          if (!response.write(piece)) return void response.once("drain", send);
        }
        response.end();
      };
      send();
    });
    const servers = new OutsideServers(undefined, 20_000), before = Deno.memoryUsage().rss;
    const reason = await reasonOf(servers.list(at.tool));
    assert.match(reason, /longer than 1048576 bytes/, type);
    assert.ok(sent < 100, `${type}: ${sent} MB were taken`);
    assert.ok(Deno.memoryUsage().rss - before < 100 * 1024 * 1024, type);
    servers.stop();
  }
});
