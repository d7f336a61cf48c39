/** batch_…_vms: each machine has its own result, in the order asked. */
import assert from "node:assert/strict";
import type { CommandName } from "../../lib/contract/mod.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name: "batch() reports success and failure of each machine",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using first = await testMachine({ purpose: "batch" });
    await using second = await testMachine({ purpose: "batch" });
    await using running = await testMachine({ purpose: "batch", guest: false, start: true });
    for (const { uuid } of [first, second, running]) await known(server, uuid);
    await shows(server, running.uuid, ({ state }) => state === "running");
    const nobody = crypto.randomUUID();
    const notFound = { code: "VmNotFound", message: `VM not found: ${nobody}`, details: { vmId: nobody } };

    await t.step("batch_start_vms()", async () => {
      const vmIds = [first.uuid, running.uuid, nobody, second.uuid];
      assert.deepEqual(await call(server, "batch_start_vms", { vmIds }), {
        results: [
          { vmId: first.uuid, success: true },
          {
            vmId: running.uuid,
            success: false,
            error: { code: "VmAlreadyRunning", message: "VM is already running" },
          },
          { vmId: nobody, success: false, error: notFound },
          { vmId: second.uuid, success: true },
        ],
        succeeded: 2,
        failed: 2,
      });
      assert.deepEqual([await first.state(), await second.state()], ["running", "running"]);
    });
    await t.step("batch_reboot_vms()", async () => {
      await Promise.all([first, second].map((vm) => vm.waitForAgent()));
      const { succeeded, failed } = await call(server, "batch_reboot_vms", {
        vmIds: [first.uuid, second.uuid, nobody],
      });
      assert.deepEqual([succeeded, failed], [2, 1]);
      await Promise.all([first, second].map((vm) => vm.waitForBoot(2)));
    });
    await t.step("batch_stop_vms()", async () => {
      await Promise.all([first, second].map((vm) => vm.waitForAgent()));
      const { succeeded } = await call(server, "batch_stop_vms", { vmIds: [first.uuid, second.uuid] });
      assert.equal(succeeded, 2);
      await Promise.all([first, second].map((vm) => vm.waitFor("shut off")));
      for (const { uuid } of [first, second]) await shows(server, uuid, ({ state }) => state === "stopped");
    });
    await t.step("batch_force_stop_vms()", async () => {
      const { results } = await call(server, "batch_force_stop_vms", { vmIds: [first.uuid, running.uuid] });
      assert.deepEqual(results, [
        { vmId: first.uuid, success: false, error: { code: "VmNotRunning", message: "VM is not running" } },
        { vmId: running.uuid, success: true },
      ]);
      assert.equal(await running.state(), "shut off");
    });
    await t.step("none, twice the same, and too many are refused", async () => {
      const many = Array.from({ length: 1001 }, () => crypto.randomUUID());
      const commands = Object.keys({
        batch_start_vms: 0,
        batch_stop_vms: 0,
        batch_force_stop_vms: 0,
        batch_reboot_vms: 0,
      });
      for (const command of commands as Extract<CommandName, `batch_${string}`>[]) {
        for (const vmIds of [[], [nobody, nobody], many]) {
          await refused(call(server, command, { vmIds }), "InvalidInput", /vmIds/);
        }
      }
    });
    await t.step("one row of the audit for the whole", async () => {
      const rows = (await call(server, "get_activity", { limit: 200 })).filter(({ action }) =>
        action === "batch_start_vms"
      );
      assert.equal(rows.at(-1)?.result, "ok"); // the newer ones are the refused
    });
  },
});
