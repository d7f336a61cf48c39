/** A serial console whose client does not read. */
import { testMachine } from "../testbed/machine.ts";
import { call, readyServer, shows } from "../testbed/product.ts";
import { SerialClient } from "../testbed/serial.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

Deno.test({
  name: "a client that does not read is cut off, and holds no memory",
  ignore: await requirement("guest") !== null,
  fn: async () => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "flood", start: true });
    await vm.waitForBoot();
    await shows(server, vm.uuid, ({ state }) => state === "running");
    const { path, ticket } = await call(server, "open_console", { vmId: vm.uuid, kind: "serial" });
    const { hostname, port, host } = new URL(server.url);
    // A WebSocket by hand: one that accepts, types a line, and then never reads.
    const line = await Deno.connect({ hostname, port: Number(port) });
    try {
      const key = btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(16))));
      const head = `GET ${path}?ticket=${ticket} HTTP/1.1\r\nHost: ${host}\r\nOrigin: ${server.url}\r\n` +
        `Authorization: ${testerHeaders(server.url).authorization}\r\n` +
        `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`;
      await line.write(new TextEncoder().encode(head));
      await line.read(new Uint8Array(4096));
      const typed = new TextEncoder().encode(
        "\nyes 'a rather long line to fill the buffers with, quickly' \n",
      );
      // FIN and binary, masked with zeroes (RFC 6455, 5.2)
      await line.write(Uint8Array.from([0x82, 0x80 | typed.length, 0, 0, 0, 0, ...typed]));
      const before = await server.rss();
      // The kernel's buffers take some megabytes before ours begin to fill. As long as it is not cut off, it has the line.
      await until("the server to cut it off", async () => {
        await using console = await SerialClient.open(server, vm.uuid);
        return await Promise.race([console.closed, delay(2000)]) === undefined;
      }, {
        seconds: 240,
        every: 5000,
        lastSeen: async () => `${Math.round((await server.rss() - before) / 1e6)} MB more`,
      });
      // What went through is collected when the collector likes.
      await until("its memory to be given back", async () => await server.rss() - before < 100e6, {
        every: 1000,
        lastSeen: async () => `${Math.round((await server.rss() - before) / 1e6)} MB more`,
      });
    } finally {
      line.close();
    }
    await using console = await SerialClient.open(server, vm.uuid);
    console.type("\x03");
    await console.run("echo free $((2 * 4))", "free 8", { seconds: 60 });
  },
});
