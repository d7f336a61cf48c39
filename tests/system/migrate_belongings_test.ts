/** migrate_vm(): what KVM Manager keeps of a VM follows it to the other host, or is named. */
import assert from "node:assert/strict";
import type { Schedule } from "../../lib/contract/mod.ts";
import { type MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { call, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

Deno.test({
  name: "schedules, alerts and figures of a VM follow it, and what does not is named",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts(["--metrics-interval", "5"]);
    const { from, to } = hosts;
    const path = await randomImage(from, "disk.qcow2", 8);
    const { uuid: vmId } = await from.libvirt.machine({
      start: true,
      disks: [{ path, format: "qcow2", bus: "virtio" }],
    });
    await shows(from.server, vmId, ({ state }) => state === "running");
    const other = await from.libvirt.machine();
    await shows(from.server, other.uuid, ({ state }) => state === "stopped");
    await call(from.server, "set_tags", { vmId, tags: ["lab"] });
    const timing: Pick<Schedule, "frequency" | "time" | "weekdays" | "timeZone"> = {
      frequency: "weekly",
      time: "22:00",
      weekdays: ["sat", "sun"],
      timeZone: "Asia/Tokyo",
    };
    await call(from.server, "create_schedule", {
      name: "nightly",
      action: "stop",
      force: true,
      deadlineSeconds: 77,
      ...timing,
      targets: { vmIds: [vmId, other.uuid] },
    });
    await call(from.server, "create_schedule", {
      name: "mine",
      action: "start",
      frequency: "daily",
      time: "07:00",
      targets: { vmIds: [vmId] },
    });
    await call(from.server, "create_schedule", {
      name: "by tag",
      action: "start",
      frequency: "daily",
      time: "07:00",
      targets: { tags: ["lab"] },
    });
    await call(from.server, "create_alert", {
      name: "busy",
      watches: "vm_metric",
      series: "cpu_usage",
      threshold: 91,
      checks: 7,
      scope: "vm",
      vmId,
      severity: "critical",
    });
    await call(from.server, "create_user", {
      name: "ann",
      grants: [{ role: "operator", on: { kind: "vm", vmId } }],
    });
    // Another one of the name is not touched
    const theirs = await to.libvirt.machine();
    await shows(to.server, theirs.uuid, ({ state }) => state === "stopped");
    await call(to.server, "create_schedule", {
      name: "nightly",
      action: "start",
      frequency: "daily",
      time: "01:00",
      targets: { vmIds: [theirs.uuid] },
    });
    const history = async ({ server }: MigrationHost) => {
      const { times, series } = await call(server, "get_historical_metrics", {
        vmId,
        window: "1h",
        resolution: "raw",
      });
      const cpu = series.find(({ name }) => name === "memory_total" || name === "cpu_usage");
      return times.filter((_, index) => typeof cpu?.avg[index] === "number");
    };
    const before = await until("figures to be stored", async () => {
      const taken = await history(from);
      return taken.length > 1 && taken;
    }, { seconds: 60 });

    await t.step("both are said before", async () => {
      const { follows, findings } = await call(from.server, "get_migration_plan", { vmId, toHost: "there" });
      assert.deepEqual(follows.toSorted(), ["the alert busy", "the schedule mine", "the schedule nightly"]);
      const said = findings.map(({ check, level, text }) => `${level} ${check}: ${text}`);
      assert.equal(said.length, 2);
      assert.match(said[0]!, /^warning covered: .*: the schedule by tag\./);
      assert.match(said[1]!, /^warning rights: .*the user ann/);
    });

    await t.step("they are there, as they were, and no longer here", async () => {
      const { warnings } = await call(from.server, "migrate_vm", { vmId, toHost: "there" });
      assert.equal(warnings.length, 2, warnings.join("\n"));
      const schedules = await call(to.server, "list_schedules");
      const came = schedules.find(({ targets }) => targets.vmIds.includes(vmId) && schedules.length === 3)!;
      const vm = (await call(to.server, "get_vm", { vmId })).name;
      const nightly = schedules.find(({ name }) => name === `nightly (${vm})`)!;
      assert.ok(came);
      for (const [name, value] of Object.entries(timing)) {
        assert.deepEqual(nightly[name as keyof typeof timing], value);
      }
      assert.deepEqual(
        [nightly.action, nightly.force, nightly.deadlineSeconds, nightly.enabled, nightly.targets.vmIds],
        ["stop", true, 77, true, [vmId]],
      );
      const [kept] = schedules.filter(({ name }) => name === "nightly");
      assert.deepEqual([kept!.action, kept!.targets.vmIds], ["start", [theirs.uuid]]);
      const alert = (await call(to.server, "list_alerts")).find(({ name }) => name === "busy")!;
      assert.deepEqual(
        [alert.scope, alert.vmId, alert.threshold, alert.checks, alert.severity],
        ["vm", vmId, 91, 7, "critical"],
      );
      const here = await call(from.server, "list_schedules");
      assert.deepEqual(
        here.map(({ name, enabled, targets }) => [name, enabled, targets.vmIds]).toSorted(),
        [["by tag", true, []], ["mine", false, []], ["nightly", true, [other.uuid]]],
      );
      assert.equal((await call(from.server, "list_alerts")).some(({ name }) => name === "busy"), false);
    });

    await t.step("its earlier figures are there", async () => {
      const after = await history(to);
      assert.deepEqual(before.filter((time) => !after.includes(time)), []);
    });

    await t.step("back, it has its own schedule again, with its runs", async () => {
      const mine = (await call(from.server, "list_schedules")).find(({ name }) => name === "mine")!;
      await call(to.server, "migrate_vm", { vmId, toHost: "there" });
      const again = (await call(from.server, "list_schedules")).find(({ id }) => id === mine.id)!;
      assert.deepEqual([again.enabled, again.targets.vmIds, again.time], [true, [vmId], "07:00"]);
      const left = await call(to.server, "list_schedules");
      assert.ok(left.every(({ targets }) => !targets.vmIds.includes(vmId)));
    });
  },
});
