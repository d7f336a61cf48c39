/** A guest that lies through its agent: odd fields, huge answers, none at all. The others must not notice. */
import assert from "node:assert/strict";
import { connectChannel } from "../testbed/agent_channel.ts";
import { call, checkOutput, EventLog, readyServer, shows } from "../testbed/product.ts";
import { type Lie, LyingAgent } from "../testbed/lying_agent.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { ownLibvirtd } from "../testbed/own_libvirtd.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

// Servers of other tests would ask the same agents
const ignore = await requirement("guest") !== null || await ownLibvirtd("liar") !== null;
const ASKED = "guest-network-get-interfaces";

Deno.test({
  name: "a guest agent's word is taken for no more than it is",
  ignore,
  async fn(t) {
    await using network = await testNetwork("liar");
    await using honest = await testMachine({ purpose: "honest", network, agent: false, start: true });
    const honestAddress = await honest.waitForLease();
    await using stack = new AsyncDisposableStack();
    const address = (text: unknown, prefix: unknown = 24) => ({
      "ip-address-type": "ipv4",
      "ip-address": text,
      prefix,
    });
    const only = (answer: unknown): Lie => (command) =>
      command === ASKED ? { return: answer } : { return: {} };
    const nic = (mac: string, addresses: unknown) =>
      only([{ name: "eth0", "hardware-address": mac, "ip-addresses": addresses }]);
    /** Answers of each lying agent; a lie about addresses must name the machine's own network interface to be read. */
    const lies: Readonly<Record<string, (mac: string) => Lie>> = {
      "a text instead of a list": () => only("x"),
      "wrong types all over": () =>
        only([{ name: 5, "hardware-address": {}, "ip-addresses": "many" }, null, 3]),
      "an error": () => (command) =>
        command === ASKED ? { error: { class: "x", desc: "\u001b]52;c;eA==\u0007" } } : { return: {} },
      "no JSON": () => () => "}{ <xml/>\u0000",
      "markup, controls and half of a character for addresses": (mac) =>
        nic(mac, [
          address("<img src=x onerror=alert(1)>"),
          address("10.0.0.1\u0000\u0007"),
          address("\ud800"),
          address(""),
        ]),
      "prefixes beyond all measure": (mac) => nic(mac, [address("192.0.2.1", 1e9), address("192.0.2.1", -5)]),
      "ten thousand addresses": (mac) =>
        nic(
          mac,
          Array.from({ length: 10_000 }, (_, n) => address(`10.${n >> 16}.${n >> 8 & 255}.${n & 255}`)),
        ),
      "nine megabytes": (mac) => nic(mac, [address("9".repeat(9 * 1024 * 1024))]),
      "nothing, ever": () => () => undefined,
    };

    // All at once: none of them may spoil it for another, or for the honest one.
    const liars = await Promise.all(
      Object.entries(lies).map(async ([what, lie]) => {
        const vm = stack.use(await testMachine({ purpose: "liar", network, memoryMiB: 128 }));
        const agent = stack.use(await LyingAgent.listen(filesOf(vm.name)));
        agent.lie = lie(vm.mac!);
        await connectChannel(vm, agent.path);
        await vm.start();
        return { what, vm, agent };
      }),
    );
    await using server = await readyServer();
    await using _watching = await EventLog.open(server);
    for (const { what, vm, agent } of liars) {
      await t.step(what, async () => {
        // libvirt gives up who answers the first question with what is no answer
        const counts = (command: string) =>
          what === "no JSON" ? !command.startsWith("guest-sync") : command === ASKED;
        await until("a question", () => Promise.resolve([...agent.asked.keys()].some(counts)), {
          seconds: 60,
        });
        await shows(
          server,
          honest.uuid,
          ({ networkInterfaces: [nic] }) => nic?.ipAddress === honestAddress,
          { seconds: 10 },
        );
        for (let index = 0; index < 5; index++) {
          const began = performance.now();
          const all = await call(server, "get_vms");
          checkOutput("get_vms", all);
          assert(performance.now() - began < 1000);
          const { responsive, networkInterfaces } = all.find(({ id }) => id === vm.uuid)!;
          assert.equal(responsive, true);
          for (const { ipAddresses } of networkInterfaces) {
            assert(ipAddresses.length <= 64, `${ipAddresses.length} addresses`);
            for (const each of ipAddresses) assert.match(each, /^[0-9a-fA-F:.]{2,45}\/\d{1,3}$/);
          }
        }
      });
    }
  },
});
