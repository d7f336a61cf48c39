/**
 * Tests figures that guests report at a slow pace: their identity, kept for lists, and their fill level, for metrics
 * and alerts.
 */
import assert from "node:assert/strict";
import { OwnAgentClient } from "../../agent/guest/own/client.ts";
import { openAgentChannel } from "../testbed/agent_channel.ts";
import { buildAgentGuest } from "../testbed/agent_guest.ts";
import { testFolder } from "../testbed/folder.ts";
import { testMachine } from "../testbed/machine.ts";
import { run } from "../testbed/process.ts";
import { call, readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

Deno.test({
  name: "a guest's name, system and full file system are known by themselves, and outlive the server",
  ignore: await requirement("agentGuest") !== null,
  fn: async (t) => {
    await using data = await testFolder();
    await using vm = await testMachine({
      purpose: "figures",
      guest: await buildAgentGuest(),
      agent: false,
      ownAgent: true,
      disks: [{ format: "raw", size: "32M" }],
    });
    await run(["mkfs.ext4", "-q", "-F", vm.disks[0]!]);
    await vm.start();
    await vm.waitForBoot();
    {
      const agent = await until("the agent", async () => {
        try {
          return await OwnAgentClient.open(await openAgentChannel(vm), 30_000);
        } catch {
          return null;
        }
      }, { seconds: 240 });
      await using _ended = agent;
      const script =
        "hostname shop.example && mkdir -p /mnt && mount -t ext4 /dev/vda /mnt && head -c 60000000 /dev/zero >/mnt/full; df /mnt";
      await agent.exec("sh", { args: ["-c", script], limitMs: 120_000 });
    }
    const vmId = vm.uuid, dataDir = data.path;

    await t.step("it is asked once the server sees it, and what is kept of it fires", async () => {
      await using server = await readyServer({
        dataDir,
        guestInterval: 60,
        args: ["--metrics-interval", "5"],
      });
      const { guest } = await shows(server, vmId, (each) => each.guest !== undefined, { seconds: 60 });
      assert.deepEqual([guest!.hostname, typeof guest!.toldAt], ["shop.example", "number"]);
      assert.match(guest!.osName, /linux/i);
      const incident = await until("the full file system to be told", async () => {
        const open = await call(server, "get_alert_history", { open: true });
        return open.find((each) => each.vmId === vmId && each.label === "/mnt");
      }, { seconds: 90 });
      assert.equal(incident.alertId, "filesystem-nearly-full");
      assert.match(incident.message, /^Filesystem usage of \/mnt is (9[0-9]|100)/);
      const { series } = await call(server, "get_metric_summary", {
        vmId,
        window: "1h",
        series: ["filesystem_used", "filesystem_size", "guest_memory_used"],
      });
      const last = (name: string) => series.find((each) => each.name === name)?.last ?? 0;
      assert.ok(last("filesystem_size") > 20 * 1024 ** 2 && last("filesystem_size") < 32 * 1024 ** 2);
      assert.ok(last("filesystem_used") > 0.9 * last("filesystem_size"));
      assert.ok(last("guest_memory_used") > 1024 ** 2);
    });

    await t.step("a server that asks no guest knows it from before", async () => {
      await using server = await readyServer({ dataDir });
      const { guest } = await shows(server, vmId, (each) => each.guest !== undefined, { seconds: 30 });
      assert.equal(guest!.hostname, "shop.example");
    });
  },
});
