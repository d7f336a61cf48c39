/** Tests reports on objects that do not respond: to API clients, on the command line, in the activity and in alerts. */
import assert from "node:assert/strict";
import { CommandLine } from "../testbed/command_line.ts";
import { freeze, thaw } from "../testbed/pid.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { call, EventLog, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const reason = await requirement("qemu") ??
  (Deno.uid() === 0 ? null : "only root can make a private libvirtd");

Deno.test({
  name: "a VM that does not respond is told within seconds, with an alert that ends when it responds",
  ignore: reason !== null,
  fn: async (t) => {
    await using host = await privateLibvirt("hang-alerts");
    const stuck = await host.machine({ start: true }), other = await host.machine({ start: true });
    await using server = await readyServer({ uri: host.uri });
    for (const { uuid } of [stuck, other]) await shows(server, uuid, ({ state }) => state === "running");
    await using events = await EventLog.open(server);
    assert.deepEqual(await call(server, "list_hangs"), []);
    const pid = await stuck.qemuPid() ?? assert.fail("it has no QEMU");
    await freeze(pid);
    await using undo = new AsyncDisposableStack();
    undo.defer(async () => {
      if (await stuck.qemuPid() === pid) await thaw(pid);
    });

    await t.step("the alert fires at once, and says why and what helps", async () => {
      const { data: { incident } } = await events.waitFor("alert-fired", undefined, { seconds: 10 });
      assert.deepEqual(
        [incident.watches, incident.vmId, incident.vmName, incident.severity],
        ["not_responding", stuck.uuid, stuck.name, "critical"],
      );
      assert.match(incident.message, /QEMU.*since \d{4}-.* UTC\. .*[Ff]orce it off/);
    });
    await t.step("it is listed, and refuses what needs it", async () => {
      await events.waitFor("hangs-changed");
      const [hang, ...others] = await call(server, "list_hangs");
      assert.deepEqual([hang?.about, hang?.vmId, others], ["vm", stuck.uuid, []]);
      await refused(call(server, "pause_vm", { vmId: stuck.uuid }), "VmNotResponding");
    });
    await t.step("the command line does not call it running", async () => {
      const cli = new CommandLine({ KVMM_SOCKET: server.socket });
      const list = await cli.run(["vm", "list"]);
      assert.match(list.out, new RegExp(`${stuck.name} +not responding`));
      assert.match(list.out, new RegExp(`${other.name} +running`));
      assert.match((await cli.run(["vm", "show", stuck.name])).out, /^STATE +not responding/m);
      const hangs = await cli.run(["host", "hangs"]);
      assert.match(hangs.out, /^ABOUT +NAME +SINCE +CALL +REMEDY\nvm +/);
      const json = JSON.parse((await cli.run(["host", "hangs", "-o", "json"])).out);
      assert.deepEqual([json[0].name, json[0].vmId], [stuck.name, stuck.uuid]);
      assert.equal((await cli.run(["vm", "pause", stuck.name])).status, 3);
    });
    await t.step("when it responds again, the alert is over and the activity has both", async () => {
      await thaw(pid);
      await shows(server, stuck.uuid, ({ responsive }) => responsive, { seconds: 15 });
      const ended = await until("the alert to be over", async () => {
        const all = await call(server, "get_alert_history", {});
        return all.find(({ watches, state }) => watches === "not_responding" && state === "resolved");
      }, { seconds: 10 });
      assert.equal(ended.ended, "cleared");
      const actions = ["not-responding", "responds-again"];
      const entries = await call(server, "get_activity", { vmId: stuck.uuid, actions });
      assert.deepEqual(entries.map(({ action }) => action), ["responds-again", "not-responding"]);
      assert.match(entries[0]!.message ?? "", /did not respond for \d+ s/);
      assert.deepEqual(await call(server, "list_hangs"), []);
    });
    await t.step("stopped a moment ago, before anybody has noticed, it is forced off at once", async () => {
      await freeze(pid);
      const began = performance.now();
      await call(server, "force_stop_vm", { vmId: stuck.uuid });
      // libvirt alone waits 10 seconds for it, and keeps all lists waiting
      assert.ok(performance.now() - began < 6000, `it took ${Math.round(performance.now() - began)} ms`);
      await shows(server, stuck.uuid, ({ state }) => state === "stopped", { seconds: 3 });
    });
  },
});

Deno.test({
  name: "a libvirt that does not answer is one alert, and one of what does not respond",
  ignore: reason !== null,
  fn: async () => {
    await using host = await privateLibvirt("hang-libvirt");
    await using server = await readyServer({ uri: host.uri });
    await using events = await EventLog.open(server);
    {
      await using _frozen = await host.freeze();
      const { data: { incident } } = await events.waitFor("alert-fired", undefined, { seconds: 10 });
      assert.deepEqual([incident.watches, incident.label, incident.vmId], [
        "not_responding",
        "libvirt",
        undefined,
      ]);
      await events.waitFor("connection-status-changed", ({ status }) => !status.connected, { seconds: 10 });
      const hangs = await call(server, "list_hangs");
      assert.deepEqual(hangs.map(({ about, name }) => [about, name]), [["host", "libvirt"]]);
      assert.match(hangs[0]!.remedy, /systemctl restart libvirtd.*running VMs go on/);
      assert.equal(events.of("alert-fired").length, 1);
    }
    await until("the alert to be over", async () => {
      const all = await call(server, "get_alert_history", { open: true });
      return all.every(({ watches }) => watches !== "not_responding");
    }, { seconds: 30 });
    assert.deepEqual(await call(server, "list_hangs"), []);
  },
});
