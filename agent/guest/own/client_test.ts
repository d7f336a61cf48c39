/** The host's end against guests that lie, hang, shout and mumble. */
import assert from "node:assert/strict";
import { AGENT_ERROR } from "../../../lib/guest/protocol.ts";
import { OwnAgentClient } from "./client.ts";
import { FakeGuest, honestBut, type Request, RESULTS } from "./testing.ts";

Deno.test("a conversation begins behind what is left of another", async () => {
  const guest = new FakeGuest((request) => RESULTS.get(request.method));
  guest.send('d":"half a line"}\n{"jsonrpc":"2.0","id":1,"result":{"late":true}}\n');
  await using agent = await OwnAgentClient.open(guest.streams);
  assert.equal(agent.info.name, "kvm-manager-agent");
  assert.equal(guest.asked[0]?.params.reset, true);
  assert.ok(agent.can("ping") && !agent.can("reboot"));
  assert.equal((await agent.call("guest.get_info")).hostname, "my-vm");
});

Deno.test("an answer that is not what it must be is none", async () => {
  const guest = new FakeGuest(honestBut("ping", () => ({ pong: "yes" })));
  await using agent = await OwnAgentClient.open(guest.streams);
  await assert.rejects(agent.call("ping"), { reason: "invalid" });
  assert.equal((await agent.call("get_users")).users.length, 1);
});

Deno.test("answers find their requests in any order, and none is answered twice", async () => {
  const waiting: Request[] = [];
  const guest = new FakeGuest(honestBut("file_stat", (request, guest) => {
    waiting.push(request);
    if (waiting.length < 3) return undefined;
    const entry = RESULTS.get("file_stat") as Record<string, unknown>;
    for (const each of waiting.reverse()) {
      guest.send('{"jsonrpc":"2.0","id":987654321,"result":1}\n');
      for (const name of [each.params.path, "again"]) guest.reply(each, { result: { ...entry, name } });
    }
    return undefined;
  }));
  await using agent = await OwnAgentClient.open(guest.streams);
  const names = await Promise.all(["a", "b", "c"].map((path) => agent.call("file_stat", { path })));
  assert.deepEqual(names.map(({ name }) => name), ["a", "b", "c"]);
});

Deno.test("the agent's own errors come with their codes", async () => {
  const guest = new FakeGuest(honestBut("file_read", (request, guest) => {
    guest.reply(request, { error: { code: AGENT_ERROR.NotFound, message: "\u001b]52;c;eA==\u0007<b>" } });
  }));
  await using agent = await OwnAgentClient.open(guest.streams);
  await assert.rejects(agent.call("file_read", { path: "/x" }), {
    reason: "refused",
    code: AGENT_ERROR.NotFound,
  });
});

Deno.test("a guest that hangs costs one limit, and is asked to stop", async () => {
  const guest = new FakeGuest(honestBut("ping", () => undefined));
  await using agent = await OwnAgentClient.open(guest.streams);
  await assert.rejects(agent.call("ping", {}, { limitMs: 30 }), { reason: "silent" });
  const began = performance.now();
  for (let n = 0; n < 100; n++) await assert.rejects(agent.call("get_users"), { reason: "silent" });
  assert.ok(performance.now() - began < 5000);
  assert.ok(guest.asked.some(({ method }) => method === "cancel"));
});

Deno.test("a channel without a program, or with another one, is told from an agent", async () => {
  const mute = new FakeGuest(() => undefined);
  await assert.rejects(OwnAgentClient.open(mute.streams, 30), { reason: "silent" });
  const stranger = new FakeGuest((_, guest) => guest.send("login: \n".repeat(20_000)));
  await assert.rejects(OwnAgentClient.open(stranger.streams, 20_000), { reason: "invalid" });
  const newer = new FakeGuest((request, guest) =>
    guest.reply(request, { error: { code: AGENT_ERROR.NoCommonVersion, message: "2 to 3" } })
  );
  await assert.rejects(OwnAgentClient.open(newer.streams), { reason: "version" });
  const gone = new FakeGuest((_, guest) => guest.leave());
  await assert.rejects(OwnAgentClient.open(gone.streams), { reason: "closed" });
});

Deno.test("a hundred megabytes without a line's end are thrown away as they come", async () => {
  const guest = new FakeGuest(honestBut("ping", (request, guest) => {
    void (async () => {
      const piece = new Uint8Array(1024 * 1024).fill(0x78);
      for (let n = 0; n < 100; n++) {
        guest.send(piece);
        await new Promise((resolve) => setTimeout(resolve));
      }
      guest.send("\n");
      guest.reply(request, { result: RESULTS.get("ping") });
    })();
  }));
  await using agent = await OwnAgentClient.open(guest.streams);
  const before = Deno.memoryUsage().rss;
  assert.ok((await agent.call("ping", {}, { limitMs: 60_000 })).pong);
  assert.ok(Deno.memoryUsage().rss - before < 250 * 1024 * 1024);
});

Deno.test("a copy whose checksum the guest has otherwise is no copy", async () => {
  let written = 0;
  const guest = new FakeGuest((request) => {
    if (request.method === "chunk_write") return { offset: written += 1 };
    return RESULTS.get(request.method);
  });
  await using agent = await OwnAgentClient.open(guest.streams);
  await assert.rejects(agent.copyTo("/x", [new Uint8Array(5)]), { reason: "invalid" });
  const lying = new FakeGuest((request) =>
    request.method === "chunk_read" ? { offset: 0, eof: true, data: "aG8=" } : RESULTS.get(request.method)
  );
  await using other = await OwnAgentClient.open(lying.streams);
  await assert.rejects(Array.fromAsync(other.copyFrom("/x")), { reason: "invalid" });
  // One that never ends, with nothing in it
  const endless = new FakeGuest((request) =>
    request.method === "chunk_read" ? { offset: 0, eof: false, data: "" } : RESULTS.get(request.method)
  );
  await using third = await OwnAgentClient.open(endless.streams);
  await assert.rejects(Array.fromAsync(third.copyFrom("/x")), { reason: "invalid" });
});

Deno.test("one that did not answer is asked before it counts as there again", async () => {
  let isHung = true;
  const guest = new FakeGuest((request) =>
    isHung && request.method !== "get_agent_info" ? undefined : RESULTS.get(request.method)
  );
  await using agent = await OwnAgentClient.open(guest.streams, 5000, 30);
  const pings = () => guest.asked.filter(({ method }) => method === "ping").length;
  const later = () => new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await agent.hasVoice(), true, "nothing speaks against it, and it is not asked");
  await assert.rejects(agent.call("get_users", {}, { limitMs: 20 }), { reason: "silent" });
  assert.equal(await agent.hasVoice(20), false);
  assert.equal(pings(), 0, "it is left in peace for a while");
  await later();
  assert.equal(await agent.hasVoice(20), false);
  assert.equal(pings(), 1);
  isHung = false;
  await later();
  assert.equal(await agent.hasVoice(5000), true);
  assert.equal(await agent.hasVoice(5000), true);
  assert.equal(pings(), 2);
});

Deno.test("a call that is given up is cancelled in the guest", async () => {
  const guest = new FakeGuest(honestBut("exec_command", () => undefined));
  await using agent = await OwnAgentClient.open(guest.streams);
  const controller = new AbortController();
  const running = agent.exec("sleep", { args: ["60"], signal: controller.signal });
  setTimeout(() => controller.abort(new Error("enough")), 10);
  await assert.rejects(running, /enough/);
  while (!guest.asked.some(({ method }) => method === "cancel")) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
});
