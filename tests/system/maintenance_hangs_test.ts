/** A host is emptied while a QEMU is stopped, libvirtd of either host is killed or stopped, and KVM Manager of the other one is. */
import assert from "node:assert/strict";
import { type MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { freeze, thaw } from "../testbed/pid.ts";
import { call, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

const running = async ({ libvirt }: MigrationHost) =>
  (await libvirt.virsh("list", "--name")).split("\n").filter((name) => name !== "").toSorted();

Deno.test({
  name:
    "a host is emptied past what hangs: each VM runs once, nothing stays locked, and it goes on when asked",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts, vms: { readonly vmId: string; readonly name: string }[] = [];
    for (let n = 0; n < 4; n++) {
      const path = await randomImage(from, `drained-${n}.qcow2`, 16);
      const { uuid: vmId, name } = await from.libvirt.machine({
        start: true,
        disks: [{ path, format: "qcow2", bus: "virtio" }],
      });
      vms.push({ vmId, name });
    }
    for (const { vmId } of vms) await shows(from.server, vmId, ({ state }) => state === "running");
    const names = vms.map(({ name }) => name).toSorted();
    await call(from.server, "update_move_limits", { movesAtOnce: 1 });
    const now = () => call(from.server, "get_maintenance");
    const settled = (state: "on" | "off") =>
      until(`the maintenance to be ${state}`, async () => {
        const found = await now();
        return found.state === state && found.moving + found.queued === 0 ? found : undefined;
      }, { seconds: 90, every: 500 });
    const isMoving = () => until("a VM to move", async () => (await now()).moving > 0, { every: 50 });
    /** Each VM runs on one host. */
    const once = async () => {
      await until(
        "all to be settled",
        () => Promise.resolve(from.open().length + to.open().length === 0),
        { seconds: 60 },
      );
      assert.deepEqual([...await running(from), ...await running(to)].toSorted(), names);
    };
    const back = async () => {
      await from.linked();
      await call(from.server, "end_maintenance", {});
      await settled("off");
      await once();
      assert.deepEqual(await running(from), names);
    };

    /** Runs a step. If one fails, it leaves the hosts in a state that no other step can start from. */
    const step = async (what: string, work: () => Promise<void>) => assert.ok(await t.step(what, work), what);

    await step(
      "a QEMU is stopped: the others leave, it stays with the reason, and leaves once it goes on",
      async () => {
        const hung = vms[1]!, pid = (await from.libvirt.qemuOf(hung.name))!;
        await freeze(pid);
        await shows(from.server, hung.vmId, ({ responsive }) => responsive === false, { seconds: 30 });
        await call(from.server, "start_maintenance", {});
        const whole = await settled("on"), { vms: told } = whole;
        assert.equal(whole.stopped, undefined);
        const of = told.find(({ vmId }) => vmId === hung.vmId);
        assert.ok(of?.state === "failed" || of?.state === "left", JSON.stringify(of));
        assert.notEqual(of.message ?? "", "", JSON.stringify(of));
        assert.equal(told.filter(({ state }) => state === "done").length, 3, JSON.stringify(told));
        await thaw(pid);
        await shows(from.server, hung.vmId, ({ responsive }) => responsive !== false, { seconds: 60 });
        await call(from.server, "start_maintenance", {});
        const after = await settled("on");
        assert.deepEqual(
          after.vms.map(({ state }) => state),
          ["done", "done", "done", "done"],
          JSON.stringify(after.vms),
        );
        await once();
        await back();
      },
    );

    await step(
      "libvirtd there is killed: what was on its way may stay, the others wait for it",
      async () => {
        await call(from.server, "start_maintenance", {});
        await isMoving();
        await delay(700);
        await to.libvirt.kill();
        await delay(3000);
        await to.libvirt.start();
        const { vms: told } = await settled("on");
        const failed = told.filter(({ state }) => state !== "done");
        assert.ok(failed.length <= 1, JSON.stringify(told));
        await once();
        if (failed.length > 0) {
          await call(from.server, "start_maintenance", {});
          assert.ok((await settled("on")).vms.every(({ state }) => state === "done"));
          await once();
        }
        await back();
      },
    );

    await step("libvirtd here is stopped for a while", async () => {
      await call(from.server, "start_maintenance", {});
      await isMoving();
      {
        await using _frozen = await from.libvirt.freeze();
        await delay(15_000);
      }
      const { vms: told } = await settled("on");
      await once();
      const failed = told.filter(({ state }) => state !== "done");
      assert.ok(failed.length <= 1, JSON.stringify(told));
      if (failed.length > 0) {
        await call(from.server, "start_maintenance", {});
        assert.ok((await settled("on")).vms.every(({ state }) => state === "done"));
        await once();
      }
      await back();
    });

    await step("KVM Manager there is stopped for a while", async () => {
      await call(from.server, "start_maintenance", {});
      await isMoving();
      const goOn = await to.freezeServer();
      await delay(45_000);
      await goOn();
      const { vms: told } = await settled("on");
      await once();
      const failed = told.filter(({ state }) => state !== "done");
      assert.ok(failed.length <= 1, JSON.stringify(told));
      if (failed.length > 0) {
        await call(from.server, "start_maintenance", {});
        assert.ok((await settled("on")).vms.every(({ state }) => state === "done"));
        await once();
      }
      await back();
    });
  },
});
