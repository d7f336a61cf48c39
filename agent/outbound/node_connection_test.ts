import assert from "node:assert/strict";
import { Agent } from "node:http";
import { createServer } from "node:net";
import { sendRequest } from "./node_connection.ts";

/** Asks a server that answers every request with a text. */
async function askedOf(answer: string): Promise<Response> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end(answer));
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  try {
    const { port } = server.address() as { port: number };
    const response = await sendRequest({ host: "127.0.0.1", port, agent: false });
    await response.body?.cancel();
    return response;
  } finally {
    server.close();
  }
}

Deno.test("node_connection: a status that no answer has is an error of the request, and ends nothing else", async () => {
  for (const status of ["600 Odd", "999 Odd", "099 Odd"]) {
    await assert.rejects(askedOf(`HTTP/1.1 ${status}\r\ncontent-length: 2\r\n\r\n{}`), /no status/);
  }
  for (const status of [204, 205, 304]) {
    const { status: told, body } = await askedOf(`HTTP/1.1 ${status} X\r\ncontent-length: 0\r\n\r\n`);
    assert.deepEqual([told, body], [status, null]);
  }
});

Deno.test("node_connection: another protocol, which was not asked for, is an error of the request", async () => {
  const answer = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
  await assert.rejects(askedOf(answer), /not asked for/);
});

Deno.test("node_connection: what may change something is sent once, also where a connection that was kept breaks", async () => {
  const got: string[] = [];
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      const [line = ""] = bytes.toString().split(" HTTP");
      got.push(line);
      if (line.endsWith("/first")) socket.write("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
      else socket.destroy();
    });
  });
  const listening = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const { port } = server.address() as { port: number };
  try {
    for (
      const [method, repeatable, times] of [["POST", undefined, 1], ["POST", true, 2], [
        "GET",
        undefined,
        2,
      ]] as const
    ) {
      got.length = 0;
      const agent = new Agent({ keepAlive: true });
      const send = (path: string) =>
        sendRequest({
          host: "127.0.0.1",
          port,
          agent,
          method,
          path,
          ...(repeatable !== undefined && { repeatable }),
        }, method === "POST" ? "{}" : undefined);
      await (await send("/first")).arrayBuffer();
      await assert.rejects(send("/second"));
      agent.destroy();
      assert.deepEqual(got, [`${method} /first`, ...Array(times).fill(`${method} /second`)]);
    }
  } finally {
    server.close();
  }
});
