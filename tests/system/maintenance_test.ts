/** Moves in a queue, hosts in maintenance and rules of placement, between two hosts with a libvirt each. */
import assert from "node:assert/strict";
import type { Input, Job, Output } from "../../lib/contract/mod.ts";
import { type MigrationHost, migrationHosts } from "../testbed/migration_hosts.ts";
import { run } from "../testbed/process.ts";
import { call, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;
const SLOW = { seconds: 120 };

/** A VM that runs without a guest, with a disk of some MiB of data. */
async function tiny({ libvirt, images, server }: MigrationHost, megabytes: number) {
  const file = `${crypto.randomUUID().slice(0, 8)}.qcow2`, path = `/var/lib/libvirt/images/${file}`;
  await run(["qemu-img", "create", "-q", "-f", "qcow2", `${images}/${file}`, "128M"]);
  if (megabytes > 0) {
    await run(["qemu-io", "-f", "qcow2", "-c", `write -q -P 0x5a 0 ${megabytes}M`, `${images}/${file}`]);
  }
  await libvirt.virsh("pool-refresh", "images");
  const { uuid, name } = await libvirt.machine({
    start: true,
    disks: [{ path, format: "qcow2", bus: "virtio" }],
  });
  await shows(server, uuid, ({ state }) => state === "running");
  return { vmId: uuid, name };
}

const tinies = async (host: MigrationHost, count: number, megabytes = 0) => {
  const made: { vmId: string; name: string }[] = [];
  for (let n = 0; n < count; n++) made.push(await tiny(host, megabytes));
  return made;
};

const moves = async ({ server }: MigrationHost): Promise<Job[]> =>
  (await call(server, "list_jobs", { limit: 100 })).filter(({ command }) => command === "migrate_vm");

const maintenance = ({ server }: MigrationHost) => call(server, "get_maintenance");

/** Waits until nothing is done any more. */
const settledAt = (host: MigrationHost, state: Output<"get_maintenance">["state"]) =>
  until(`the maintenance to be ${state}`, async () => {
    const now = await maintenance(host);
    return now.state === state && now.moving + now.queued === 0 ? now : undefined;
  }, SLOW);

const running = ({ libvirt }: MigrationHost) =>
  libvirt.virsh("list", "--name").then((names) => names.split("\n").filter((name) => name !== "").toSorted());

const sorted = (vms: readonly { readonly name: string }[]) => vms.map(({ name }) => name).toSorted();

Deno.test({
  name: "a few VMs move at once, the others wait in order, also across a kill; one that waits is cancelled",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts, vms = await tinies(from, 4, 24);
    const [first, second, third, fourth] = vms;
    await call(from.server, "update_move_limits", { movesAtOnce: 1 });
    const slow = { toHost: "there", bandwidthMib: 4 } as const;

    await t.step("each has its place, and says what it waits for", async () => {
      const moving = call(from.server, "migrate_vm", { vmId: first!.vmId, ...slow });
      moving.catch(() => {});
      await until("it to move", async () => (await moves(from))[0]?.state === "running", SLOW);
      for (const { vmId } of [second!, third!, fourth!]) {
        call(from.server, "migrate_vm", { vmId, ...slow }).catch(() => {});
        await until("it to wait", async () => (await moves(from)).some((job) => job.vmId === vmId));
      }
      const waiting = (await moves(from)).filter(({ state }) => state === "queued");
      assert.deepEqual(
        waiting.map(({ vmId, place }) => [vmId, place]).toSorted(([, a], [, b]) => Number(a) - Number(b)),
        [
          [second!.vmId, 1],
          [third!.vmId, 2],
          [fourth!.vmId, 3],
        ],
      );
      assert.match(waiting[0]!.waitsFor!.join(), new RegExp(`Move ${first!.name} to there`));
      await refused(
        call(from.server, "migrate_vm", { vmId: third!.vmId, toHost: "there" }),
        "VmBusy",
        /waits to move/,
      );
      // It waits, and can be used meanwhile
      await call(from.server, "set_tags", { vmId: third!.vmId, tags: ["waits"] });
    });

    await t.step("cancelled, one that waits stays, and those behind it move up", async () => {
      const job = (await moves(from)).find(({ vmId }) => vmId === second!.vmId)!;
      await call(from.server, "cancel_job", { jobId: job.id });
      await until("the others to move up", async () => {
        const now = await moves(from);
        return now.find(({ id }) => id === job.id)?.state === "cancelled" &&
          now.find(({ vmId }) => vmId === third!.vmId)?.place === 1;
      });
    });

    await t.step("killed: what has begun is settled, what waits goes on by itself", async () => {
      const before = (await moves(from)).filter(({ state }) => state === "queued").map(({ id }) => id);
      assert.equal(before.length, 2);
      from.killServer();
      await from.startServer();
      await from.linked();
      await until(
        "those that waited to be there",
        async () => {
          const there = await to.vms();
          return [third!, fourth!].every(({ name }) => there.includes(name));
        },
        { seconds: 180 },
      );
      await until("their tasks to be over", async () => {
        const again = await moves(from);
        return before.every((id) => again.find((job) => job.id === id)?.state === "done");
      }, SLOW);
      await until(
        "all to be settled",
        () => Promise.resolve([...from.open(), ...to.open()].length === 0),
        SLOW,
      );
      const here = await running(from), there = await running(to);
      assert.deepEqual([...here, ...there].toSorted(), sorted(vms));
      assert.ok(here.includes(second!.name));
    });

    await t.step("several by one call; what cannot move is refused by itself", async () => {
      await call(from.server, "update_move_limits", { movesAtOnce: 2 });
      const { results } = await call(from.server, "batch_migrate_vms", {
        vmIds: [second!.vmId, crypto.randomUUID()],
        toHost: "there",
      });
      assert.deepEqual(results.map(({ success, error }) => [success, error?.code]), [[true, undefined], [
        false,
        "VmNotFound",
      ]]);
      await until("it to be there", async () => (await to.vms()).includes(second!.name), SLOW);
    });
  },
});

Deno.test({
  name: "a host in maintenance takes no VMs, is emptied by a plan, also across a kill, and gets its VMs back",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts, vms = await tinies(from, 5, 8), [kept, shut] = vms;
    const off = await call(from.server, "create_vm", {
      name: "off-vm",
      cpuCount: 1,
      memoryMb: 128,
      nics: [],
      disks: [{ sizeGb: 1, pool: "images" }],
    });
    await call(from.server, "set_autostart", { vmId: shut!.vmId, autostart: true });
    const choices: Input<"start_maintenance">["vms"] = [{ vmId: kept!.vmId, action: "leave" }];

    await t.step("the plan says where each goes, and changes nothing", async () => {
      const plan = await call(from.server, "plan_maintenance", { vms: choices });
      const of = (vmId: string) => plan.vms.find((vm) => vm.vmId === vmId)!;
      assert.deepEqual([of(kept!.vmId).action, of(off.id).action], ["leave", "leave"]);
      assert.deepEqual(
        vms.slice(1).map(({ vmId }) => [of(vmId).action, of(vmId).toHost, of(vmId).obstacles]),
        vms.slice(1).map(() => ["move", "there", []]),
      );
      const [there] = plan.hosts;
      assert.deepEqual([plan.hosts.length, there?.id, there?.vms, plan.away], [1, "there", 4, []]);
      assert.equal(there!.memoryFreeMb - there!.memoryLeftMb > 0, true);
      assert.equal((await maintenance(from)).state, "off");
      await refused(
        call(from.server, "plan_maintenance", { vms: [{ vmId: "nothing", action: "move" }] }),
        "VmNotFound",
      );
    });

    await t.step("it takes no VMs, whichever way they would come or start", async () => {
      await call(from.server, "start_maintenance", { drain: false, reason: "new disks" });
      const { server } = from, why = /is in maintenance \(new disks\)/;
      const xml = (await from.libvirt.virsh("dumpxml", "off-vm", "--inactive"))
        .replace(/<uuid>.*<\/uuid>/, "").replace("<name>off-vm</name>", "<name>imported</name>");
      const asked: readonly Promise<unknown>[] = [
        call(server, "create_vm", { name: "new", cpuCount: 1, memoryMb: 128, nics: [], disks: [] }),
        call(server, "clone_vm", { vmId: off.id, name: "copy" }),
        call(server, "import_vm", { xml }),
        call(server, "start_vm", { vmId: off.id }),
      ];
      // All at once: one that is refused before it is waited for would end the run
      await Promise.all(asked.map((each) => refused(each, "HostInMaintenance", why)));
      const { results } = await call(server, "batch_start_vms", { vmIds: [off.id] });
      assert.equal(results[0]?.error?.code, "HostInMaintenance");
      assert.deepEqual((await from.vms()).length, 6);
      // Forced, it starts
      await call(server, "start_vm", { vmId: off.id, inMaintenance: true });
      await call(server, "force_stop_vm", { vmId: off.id });
      // No VM comes, and the other host knows why
      const elsewhere = await tiny(to, 0);
      await until(
        "the other one to know",
        async () =>
          (await call(to.server, "list_hosts")).some(({ id, maintenance }) =>
            id === "there" && maintenance?.note === "new disks"
          ),
      );
      await refused(
        call(to.server, "migrate_vm", { vmId: elsewhere.vmId, toHost: "there" }),
        "VmNotMovable",
        /is in maintenance, and takes no VMs/,
      );
      const { away, hosts: none } = await call(to.server, "plan_maintenance");
      assert.deepEqual([away.map(({ reason }) => reason), none], [["it is in maintenance"], []]);
      await to.libvirt.virsh("destroy", elsewhere.name);
      await to.libvirt.virsh("undefine", elsewhere.name);
      // Whoever looks at the host is told
      assert.match((await call(server, "get_host_info")).attention.join(), /is in maintenance \(new disks\)/);
      assert.equal((await call(server, "list_hosts"))[0]?.maintenance?.state, "on");
    });

    await t.step("killed in the middle, it goes on; each VM runs once", async () => {
      const choice = [...choices, { vmId: shut!.vmId, action: "leave" as const }];
      await call(from.server, "start_maintenance", { vms: choice });
      await refused(call(from.server, "start_maintenance", {}), "DrainUnderWay");
      await until(
        "the first to have left",
        async () => (await maintenance(from)).vms.some(({ state }) => state === "done"),
        SLOW,
      );
      from.killServer();
      await from.startServer();
      await from.linked();
      const now = await settledAt(from, "on");
      assert.equal(now.note, "new disks");
      assert.deepEqual(
        vms.map(({ vmId }) => now.vms.find((vm) => vm.vmId === vmId)!).map((
          { action, state },
        ) => [action, state]),
        [["leave", "left"], ["leave", "left"], ["move", "done"], ["move", "done"], ["move", "done"]],
      );
      assert.deepEqual(await running(from), sorted([kept!, shut!]));
      assert.deepEqual(await running(to), sorted(vms.slice(2)));
      await until(
        "all to be settled",
        () => Promise.resolve([...from.open(), ...to.open()].length === 0),
        SLOW,
      );
    });

    await t.step("back to normal: each VM is back where it was", async () => {
      await call(from.server, "end_maintenance", {});
      const now = await settledAt(from, "off");
      assert.deepEqual(
        now.vms.filter(({ action }) => action === "move").map(({ state, message }) => [state, message]),
        vms.slice(2).map(() => ["returned", undefined]),
      );
      assert.deepEqual(await running(from), sorted(vms));
      assert.deepEqual(await to.vms(), []);
      await call(from.server, "start_vm", { vmId: off.id });
      await call(from.server, "force_stop_vm", { vmId: off.id });
      await refused(call(from.server, "end_maintenance", {}), "HostNotInMaintenance");
    });

    await t.step("stopped, nothing more leaves; what is gone is not brought back", async () => {
      await call(from.server, "update_move_limits", { movesAtOnce: 1 });
      await call(from.server, "start_maintenance", {});
      await until(
        "one to have left",
        async () => (await maintenance(from)).vms.some(({ state }) => state === "done"),
        SLOW,
      );
      await call(from.server, "stop_drain", {});
      const stopped = await settledAt(from, "on");
      assert.match(stopped.stopped ?? "", /has stopped it/);
      const gone = stopped.vms.find(({ state }) => state === "done")!;
      assert.ok(stopped.vms.some(({ state }) => state === "waiting"));
      await until(
        "the other to list it",
        async () => (await call(to.server, "get_vms")).some(({ id }) => id === gone.vmId),
      );
      await to.libvirt.virsh("destroy", gone.name);
      await to.libvirt.virsh("undefine", gone.name);
      await until(
        "this one to know",
        async () => !(await call(from.server, "get_vms")).some(({ id }) => id === gone.vmId),
      );
      await call(from.server, "end_maintenance", {});
      const now = await settledAt(from, "off");
      const told = now.vms.find(({ vmId }) => vmId === gone.vmId);
      assert.deepEqual([told?.state, told?.message], ["failed", "It is not on there any more"]);
    });

    await t.step("from the other host: begun, and ended, by the same commands", async () => {
      const host = "there";
      await call(to.server, "start_maintenance", { host, reason: "from afar" });
      const now = await settledAt(from, "on");
      assert.equal(now.note, "from afar");
      assert.deepEqual(await running(from), []);
      assert.equal((await call(to.server, "get_maintenance", { host })).state, "on");
      await call(to.server, "end_maintenance", { host });
      await settledAt(from, "off");
      assert.equal((await running(from)).length, 4);
    });
  },
});

Deno.test({
  name: "a VM that is shut down for maintenance does not start with the host, and is started afterwards",
  ignore,
  fn: async () => {
    await using hosts = await migrationHosts();
    const { from } = hosts;
    const vm = await from.libvirt.machine({ guest: true, start: true, serial: "pty" });
    await vm.waitForBoot();
    const vmId = vm.uuid;
    await shows(from.server, vmId, ({ guestAgent }) => guestAgent === "connected", { seconds: 60 });
    await call(from.server, "set_autostart", { vmId, autostart: true });
    await call(from.server, "start_maintenance", { vms: [{ vmId, action: "shutdown" }] });
    const now = await settledAt(from, "on");
    assert.deepEqual(now.vms.map(({ state, message }) => [state, message]), [["done", undefined]]);
    const shown = await call(from.server, "get_vm", { vmId });
    assert.deepEqual([shown.state, shown.autostart], ["stopped", false]);
    await call(from.server, "end_maintenance", {});
    await settledAt(from, "off");
    const again = await call(from.server, "get_vm", { vmId });
    assert.deepEqual([again.state, again.autostart], ["running", true]);
  },
});

Deno.test({
  name: "rules of placement hold plans and moves back; a person may go against them",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts, [one, two] = await tinies(from, 2), { server } = from;
    for (const { vmId } of [one!, two!]) await call(server, "set_tags", { vmId, tags: ["pair"] });

    await t.step("kept, and checked", async () => {
      const rule = await call(server, "create_placement_rule", {
        name: "stay",
        kind: "on",
        tags: ["pair"],
        hosts: ["local"],
      });
      assert.deepEqual([rule.vms, rule.broken], [2, []]);
      const again = call(server, "create_placement_rule", { name: "stay", kind: "apart", tags: ["pair"] });
      await refused(again, "PlacementRuleExists");
      const unknown = call(server, "create_placement_rule", {
        name: "x",
        kind: "on",
        tags: ["pair"],
        hosts: ["nowhere"],
      });
      await refused(unknown, "HostNotFound");
      const none = call(server, "create_placement_rule", { name: "x", kind: "together" });
      await refused(none, "InvalidInput", /at least one VM, tag or group/);
    });

    await t.step(
      "a move goes against it only where that is confirmed, and then it is shown as broken",
      async () => {
        const vmId = one!.vmId, toHost = "there";
        const { findings, possible } = await call(server, "get_migration_plan", { vmId, toHost });
        assert.deepEqual([possible, findings.map(({ check }) => check)], [true, ["placement"]]);
        await refused(call(server, "migrate_vm", { vmId, toHost }), "PlacementRuleBroken", /stay/);
        const plan = await call(server, "plan_maintenance", {});
        assert.match(plan.vms[0]!.obstacles.join(), /rules of placement are against it \(stay\)/);
        await call(server, "migrate_vm", { vmId, toHost, breakRules: true });
        await until(
          "it to be known there",
          async () => (await call(server, "get_vms")).some(({ id, host }) => id === vmId && host === "there"),
        );
        const [rule] = await call(server, "list_placement_rules");
        assert.match(rule!.broken.join(), new RegExp(`^${one!.name}: not on the hosts of “stay”`));
      },
    );

    await t.step("changed: apart, they may not be on one host", async () => {
      const [rule] = await call(server, "list_placement_rules");
      await call(server, "update_placement_rule", { ruleId: rule!.id, kind: "apart", hosts: [] });
      await refused(call(server, "migrate_vm", { vmId: two!.vmId, toHost: "there" }), "PlacementRuleBroken");
      assert.deepEqual((await call(server, "list_placement_rules"))[0]?.broken, []);
      const mine = await call(server, "get_vm_placement", { vmId: two!.vmId });
      assert.deepEqual(mine, { rules: [{ name: "stay", kind: "apart" }], broken: [] });
      await call(server, "delete_placement_rule", { ruleId: rule!.id });
      assert.deepEqual(await call(server, "list_placement_rules"), []);
    });

    await t.step("kept across a restart", async () => {
      await call(server, "create_placement_rule", {
        name: "off",
        kind: "not-on",
        vmIds: [two!.vmId],
        hosts: ["local"],
      });
      from.killServer();
      await from.startServer();
      await from.linked();
      await until("its VMs to be known", async () => (await call(from.server, "get_vms")).length === 2);
      const [rule] = await call(from.server, "list_placement_rules");
      assert.match(rule!.broken.join(), /on a host that “off” rules out/);
      const advice = await until("figures", async () => {
        const found = await call(from.server, "get_placement_advice");
        return found.length > 0 ? found : undefined;
      });
      assert.deepEqual(advice.map(({ vmId, to, text }) => [vmId, to, text]), [
        [two!.vmId, "there", "By off it belongs there."],
      ]);
      await call(from.server, "migrate_vm", { vmId: two!.vmId, toHost: "there" });
      assert.deepEqual(await running(to), sorted([one!, two!]));
    });
  },
});
