import assert from "node:assert/strict";
import { McpBridge, messageLines } from "./mcp.ts";
import { ApiError } from "../lib/client/api.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

async function* pieces(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield bytes(text);
}

Deno.test("messageLines() puts lines together, and passes over those that are too long", async () => {
  const lines = await Array.fromAsync(messageLines(pieces("a", "b\nc", "d\n\n", "123456789", "0\nlast"), 8));
  assert.deepEqual(
    lines.map((line) => line === null ? null : new TextDecoder().decode(line)),
    ["ab", "cd", "", null, "last"],
  );
  assert.deepEqual(await Array.fromAsync(messageLines(pieces("123456789"), 8)), [null]);
});

Deno.test("McpBridge reads no more than it has answers for, and writes whole lines one after the other", async () => {
  let open = 0, most = 0, taken = 0;
  const server = {
    host: "kvm 2",
    request: async (path: string) => {
      assert.equal(path, "/mcp?host=kvm%202");
      most = Math.max(most, ++open);
      await new Promise((resolve) => setTimeout(resolve, 1));
      open--;
      return new Response(JSON.stringify({ jsonrpc: "2.0", id: 1, result: {} }), {
        headers: { "mcp-session-id": "s" },
      });
    },
  };
  async function* input() {
    for (; taken < 100; taken++) {
      yield bytes(`${JSON.stringify({ jsonrpc: "2.0", id: taken, method: "ping" })}\n`);
    }
  }
  const written: string[] = [];
  let writing = 0;
  await new McpBridge(server, async (line) => {
    assert.equal(writing++, 0);
    await Promise.resolve();
    writing--;
    written.push(line);
  }).serve(input());
  assert.equal(written.length, 100);
  assert.ok(most <= 8, String(most));
});

Deno.test("McpBridge says as JSON-RPC that a server cannot be reached, or answers no JSON", async () => {
  const say = async (request: () => Promise<Response>) => {
    const written: string[] = [];
    const bridge = new McpBridge(
      { host: undefined, request },
      (line) => Promise.resolve(void written.push(line)),
    );
    await bridge.serve(pieces('{"jsonrpc":"2.0","id":5,"method":"ping"}\n'));
    return written.map((line) => JSON.parse(line));
  };
  const gone = await say(() => Promise.reject(new ApiError("Unreachable", "no server answers")));
  assert.deepEqual(gone, [
    {
      jsonrpc: "2.0",
      id: 5,
      error: { code: -32000, message: "no server answers", data: { code: "Unreachable" } },
    },
  ]);
  const [html] = await say(() => Promise.resolve(new Response("<html>", { status: 502 })));
  assert.equal(html.error.data.code, "BadAnswer");
});
