/** Addresses, host name and system in the list of VMs, where our agent is the only one that can tell them. */
import assert from "node:assert/strict";
import { buildAgentGuest } from "../testbed/agent_guest.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { call, readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

/** Milliseconds in which a server without open pages asks for addresses at least once. */
const IDLE_ROUND_MS = 35_000;

/** A network without DHCP. */
const NETWORK = "<network><name>told</name><bridge name='told0'/></network>";

Deno.test({
  name: "our agent alone: the list has what the guest tells, and asks it while somebody looks alone",
  ignore: await requirement("agentGuest") !== null,
  fn: async (t) => {
    // A libvirtd of its own: another test's server would ask the guest, too, and its line is one program's at a time
    await using host = await privateLibvirt("told");
    await host.inside("sh", "-c", 'echo "$1" > /run/libvirt/told.xml', "sh", NETWORK);
    await host.inside("virsh", "--quiet", "net-create", "/run/libvirt/told.xml");
    const { uuid: vmId } = await host.machine({
      guest: await buildAgentGuest(),
      ownAgent: true,
      start: true,
      network: { name: "told", mac: "52:54:00:4b:4d:01" },
    });
    // Without an interval the guest is asked once, when its agent comes
    await using server = await readyServer({ uri: host.uri });
    const sh = async (script: string) =>
      (await call(server, "guest_exec", { vmId, command: "sh", args: ["-c", script] })).stdout;
    // The pattern does not find the line of its own
    const count = async () => Number(await sh("grep -c 'get_network[_]info' /kvm-manager-agent.log || true"));
    const addresses = async () =>
      (await call(server, "get_vms")).find(({ id }) => id === vmId)!.networkInterfaces[0]!.ipAddresses;
    await shows(server, vmId, ({ guest }) => guest !== undefined, { seconds: 240 });

    await t.step("system and host name are there when the agent has come", async () => {
      const { guest, guestAgents } = await call(server, "get_vm", { vmId });
      assert.equal(guestAgents["qemu-ga"], "not configured");
      assert.match(guest!.osName, /linux/i);
      assert.equal(guest!.hostname, (await sh("hostname")).trim());
    });

    const second = "192.0.2.250/24";
    await t.step("without open pages the guest is not asked", async () => {
      const before = await count();
      assert.ok(before >= 1, "the agent's log names what it is asked");
      await sh(`ip addr add ${second} dev eth0`);
      await new Promise((resolve) => setTimeout(resolve, IDLE_ROUND_MS));
      assert.equal(await count(), before);
      assert.equal((await addresses()).includes(second), false);
    });

    await t.step("while somebody looks, addresses that no lease tells are in the list", async () => {
      const closed = new AbortController();
      const events = await fetch(`${server.url}/api/v1/events`, { signal: closed.signal });
      assert.equal(events.status, 200);
      await shows(server, vmId, ({ networkInterfaces: [nic] }) => nic!.ipAddresses.includes(second), {
        seconds: 60,
      });
      closed.abort();
      await events.body?.cancel().catch(() => {/* it was cut off */});
    });

    await t.step("who asks the guest has told the list, too", async () => {
      const third = "192.0.2.251/24";
      await sh(`ip addr add ${third} dev eth0`);
      await call(server, "guest_get_network_info", { vmId });
      assert.ok((await addresses()).includes(third));
    });
  },
});
