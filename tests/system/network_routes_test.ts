/** Routes of the host and libvirt's networks: what libvirt starts is started, and of two routes the longer prefix wins. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { filesOf, testName } from "../testbed/names.ts";
import { run } from "../testbed/process.ts";
import { call, readyServer, refused } from "../testbed/product.ts";
import { removeFiles, removeNetwork } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

Deno.test({
  name: "a network inside a route of a VPN is created with a warning and started; the same subnet is refused",
  ignore,
  fn: async () => {
    await using undo = new AsyncDisposableStack();
    const server = undo.use(await readyServer());
    const name = await testName("routes");
    undo.defer(() => removeFiles(name));
    await Deno.mkdir(filesOf(name), { recursive: true });
    undo.defer(() => removeNetwork(name));
    const tunnel = `kvmmr${crypto.randomUUID().slice(0, 6)}`;
    await run(["ip", "link", "add", tunnel, "type", "veth", "peer", "name", `${tunnel}p`]);
    undo.defer(async () => void await run(["ip", "link", "del", tunnel]));
    for (const end of [tunnel, `${tunnel}p`]) await run(["ip", "link", "set", end, "up"]);
    // A route of documentation addresses: nothing else on this machine goes there.
    await run(["ip", "route", "add", "198.18.0.0/15", "dev", tunnel]);
    const ipv4 = { address: "198.18.7.1/24" };
    const input = { name, mode: "nat", ipv4, autostart: false } as const;
    const findings = await call(server, "check_network", input);
    assert.deepEqual(findings.map(({ code, severity }) => [code, severity]), [[
      "NetworkOverlaps",
      "warning",
    ]]);
    const { warnings } = await call(server, "create_network", input);
    assert.match(
      warnings[0]!.message,
      new RegExp(`no longer through a route of the host \\(${tunnel}\\) \\(198\\.18\\.0\\.0/15\\)`),
    );
    await virsh("net-destroy", name);
    await until("it to be stopped", async () => !(await call(server, "get_network", { name })).active);
    await call(server, "start_network", { name });
    await virsh("net-destroy", name);
    await until("it to be stopped", async () => !(await call(server, "get_network", { name })).active);
    await run(["ip", "route", "add", "198.18.7.0/24", "dev", tunnel]);
    await refused(call(server, "start_network", { name }), "NetworkOverlaps", /198\.18\.7\.0\/24/);
    await assert.rejects(virsh("net-start", name), /already in use by interface/);
  },
});
