/** A guest that lies through its agent: odd fields, huge answers, none at all. The others must not notice. */
import assert from "node:assert/strict";
import { call, checkOutput, EventLog, readyServer, shows } from "../testbed/product.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type Lie, LyingAgent } from "../testbed/lying_agent.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;
const ASKED = "guest-network-get-interfaces";

Deno.test({
  name: "a guest agent's word is taken for no more than it is",
  ignore,
  async fn(t) {
    await using network = await testNetwork("liar");
    await using liar = await testMachine({ purpose: "liar", network });
    await using honest = await testMachine({ purpose: "honest", network, agent: false, start: true });
    const mac = liar.mac!;
    const folder = filesOf(liar.name);
    await using agent = await LyingAgent.listen(folder);
    const xml = await Deno.readTextFile(`${folder}/domain.xml`);
    const channel = `<channel type='unix'><source mode='connect' path='${agent.path}'/>`;
    await Deno.writeTextFile(`${folder}/liar.xml`, xml.replace("<channel type='unix'>", channel));
    await virsh("define", `${folder}/liar.xml`);

    const nic = (
      addresses: unknown,
    ) => [{ name: "eth0", "hardware-address": mac, "ip-addresses": addresses }];
    const address = (text: unknown, prefix: unknown = 24) => ({
      "ip-address-type": "ipv4",
      "ip-address": text,
      prefix,
    });
    const only = (answer: unknown): Lie => (command) =>
      command === ASKED ? { return: answer } : { return: {} };
    const lies: Readonly<Record<string, Lie>> = {
      "a text instead of a list": only("x"),
      "wrong types all over": only([{ name: 5, "hardware-address": {}, "ip-addresses": "many" }, null, 3]),
      "an error": (command) =>
        command === ASKED ? { error: { class: "x", desc: "\u001b]52;c;eA==\u0007" } } : { return: {} },
      "no JSON": () => "}{ <xml/>\u0000",
      "markup, controls and half of a character for addresses": only(
        nic([
          address("<img src=x onerror=alert(1)>"),
          address("10.0.0.1\u0000\u0007"),
          address("\ud800"),
          address(""),
        ]),
      ),
      "prefixes beyond all measure": only(nic([address("192.0.2.1", 1e9), address("192.0.2.1", -5)])),
      "ten thousand addresses": only(
        nic(Array.from({ length: 10_000 }, (_, n) => address(`10.${n >> 16}.${n >> 8 & 255}.${n & 255}`))),
      ),
      "nine megabytes": only(nic([address("9".repeat(9 * 1024 * 1024))])),
      "nothing, ever": () => undefined,
    };

    for (const [what, lie] of Object.entries(lies)) {
      await t.step(what, async () => {
        agent.lie = lie;
        // libvirt speaks no more to an agent that sent nonsense, and our server leaves one alone that failed: both anew.
        if (await liar.state() === "running") await virsh("destroy", liar.name);
        await liar.start();
        await using server = await readyServer();
        await using _watching = await EventLog.open(server);
        await agent.waitFor(ASKED);
        const honestAddress = await honest.waitForLease();
        const begin = performance.now();
        await shows(server, honest.uuid, (vm) => vm.networkInterfaces[0]?.ipAddress === honestAddress, {
          seconds: 10,
        });
        assert(performance.now() - begin < 10_000);
        for (let index = 0; index < 5; index++) {
          const asked = performance.now();
          const all = await call(server, "get_vms");
          checkOutput("get_vms", all);
          assert(performance.now() - asked < 1000);
          const vm = all.find(({ id }) => id === liar.uuid)!;
          assert.equal(vm.responsive, true);
          for (const { ipAddresses } of vm.networkInterfaces) {
            assert(ipAddresses.length <= 64, `${ipAddresses.length} addresses`);
            for (const each of ipAddresses) assert.match(each, /^[0-9a-fA-F:.]{2,45}\/\d{1,3}$/);
          }
        }
      });
    }
  },
});
