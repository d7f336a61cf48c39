import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import { once } from "node:events";
// @ts-types="@types/ws"
import { WebSocketServer } from "ws";
import { socketPrincipal } from "../access.ts";
import { UpgradeRefusedError } from "../outbound/web_socket.ts";
import { type FarServer, openFarSocket } from "./far_socket.ts";

const PRINCIPAL = socketPrincipal({ uid: 0, name: "root", role: "administrator" });

/** A server that takes a session, and a link to it that has one of before. @param valid the session that it takes */
async function restarted(valid: string) {
  const asked: string[] = [], sockets = new WebSocketServer({ noServer: true }), server = createServer();
  server.on("upgrade", (request: IncomingMessage, socket, head) => {
    const session = request.headers.authorization ?? "none";
    asked.push(session);
    if (session === valid) return sockets.handleUpgrade(request, socket, head, () => {});
    socket.end("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  let session = "of before";
  const peer: FarServer["peer"] = {
    line: () =>
      Promise.resolve({
        line: connect(port, "127.0.0.1"),
        headers: { authorization: session },
        base: new URL(`http://127.0.0.1:${port}`),
      }),
    forgetSession: () => void (session = "of now"),
  };
  return {
    asked,
    host: { peer, callerHeaders: () => ({}) },
    async [Symbol.asyncDispose]() {
      for (const client of sockets.clients) client.terminate();
      server.close();
      await once(server, "close");
    },
  };
}

Deno.test("a linked host that was started again lets a WebSocket in with a session of now", async () => {
  await using far = await restarted("of now");
  const { far: socket, farewell } = await openFarSocket(far.host, { path: "/x", ticket: "" }, PRINCIPAL);
  assert.deepEqual(far.asked, ["of before", "of now"]);
  socket.close({ code: 1000, reason: "" });
  await farewell;
});

Deno.test("a linked host that lets none in is asked twice, and tells its status", async () => {
  await using far = await restarted("another");
  await assert.rejects(
    openFarSocket(far.host, { path: "/x", ticket: "" }, PRINCIPAL),
    (error) => error instanceof UpgradeRefusedError && error.status === 401,
  );
  assert.deepEqual(far.asked, ["of before", "of now"]);
});
