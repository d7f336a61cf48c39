/** `kvm-manager console` in a real terminal, on a real guest's serial line. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { readyServer, shows } from "../testbed/product.ts";
import { buildBinary } from "../testbed/product_binary.ts";
import { TerminalProgram } from "../testbed/pty.ts";
import { SerialClient } from "../testbed/serial.ts";
import { requirement } from "../testbed/skip.ts";
import { tlsProxy } from "../testbed/tls_proxy.ts";
import { testerHeaders } from "../testbed/sign_in.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name: "kvm-manager console is the guest's shell in a terminal, which it leaves as it was",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "cli", start: true });
    const binary = await buildBinary();
    await vm.waitForBoot();
    await shows(server, vm.uuid, ({ state }) => state === "running");
    const startAt = (socket: string, ...args: string[]) =>
      new TerminalProgram([binary, "console", ...args, "--socket", socket]);
    const start = (...args: string[]) => startAt(server.socket, ...args);

    await t.step(
      "by name: a line is run; Ctrl+a a is Ctrl+a; Ctrl+c is the guest's; Ctrl+a t leaves",
      async () => {
        await using console = start(vm.name);
        await console.waitFor("Ctrl+a t leaves");
        await console.type("\recho sum $((40 + 2))\r");
        await console.waitFor("sum 42");
        // Printed by the program that is to be interrupted: Ctrl+c before it runs would have no effect.
        await console.type("sh -c 'echo aslee$((0))p; exec sleep 1000'\r");
        await console.waitFor("aslee0p");
        await console.type("\x03");
        await console.type("echo woken $((1 + 1))\r");
        await console.waitFor("woken 2");
        // Ctrl+a goes to the start of the line, where "echo " is put before the rest.
        await console.type("start $((2 + 3))\x01aecho \r");
        await console.waitFor("start 5");
        await console.type("\x01t");
        assert.deepEqual(await console.ended(), { status: 0, isCooked: true });
        assert.match(console.text, /Left the console/);
      },
    );
    await t.step("a second one is told, and takes over with --force; the first is told", async () => {
      await using first = start(vm.uuid);
      await first.waitFor("Ctrl+a t leaves");
      await first.type("\recho one $((4 * 4))\r");
      await first.waitFor("one 16");
      await using second = start(vm.name);
      assert.deepEqual(await second.ended(), { status: 5, isCooked: true });
      assert.match(second.text, /Another session holds the serial console/);
      await using third = start(vm.name, "--force");
      assert.deepEqual(await first.ended(), { status: 5, isCooked: true });
      assert.match(first.text, /took the serial console over/);
      await third.type("\recho three $((3 * 3))\r");
      await third.waitFor("three 9");
      await third.type("\x01t");
      assert.equal((await third.ended()).status, 0);
    });
    await t.step("from elsewhere, over TLS with an API token", async () => {
      await using proxy = await tlsProxy(server.url);
      const token = testerHeaders(server.url).authorization!.replace("Bearer ", "");
      await using console = new TerminalProgram([
        "env",
        `KVMM_SERVER=${proxy.url}`,
        `KVMM_TOKEN=${token}`,
        `KVMM_FINGERPRINT=${proxy.fingerprint}`,
        ...[binary, "vm", "console", vm.name, "--force"],
      ]);
      await console.waitFor("Ctrl+a t leaves");
      await console.type("\recho far $((6 * 7))\r");
      await console.waitFor("far 42");
      await console.type("\x01t");
      assert.deepEqual(await console.ended(), { status: 0, isCooked: true });
    });
    await t.step("the line is free at once when it was left", async () => {
      await using client = await SerialClient.open(server, vm.uuid);
      await client.run("echo free $((5 * 5))", "free 25");
    });
    await t.step("wrong usage, no such machine, no server: said, with their status", async () => {
      for (
        const [console, status, text] of [
          [start(), 2, /give one VM's name/],
          [start("no-such-machine"), 4, /VM not found: no-such-machine/],
          [startAt("/nonexistent/socket", vm.name), 3, /no server answers/],
        ] as const
      ) {
        await using _ended = console;
        assert.deepEqual(await console.ended(), { status, isCooked: true });
        assert.match(console.text, text);
      }
    });
    await t.step("it ends with the machine", async () => {
      await using console = start(vm.name);
      await console.waitFor("Ctrl+a t leaves");
      await virsh("destroy", vm.name);
      assert.deepEqual(await console.ended(), { status: 0, isCooked: true });
      assert.match(console.text, /VM is not running/);
      await using again = start(vm.name);
      assert.equal((await again.ended()).status, 5);
    });
  },
});
