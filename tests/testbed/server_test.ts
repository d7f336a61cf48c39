/** The harness against a stub that keeps the product's contract, for the product's own tests to rely on. */
import assert from "node:assert/strict";
import { CallError, startServer } from "./server.ts";
import { exists } from "./process.ts";

/** Serves what the harness asks for. `--deaf`: ignores SIGTERM. */
const STUB = `
const events = 'id: 1\\nevent: activity\\ndata: {"n":1}\\n\\n';
Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.error("listening on http://127.0.0.1:" + port) }, async (request) => {
  const { pathname } = new URL(request.url);
  if (pathname === "/api/v1/connection") return Response.json({ connected: true });
  if (pathname === "/api/v1/events") return new Response(events, { headers: { "content-type": "text/event-stream" } });
  if (pathname === "/api/v1/commands/echo") return Response.json({ input: await request.json(), args: Deno.args });
  return Response.json({ code: "UnknownCommand" }, { status: 404 });
});
Deno.addSignalListener("SIGTERM", () => { if (!Deno.args.includes("--deaf")) Deno.exit(0); });
`;

async function stub(): Promise<string> {
  const file = await Deno.makeTempFile({ prefix: "kvmm-test-stub-", suffix: ".js" });
  await Deno.writeTextFile(file, STUB);
  return file;
}

Deno.test("startServer() gives a server that can be called, listened to and measured", async () => {
  const main = await stub();
  let runtimeDir: string;
  {
    await using server = await startServer({ main, uri: "test:///default" });
    runtimeDir = server.runtimeDir;
    const answer = await server.call("echo", { a: 1 }) as { input: unknown; args: string[] };
    assert.deepEqual(answer.input, { a: 1 });
    assert.deepEqual(answer.args.slice(0, 3), ["serve", "--listen", "127.0.0.1:0"]);
    for await (const event of server.events()) {
      assert.deepEqual(event, { id: "1", event: "activity", data: { n: 1 } });
      break;
    }
    await assert.rejects(
      server.call("nonsense"),
      (error: unknown) => error instanceof CallError && error.status === 404,
    );
    assert.ok(await server.rss() > 10_000_000);
    assert.match(server.log(), /listening on/);
  }
  assert.equal(await exists(runtimeDir), false);
  await Deno.remove(main);
});

Deno.test("startServer() fails at disposal when the server ignored SIGTERM", async () => {
  const main = await stub();
  const server = await startServer({ main, uri: "test:///default", args: ["--deaf"] });
  await assert.rejects(server[Symbol.asyncDispose](), /did not stop within 5000 ms/);
  assert.equal(await exists(server.runtimeDir), false);
  await Deno.remove(main);
});

Deno.test("startServer() shows the log of a server that ended early", async () => {
  const main = await Deno.makeTempFile({ suffix: ".js" });
  await Deno.writeTextFile(main, `console.error("no such host"); Deno.exit(3);`);
  await assert.rejects(startServer({ main, uri: "test:///default" }), /status 3[^]*no such host/);
  await Deno.remove(main);
});
