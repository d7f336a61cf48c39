/**
 * Checks that a guest's reported load is its own, without the cost of asking for it: an idle guest is idle, by our
 * agent and by qemu-ga.
 */
import assert from "node:assert/strict";
import { buildAgentGuest } from "../testbed/agent_guest.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

/** Per cent that an idle guest under emulation may show; its figures were 86 to 99. */
const IDLE = 30;

for (const kind of ["own", "qemu-ga"] as const) {
  Deno.test({
    name: `guest_get_metrics shows an idle guest idle, and a busy one busy (${kind})`,
    ignore: await requirement(kind === "own" ? "agentGuest" : "guest") !== null,
    fn: async () => {
      await using vm = await testMachine({
        purpose: "idle",
        ...(kind === "own" && { guest: await buildAgentGuest(), agent: false, ownAgent: true }),
      });
      await vm.start();
      await vm.waitForBoot();
      await using server = await readyServer();
      await known(server, vm.uuid);
      const vmId = vm.uuid;
      const figures = () => call(server, "guest_get_metrics", { vmId });
      await until("the agent to answer", () => figures().then(() => true, () => false), { seconds: 120 });
      const shares: number[] = [];
      await until(`an idle guest to show less than ${IDLE} per cent three times on end`, async () => {
        await delay(2000); // a share is one of some time
        shares.push((await figures()).cpuUsagePercent);
        return shares.length >= 3 && shares.slice(-3).every((share) => share < IDLE);
      }, { seconds: 90, lastSeen: () => shares.join(" ") });
      if (kind === "qemu-ga") return;
      const busy = call(server, "guest_exec", {
        vmId,
        command: "sh",
        args: ["-c", "while :; do :; done"],
        seconds: 15,
      });
      await until("a busy guest to show it", async () => {
        await delay(1500);
        return (await figures()).cpuUsagePercent > 60;
      }, { seconds: 14 });
      assert.ok((await busy).timedOut);
    },
  });
}
