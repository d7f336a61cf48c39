/** Replication through its pages: begun from the VM's, seen on both hosts, taken over on the other one. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { call, known } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");

Deno.test({
  name: "a VM is replicated, tested and taken over through the pages of both hosts",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts, path = await randomImage(from, "disk.qcow2", 8);
    for (const name of ["lan", "spare"]) {
      await call(from.server, "create_network", { name, mode: "isolated" });
    }
    await call(to.server, "create_network", { name: "office", mode: "isolated" });
    const vm = await from.libvirt.machine({
      start: true,
      disks: [{ path, format: "qcow2", bus: "virtio" }],
      network: { name: "lan", mac: "52:54:00:00:00:01" },
    });
    await known(from.server, vm.uuid);
    await using tester = await browser();
    const list = () => `${from.server.url}/replication`, there = `${to.server.url}/replication`;

    await t.step(
      "begun from the VM's menu",
      () =>
        visit(tester, `${from.server.url}/vms/${vm.uuid}`, async (page) => {
          await page.locator("form.actions button[popovertarget]").click();
          await page.getByRole("menuitem", { name: "Replicate to another host…" }).click();
          await page.getByLabel("Interval").selectOption("1 day");
          assert.equal(await page.getByLabel("Begin with the old VM there").count(), 0, "there is none");
          await page.getByLabel("Network lan on there").selectOption("lan, which is not there yet");
          await page.getByRole("button", { name: "Replicate", exact: true }).click();
          await waitForText(page, "main", vm.name);
        }),
    );

    await until("the first copy", async () => {
      const [found] = await call(from.server, "list_replications");
      assert.notEqual(found?.lastRun?.state, "failed", JSON.stringify(found));
      return typeof found?.takenAt === "number" && !found.running;
    }, { seconds: 60 });

    await t.step("listed there with its age, on a phone as well", async () => {
      await visit(tester, list(), async (page) => {
        await waitForText(page, "main", "Active");
        await waitForText(page, "main", "sent");
      }, { accessible: "in both themes" });
      await visit(tester, there, async (page) => {
        await waitForText(page, "main", vm.name);
        assert.equal(await overflows(page), false);
      }, { ...PHONE, accessible: "in both themes" });
    });

    await t.step(
      "a network that is missing there is said before, and chosen",
      () =>
        visit(tester, list(), async (page) => {
          await page.getByRole("link", { name: `Switch over…: ${vm.name}` }).click();
          await waitForText(page, "main", "there has no network lan.");
          await page.getByRole("link", { name: "Cancel" }).click();
          await page.getByRole("link", { name: `Networks…: ${vm.name}` }).click();
          await page.getByLabel("Network lan on there").selectOption("office");
          await page.getByRole("button", { name: "Save" }).click();
          await until(
            "it is kept",
            async () => (await call(from.server, "list_replications"))[0]?.networks?.[0]?.to === "office",
          );
          await until("it is sent", async () => {
            const { id: replicaId } = (await call(to.server, "list_replicas"))[0]!;
            const plan = await call(to.server, "get_switch_over_plan", { replicaId });
            return plan.networks?.[0]?.name === "office";
          });
          await page.getByRole("link", { name: `Switch over…: ${vm.name}` }).click();
          await waitForText(page, "main", "Nothing is lost.");
          assert.ok(!(await page.locator("main").textContent())!.includes("has no network"));
        }, { accessible: "in both themes" }),
    );

    await t.step("paused, and on again", () =>
      visit(tester, list(), async (page) => {
        await page.getByRole("button", { name: `Pause: ${vm.name}` }).click();
        await waitForText(page, "main", "Paused");
        await page.getByRole("button", { name: `Go on: ${vm.name}` }).click();
        await waitForText(page, "main", "Active");
      }));

    await t.step(
      "a list that is open tells what happens meanwhile",
      () =>
        visit(tester, list(), async (page) => {
          const { id: replicationId } = (await call(from.server, "list_replications"))[0]!;
          await call(from.server, "update_replication", { replicationId, paused: true });
          await waitForText(page, "main", "Paused");
          await call(from.server, "update_replication", { replicationId, paused: false });
          await waitForText(page, "main", "Active");
        }),
    );

    await t.step(
      "shown among the VM's backups, and acted on from there",
      () =>
        visit(tester, `${from.server.url}/vms/${vm.uuid}/backups`, async (page) => {
          await page.getByRole("button", { name: `Pause: ${vm.name}` }).click();
          await page.waitForURL(`${from.server.url}/vms/${vm.uuid}/backups`);
          await waitForText(page, "main", "Paused");
          await page.getByRole("button", { name: `Go on: ${vm.name}` }).click();
          await waitForText(page, "main", "Active");
        }, { accessible: "in both themes" }),
    );

    await t.step("tested there", () =>
      visit(tester, there, async (page) => {
        await page.getByRole("button", { name: `Test: ${vm.name}` }).click();
        await until("the VM of the test", async () => (await to.vms("--state-running")).length === 1, {
          seconds: 60,
        });
        await until("the test to be known", async () =>
          (await call(to.server, "list_replicas"))[0]?.test !== null);
        await waitForText(page, "main", "Tested");
        await page.getByRole("button", { name: `End test: ${vm.name}` }).click();
        await until("the VM of the test to be gone", async () =>
          (await to.vms()).length === 0, { seconds: 60 });
        assert.deepEqual(await to.vms(), []);
      }));

    await t.step(
      "its host is away: its page leads to the replica, and what is not known is said",
      async () => {
        from.killServer();
        await until(
          "it to be away",
          async () =>
            (await call(to.server, "list_hosts")).some(({ id, status }) =>
              id === "there" && status !== "connected"
            ),
        );
        await visit(tester, `${to.server.url}/vms/${vm.uuid}`, async (page) => {
          await waitForText(page, "main", "The host is away");
          await page.getByRole("link", { name: "Replication", exact: true }).last().click();
          await page.getByRole("link", { name: `Take over…: ${vm.name}` }).click();
          await waitForText(page, "main", "is not known from here. Make sure that it does not");
          await waitForText(page, "main", "Use this only if");
        }, { expected: /the server responded with a status of 503/ });
        await from.startServer();
        await Promise.all([known(from.server, vm.uuid), from.linked(), to.linked()]);
      },
    );

    await t.step("switched over, without script, after a question", async () => {
      await visit(tester, there, async (page) => {
        // Its host works: switch over there
        await page.getByRole("link", { name: `Take over…: ${vm.name}` }).click();
        await waitForText(page, "main", "Switch over from there: nothing is lost then.");
        assert.equal(await page.getByRole("button", { name: "Take over and start" }).count(), 0);
      }, { accessible: "in both themes" });
      // Its firmware answers no shutdown: it is off
      await from.libvirt.virsh("destroy", vm.name);
      await until(
        "the VM to be off",
        async () =>
          (await call(from.server, "get_vms")).some(({ id, state }) => id === vm.uuid && state === "stopped"),
      );
      await visit(tester, list(), async (page) => {
        await page.getByRole("link", { name: `Switch over…: ${vm.name}` }).click();
        await waitForText(page, "main", "Nothing is lost.");
        await page.getByRole("button", { name: "Shut down and switch over" }).click();
        await until("the VM to run there", async () => (await to.vms("--state-running")).includes(vm.name), {
          seconds: 60,
        });
      }, { javaScriptEnabled: false });
      await visit(tester, `${from.server.url}/vms/${vm.uuid}`, async (page) => {
        await waitForText(page, "main", "This VM was taken over by there");
      }, { accessible: "in both themes" });
      await visit(tester, list(), async (page) => {
        await waitForText(page, "main", "Switched over");
        await page.getByRole("link", { name: `End…: ${vm.name}` }).click();
        await waitForText(page, "main", "Make sure that it does not run there any more");
      });
      await visit(tester, there, (page) => waitForText(page, "main", "Is a VM now"));
      assert.match(await to.libvirt.virsh("dumpxml", vm.name), /<source network='office'/);
      await visit(tester, `${to.server.url}/vms/${vm.uuid}/replicate`, async (page) => {
        await waitForText(page, "main", "Begin with the old VM there");
      }, { accessible: "in both themes" });
      // virsh starts it all the same
      await from.libvirt.virsh("start", vm.name);
      await until(
        "the VM to run here, too",
        async () =>
          (await call(from.server, "get_vms")).some(({ id, state }) => id === vm.uuid && state === "running"),
      );
      await visit(
        tester,
        `${from.server.url}/vms/${vm.uuid}`,
        (page) => waitForText(page, "main", "This VM may run twice: here and on there"),
        { accessible: "in both themes" },
      );
    });
  },
});
