/** send_keys: the machine's firmware feels them. */
import assert from "node:assert/strict";
import { testMachine } from "../testbed/machine.ts";
import { call, EventLog, readyServer, refused, shows } from "../testbed/product.ts";
import { firmwareIsDone } from "../testbed/screen.ts";
import { requirement } from "../testbed/skip.ts";
import { delay } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name: "send_keys() presses keys together",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "keys", guest: false, vnc: true, start: true });
    const vmId = vm.uuid;
    await shows(server, vmId, ({ state }) => state === "running");
    await using log = await EventLog.open(server);
    const reboots = () =>
      log.of("activity").filter((entry) => entry.vmId === vmId && entry.action === "reboot");

    await t.step("single keys, and one held for long, do nothing of the kind", async () => {
      await firmwareIsDone(vm.name); // and reads the keyboard
      const before = reboots().length;
      for (const keys of [["a"], ["KEY_ENTER"], ["ctrl", "alt"], ["delete"]]) {
        assert.equal(await call(server, "send_keys", { vmId, keys, holdMs: 50 }), null);
      }
      await delay(1000);
      assert.equal(reboots().length, before);
    });
    await t.step("Ctrl+Alt+Delete restarts it, however it is written", async () => {
      const spellings = [["ctrl+alt+delete"], ["KEY_LEFTCTRL", "KEY_LEFTALT", "KEY_DELETE"]];
      for (const [index, keys] of spellings.entries()) {
        // The screen does not tell when it reads keys again: it may still be the one from before the restart
        if (index > 0) await delay(8000);
        const from = log.events.length;
        await call(server, "send_keys", { vmId, keys });
        await log.waitFor("activity", (entry) => entry.vmId === vmId && entry.action === "reboot", {
          from,
          seconds: 20,
        });
      }
    });
    await t.step("what is no key is refused by its name, and nothing is pressed", async () => {
      await refused(
        call(server, "send_keys", { vmId, keys: ["ctrl+alt+oops"] }),
        "UnknownKey",
        /^Unknown key: "oops"/,
      );
      await refused(call(server, "send_keys", { vmId, keys: [] }), "InvalidInput", /keys/);
      await refused(
        call(server, "send_keys", { vmId, keys: ["a"], holdMs: 10_001 }),
        "InvalidInput",
        /holdMs/,
      );
      const many = [..."abcdefghijklmnopq"].join("+");
      await refused(call(server, "send_keys", { vmId, keys: [many] }), "TooManyKeys", /17 \(at most 16\)/);
    });
    await t.step("a machine that is off has no keyboard", async () => {
      await call(server, "force_stop_vm", { vmId });
      await refused(call(server, "send_keys", { vmId, keys: ["a"] }), "VmNotRunning");
      await refused(call(server, "send_keys", { vmId: crypto.randomUUID(), keys: ["a"] }), "VmNotFound");
    });
  },
});
