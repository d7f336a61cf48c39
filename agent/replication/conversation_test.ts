import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
// @ts-types="@types/ws"
import { WebSocketServer } from "ws";
import { ALL_RIGHTS } from "../../lib/access/rights.ts";
import { principalOf } from "../access.ts";
import type { LinkedHost } from "../hosts/linked/linked_host.ts";
import { ConversationCut, ReplicationConversation } from "./conversation.ts";

const OPEN = { do: "open", replicaId: crypto.randomUUID(), vmId: crypto.randomUUID(), name: "web" } as const;
const HELD = { state: "none", copyId: null, promotedAt: null, isTested: false, disks: [] };

/** A KVM Manager that answers with the texts of a test, and one question after them never. */
async function hostSaying(answers: string[]) {
  const server = createServer(), sockets = new WebSocketServer({ server });
  sockets.on("connection", (socket) => {
    socket.on("message", () => {
      const answer = answers.shift();
      if (answer !== undefined) socket.send(answer);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const host = {
    label: "far",
    callerHeaders: () => ({}),
    peer: {
      line: async () => {
        const line = connect({ host: "127.0.0.1", port });
        await once(line, "connect");
        return { line, headers: {}, base: new URL(`http://127.0.0.1:${port}`) };
      },
    },
  } as unknown as LinkedHost;
  return {
    host,
    [Symbol.asyncDispose]: async () => {
      for (const each of sockets.clients) each.terminate();
      sockets.close();
      server.close();
      await once(server, "close");
    },
  };
}

Deno.test("a host that does not answer in time ends a conversation, and what it says later is not asked for", async () => {
  await using far = await hostSaying([JSON.stringify(HELD)]);
  const principal = principalOf({ name: "ann", door: "schedule", via: "token", rights: ALL_RIGHTS });
  using talk = await ReplicationConversation.begin(far.host, principal, { open: 300 });
  assert.equal((await talk.ask(OPEN)).state, "none");
  const began = performance.now();
  await assert.rejects(talk.ask(OPEN), (error: unknown) => {
    assert.ok(error instanceof ConversationCut);
    assert.equal(error.code, "LinkedHostAway");
    assert.match(error.message, /did not answer in time/);
    return true;
  });
  const tookMs = performance.now() - began;
  assert.ok(tookMs > 250 && tookMs < 5000, String(tookMs));
  await assert.rejects(talk.ask({ do: "forget" }), ConversationCut);
});
