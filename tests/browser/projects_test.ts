/** The pages on projects in a real browser: made, filled, limited, with members and end dates, and deleted; without script, too. */
import assert from "node:assert/strict";
import { browser, type TestBrowser } from "../testbed/chromium.ts";
import { testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { asRoot, signedIn } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { call, known, ownServer } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { PASSWORD } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { looksWell, overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");

Deno.test({
  name: "a project is made, gets VMs, members, a quota and defaults, and is deleted, on its pages",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using vm = await testMachine({ purpose: "projpage", guest: false });
    await using server = await ownServer();
    await using tester = await browser();
    await known(server, vm.uuid);
    await asRoot(server, "create_user", { name: "ann", grants: [] });
    for (const javaScriptEnabled of [true, false]) {
      const options = { javaScriptEnabled, expected: /status of 4/ };
      await t.step(javaScriptEnabled ? "with script" : "without script", async () => {
        await visit(tester, `${server.url}/projects`, async (page) => {
          await waitForText(page, "main", "No projects yet");
          await page.getByLabel("Description").fill("<img src=x onerror=alert(1)>");
          await page.getByLabel("Name", { exact: true }).fill("a/b");
          await page.getByLabel("Quota: VMs").fill("1");
          await page.getByRole("button", { name: "Create", exact: true }).click();
          await waitForText(page, ".form-error", "");
          assert.equal(await page.getByLabel("Quota: VMs").inputValue(), "1");
          await page.getByLabel("Name", { exact: true }).fill("shop");
          await page.getByRole("button", { name: "Create", exact: true }).click();
          await waitForText(page, "h1", "shop");
          await waitForText(page, "main", "<img src=x");
          await waitForText(page, "[data-quota=vms]", "0 of 1");
        }, options);
        const { id } = (await call(server, "list_projects"))[0]!;

        await visit(tester, `${server.url}/vms/${vm.uuid}/project`, async (page) => {
          await page.locator("select[name=project]").selectOption({ label: "shop" });
          await page.getByRole("button", { name: "Save" }).first().click();
          await waitForText(page, ".settings", "shop");
          await page.goto(`${server.url}/vms/${vm.uuid}/project`);
          await page.locator("input[name=endsAt]").fill("2001-01-01T10:00");
          await page.getByRole("button", { name: "Save" }).last().click();
          await waitForText(page, ".form-error", "later than now");
          await page.locator("input[name=endsAt]").fill("2099-01-01T10:00");
          await page.getByRole("button", { name: "Save" }).last().click();
          await waitForText(page, ".settings", "ends");
          await page.goto(`${server.url}/vms?project=shop`);
          await waitForText(page, "main", vm.name);
          await page.goto(`${server.url}/vms?project=none`);
          await page.waitForFunction(
            (name) => !document.querySelector("main")!.textContent!.includes(name),
            vm.name,
          );
        }, options);

        await visit(tester, `${server.url}/projects/${id}`, async (page) => {
          await waitForText(page, "[data-vm]", vm.name);
          await waitForText(page, "[data-quota=vms]", "1 of 1");
          await page.locator("select[name=userId]").selectOption({ label: "ann" });
          await page.locator("select[name=role]").selectOption("operator");
          // Asked for once; it holds for five minutes
          const adding = page.locator("form", { has: page.locator("select[name=userId]") });
          const own = adding.locator("input[type=password]");
          if (await own.count() > 0) await own.fill(PASSWORD);
          await page.getByRole("button", { name: "Add", exact: true }).click();
          await waitForText(page, "[data-member=ann]", "operator");
          await page.locator("input[name=vms]").fill("0");
          await page.locator("form", { has: page.locator("input[name=vms]") }).getByRole("button").click();
          await waitForText(page, "main", "Over quota: VMs");
          await page.locator("input[name=days]").fill("many");
          const save = page.locator("form", { has: page.locator("input[name=days]") }).getByRole("button");
          await save.click();
          await waitForText(page, ".banner[data-tone=bad]", "days");
          assert.equal(await page.locator("input[name=days]").inputValue(), "many");
          await page.locator("input[name=days]").fill("30");
          await page.locator("input[name=cpuCount]").fill("3");
          await page.locator("input[name=pools]").fill("fast, slow");
          await save.click();
          await page.waitForFunction(() => document.querySelector(".banner[data-tone=bad]") === null);
          assert.equal(await page.locator("input[name=pools]").inputValue(), "fast, slow");
          for (const width of [390, 1440]) {
            await page.setViewportSize({ width, height: 900 });
            assert.equal(await overflows(page), false, `${width}`);
            const file = Deno.env.get("KVMM_SHOTS");
            if (file !== undefined && javaScriptEnabled) {
              for (const colorScheme of ["light", "dark"] as const) {
                await page.emulateMedia({ colorScheme });
                await page.screenshot({
                  path: `${file}/project-${width}-${colorScheme}.png`,
                  fullPage: true,
                });
              }
            }
          }
          await page.getByRole("button", { name: "Remove ann from the project" }).click();
          await waitForText(page, "main", "No members yet");
        }, options);
        const { defaults, pools } = (await call(server, "list_projects"))[0]!;
        assert.deepEqual([defaults, pools], [{ days: 30, cpuCount: 3 }, ["fast", "slow"]]);

        await visit(tester, `${server.url}/vms/new?project=${id}`, async (page) => {
          if (javaScriptEnabled) await waitForText(page, "main", "Create VM");
          assert.equal(await page.locator("select[name=project]").inputValue(), id);
          assert.equal(await page.locator("input[name=cpuCount]").inputValue(), "3");
        }, options);

        await visit(tester, `${server.url}/projects/${id}`, async (page) => {
          await page.getByRole("button", { name: "Yes, delete shop" }).click();
          await waitForText(page, "main", "No projects yet");
        }, options);
        assert.equal((await call(server, "get_vm", { vmId: vm.uuid })).project, undefined);
        await call(server, "set_vm_end", { vmId: vm.uuid });
      });
    }
  },
});

Deno.test({
  name: "a member creates a VM on the project's page, from what it names",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using pool = await testPool("projmember");
    const name = await testName("projmember");
    await using stack = new AsyncDisposableStack();
    stack.defer(async () => {
      await removeDomain(name);
      await releaseName(name);
    });
    await pool.createVolume("base.qcow2", "64M");
    await using server = await ownServer({ env: { KVMM_VIRT_TYPE: "qemu" } });
    await using tester = await browser();
    const { id: projectId } = await call(server, "create_project", {
      name: "shop",
      defaults: { cpuCount: 1, memoryMb: 128, diskSizeGb: 1 },
      quota: { vms: 1 },
    });
    const password = "correct horse battery staple";
    await asRoot(server, "create_user", {
      name: "ann",
      password,
      grants: [{ role: "operator", on: { kind: "project", project: projectId } }],
    });
    const [cookie = "", value = ""] = (await signedIn(server, "ann", password)).headers.cookie!.split("=");
    const asAnn: TestBrowser = {
      ...tester,
      page: async (options) => {
        const page = await tester.page(options), context = page.context();
        await context.clearCookies();
        await context.addCookies([{ name: cookie, value, url: server.url }]);
        return page;
      },
    };
    const expected = /status of 4/;
    const at = `${server.url}/projects/${projectId}`;

    await t.step("closed until the project names a pool", async () => {
      await visit(asAnn, at, async (page) => {
        await waitForText(page, "h1", "shop");
        assert.equal(await page.getByRole("link", { name: "Create VM" }).count(), 0);
        await page.goto(`${at}/new-vm`);
        await waitForText(page, "main", "names no storage pool");
      }, { expected });
      await call(server, "update_project", {
        projectId,
        pools: [pool.name],
        images: ["base.qcow2", "gone.iso"],
      });
    });

    await looksWell(t, asAnn, `${at}/new-vm`, "the form");

    await t.step("refused, it keeps what was typed; then it is made, and the quota is full", async () => {
      await visit(asAnn, at, async (page) => {
        await page.getByRole("link", { name: "Create VM" }).click();
        await waitForText(page, "h1", "Create a VM in shop");
        await page.getByLabel("Name").fill(name);
        await page.getByLabel("Image").selectOption("gone.iso");
        await page.getByRole("button", { name: "Create VM" }).click();
        await waitForText(page, "main", "is not one of the images of the project shop");
        assert.equal(await page.getByLabel("Name").inputValue(), name);
        await page.getByLabel("Image").selectOption("base.qcow2");
        await page.getByLabel("Start it").uncheck();
        const file = Deno.env.get("KVMM_SHOTS");
        if (file !== undefined) await page.screenshot({ path: `${file}/project-new-vm.png`, fullPage: true });
        await page.getByRole("button", { name: "Create VM" }).click();
        await waitForText(page, "h1", "shop");
        await waitForText(page, "[data-vm]", name);
        await waitForText(page, "[data-quota=vms]", "1 of 1");
        await page.goto(`${at}/new-vm`);
        await page.getByLabel("Name").fill(`${name}2`);
        await page.getByRole("button", { name: "Create VM" }).click();
        await waitForText(page, "main", "1 VM more do not fit");
      }, { ...PHONE, expected });
    });
  },
});
