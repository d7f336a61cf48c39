/** The pages on profiles in a real browser: made, tools added, assigned to a project, previewed and imported; without script, too. */
import { Buffer } from "node:buffer";
import assert from "node:assert/strict";
import { PERMISSIONS } from "../../lib/access/permissions.ts";
import { browser } from "../testbed/chromium.ts";
import { asRoot } from "../testbed/people.ts";
import { call, ownServer } from "../testbed/product.ts";
import { PASSWORD } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";
import { overflows, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");
const SHOTS = Deno.env.get("KVMM_SHOTS");

type Page = Parameters<Parameters<typeof visit>[2]>[0];

/** Both widths, both themes: nothing is wider than the page. */
async function looks(page: Page, name: string): Promise<void> {
  for (const width of [390, 1440]) {
    await page.setViewportSize({ width, height: 900 });
    assert.equal(await overflows(page), false, `${name} ${width}`);
    if (SHOTS === undefined) continue;
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${SHOTS}/${name}-${width}-${colorScheme}.png`, fullPage: true });
    }
  }
}

Deno.test({
  name: "a profile is made, gets tools, is assigned, exported, imported and deleted, on its pages",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using server = await ownServer();
    await using tester = await browser();
    await asRoot(server, "create_user", { name: "ci-bot", grants: [] });
    for (const javaScriptEnabled of [true, false]) {
      const options = { javaScriptEnabled, expected: /status of 4/ };
      await t.step(javaScriptEnabled ? "with script" : "without script", async () => {
        const { id: project_id } = await call(server, "create_project", { name: "lab" });

        await visit(tester, `${server.url}/profiles/tools`, async (page) => {
          await waitForText(page, "main", "No tools are defined yet");
          const form = page.locator("form", { has: page.locator("select[name=account]") });
          await form.locator("input[name=name]").fill("ci");
          await form.locator("select[name=account]").selectOption({ label: "ci-bot" });
          const own = form.locator("input[type=password]");
          if (await own.count() > 0) await own.fill(PASSWORD);
          await form.getByRole("button").click();
          await waitForText(page, "[data-tool=ci]", "ci-bot");
          await looks(page, "profile-tools");
        }, options);

        await visit(tester, `${server.url}/profiles/tools`, async (page) => {
          await page.getByRole("link", { name: "Define a skill" }).click();
          await waitForText(page, "h1", "Define a skill");
          const form = page.locator("form", { has: page.locator("textarea[name=steps]") });
          const typed = 'set_tags vmId={{vm}} tags="nightly, {{tag}}"\nno_such vmId={{vm}}';
          const save = async (steps: string) => {
            await form.locator("textarea").fill(steps);
            const own = form.locator("input[type=password]");
            if (await own.count() > 0) await own.fill(PASSWORD);
            await form.getByRole("button").click();
          };
          await form.locator("input[name=name]").fill("mark");
          await form.locator("input[name=parameters]").fill("vm, tag");
          await save(typed);
          await waitForText(page, ".form-error", 'line 2: there is no command "no_such"');
          assert.equal(await form.locator("textarea").inputValue(), typed);
          assert.equal(await form.locator("input[name=parameters]").inputValue(), "vm, tag");
          await save("guest_set_password vmId={{vm}} user=ann password=hunter-2");
          await waitForText(page, ".form-error", "is a secret");
          await looks(page, "profile-skill");
          await save('set_tags vmId={{vm}} tags="nightly, {{tag}}"\nstart_vm vmId={{vm}}');
          await waitForText(page, "[data-tool=mark]", "2 steps");
          // To be changed it is there as it was written
          await page.locator("[data-tool=mark]").getByRole("link", { name: "mark" }).click();
          await waitForText(page, "h1", "Define a skill");
          assert.match(
            await form.locator("textarea").inputValue(),
            /^set_tags .*\nstart_vm vmId=\{\{vm\}\}$/,
          );
          await save("start_vm vmId={{vm}}");
          await waitForText(page, "[data-tool=mark]", "1 step");
          const [skill] = (await call(server, "list_tools")).filter(({ name }) => name === "mark");
          assert.deepEqual(skill!.steps, [{ command: "start_vm", input: { vmId: "{{vm}}" } }]);
          assert.deepEqual(skill!.parameters, ["vm", "tag"]);
        }, options);

        await visit(tester, `${server.url}/profiles`, async (page) => {
          await waitForText(page, "main", "No profiles yet");
          await page.getByLabel("Description").fill("<img src=x onerror=alert(1)>");
          await page.getByLabel("Name", { exact: true }).fill("a/b");
          await page.getByRole("button", { name: "Create", exact: true }).click();
          await waitForText(page, ".form-error", "Invalid profile name");
          await page.getByLabel("Name", { exact: true }).fill("nightly");
          await page.getByRole("button", { name: "Create", exact: true }).click();
          await waitForText(page, "h1", "nightly");
          await waitForText(page, "main", "<img src=x");
          const add = page.locator("form", { has: page.locator("input[name=allowed]") });
          const offered = await add.locator("datalist option").evaluateAll((all: HTMLOptionElement[]) =>
            all.map(({ value }) => value)
          );
          assert.deepEqual(offered, ["kvm-manager", "ci", "mark"]);
          await add.locator("input[name=name]").fill("ci");
          await add.locator("input[name=allowed]").fill("get_*, start_vm");
          await add.getByRole("button").click();
          await waitForText(page, "[data-tool=ci]", "get_*, start_vm");
          const allowed = PERMISSIONS.get("vms.operate")!.commands.filter((name) =>
            /^get_|^start_vm$/.test(name)
          );
          await waitForText(page, "[data-permission='vms.operate']", `${allowed.length} of`);
          // The same once more is refused, and what was typed stays
          await add.locator("input[name=name]").fill("ci");
          await add.locator("input[name=disallowed]").fill("stop_vm");
          await add.getByRole("button").click();
          await waitForText(page, ".banner[data-tone=bad]", "twice");
          assert.equal(await add.locator("input[name=disallowed]").inputValue(), "stop_vm");
          await looks(page, "profile");
        }, options);
        const { id } = (await call(server, "list_profiles"))[0]!;
        let file = "";

        await visit(tester, `${server.url}/projects/${project_id}/tools`, async (page) => {
          await waitForText(page, "main", "No profile is assigned.");
          await page.locator("select[name=profile_id]").selectOption({ label: "nightly" });
          await page.getByRole("button", { name: "Assign", exact: true }).click();
          await waitForText(page, "[data-tool=ci]", "profile");
          const add = page.locator("form", { has: page.locator("input[name=allowed]") });
          await add.locator("select[name=tool_type]").selectOption("mcp");
          await add.locator("input[name=name]").fill("kvm-manager");
          await add.getByRole("button").click();
          await waitForText(page, "[data-tool=kvm-manager]", "local");
          await asRoot(server, "set_tool", {
            tool_type: "skill",
            name: "see",
            parameters: ["vm", "cpus"],
            steps: [{ command: "get_vms", input: {} }, {
              command: "update_vm",
              input: { vmId: "{{vm}}", cpu: { count: "{{cpus}}" } },
            }],
          });
          await call(server, "add_local_tool", {
            project_id,
            tool_ref: { name: "see", tool_type: "skill", permissions: null, source_scope: null },
          });
          await page.goto(`${server.url}/projects/${project_id}/tools`);
          await looks(page, "project-tools");
          const field = (name: string) => page.locator(`input[name="values.${name}"]`);
          const run = page.getByRole("button", { name: "Run see" });
          await waitForText(page, "[data-tool=see]", "Parameters: vm, cpus");
          await waitForText(page, "#run", "Whole number");
          await field("vm").fill("web1");
          await field("cpus").fill("some");
          await run.click();
          await waitForText(page, ".banner[data-tone=bad]", "update_vm");
          assert.deepEqual([await field("vm").inputValue(), await field("cpus").inputValue()], [
            "web1",
            "some",
          ]);
          await asRoot(server, "set_tool", {
            tool_type: "skill",
            name: "see",
            steps: [{ command: "get_vms", input: {} }],
          });
          await page.goto(`${server.url}/projects/${project_id}/tools`);
          await waitForText(page, "#run", "It has no parameters.");
          await run.click();
          await waitForText(page, "main", "Run skill see on lab");
          await call(server, "remove_local_tool", { project_id, tool_name: "see", tool_type: "skill" });
          await page.goto(`${server.url}/projects/${project_id}/tools`);
          file = await page.evaluate(
            async (address: string) => await (await fetch(address)).text(),
            `/profiles/${id}/file`,
          );
          await page.getByRole("button", { name: "Remove mcp kvm-manager" }).click();
          await page.waitForFunction(() => document.querySelector("[data-tool=kvm-manager]") === null);
        }, options);
        assert.equal(JSON.parse(file).name, "nightly");
        assert.equal((await call(server, "get_profile", { id })).assigned_projects.length, 1);

        await visit(tester, `${server.url}/profiles`, async (page) => {
          const chosen = (text: string) =>
            page.locator("input[type=file]").setInputFiles({
              name: "p.kvmm-profile.json",
              mimeType: "application/json",
              buffer: Buffer.from(text),
            });
          await chosen("{");
          await page.getByRole("button", { name: "Preview" }).click();
          await waitForText(page, ".banner[data-tone=bad]", "no valid profile");
          await page.goto(`${server.url}/profiles`);
          await chosen(file);
          await page.getByRole("button", { name: "Preview" }).click();
          await waitForText(page, "main", "There is a profile with this name already");
          await looks(page, "profile-import");
          await page.getByRole("button", { name: "Import", exact: true }).click();
          await waitForText(page, ".banner[data-tone=bad]", "nightly already");
          await page.locator("input[name=rename_to]").fill("nightly-2");
          await page.getByRole("button", { name: "Import", exact: true }).click();
          await waitForText(page, "h1", "nightly-2");
          await waitForText(page, "[data-tool=ci]", "get_*, start_vm");
          await page.getByRole("button", { name: "Yes, delete nightly-2" }).click();
          await waitForText(page, "main", "nightly");
          await looks(page, "profiles");
        }, options);

        await visit(tester, `${server.url}/profiles/${id}`, async (page) => {
          await page.getByRole("button", { name: "Yes, delete nightly" }).click();
          await waitForText(page, "main", "No profiles yet");
        }, options);
        const { local_tools } = await call(server, "get_project_tools", { project_id });
        assert.deepEqual(local_tools.map(({ name }) => name), ["ci"]);
        await call(server, "delete_project", { projectId: project_id });
        await call(server, "delete_tool", { tool_type: "agent", name: "ci" });
        for (const name of ["mark", "see"]) await call(server, "delete_tool", { tool_type: "skill", name });
      });
    }
  },
});
