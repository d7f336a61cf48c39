/** The page of what is inside a VM: told, run and browsed through a real guest's agent, and what it says without one. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { buildAgentGuest } from "../testbed/agent_guest.ts";
import { browser, hydrated } from "../testbed/chromium.ts";
import { ensureGuestTools } from "../testbed/guest_tools.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, known, readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

browserTest("a VM's guest is looked at, a program run and a file opened on its page", async (t) => {
  await using vm = await testMachine({ purpose: "guestpage", start: true });
  await using server = await readyServer();
  await using tester = await browser();
  const vmId = vm.uuid, path = `${server.url}/vms/${vmId}/guest`;
  await known(server, vmId);
  await vm.waitForAgent();
  await shows(server, vmId, (now) => now.guestAgent === "connected");

  await t.step(
    "it tells the system, and runs a program, whose output is text",
    () =>
      visit(tester, path, async (page) => {
        await waitForText(page, "main", vm.name);
        await waitForText(page, "main", "cloud-amd64");
        await page.getByLabel("Program and arguments").fill("echo 'open");
        await page.getByRole("button", { name: "Run", exact: true }).click();
        await waitForText(page, "[role=alert], .form-error", "not closed");
        await page.getByLabel("Program and arguments").fill("sh -c 'echo \"<b>hi</b>\"; exit 3'");
        await page.getByRole("button", { name: "Run", exact: true }).click();
        await waitForText(page, ".guest-terminal", "<b>hi</b>");
        await waitForText(page, ".guest-terminal", "Exit status 3");
        // Lines come back as in a shell, and what is run next stands below
        await page.getByLabel("Program and arguments").fill("echo second");
        await page.keyboard.press("Enter");
        await waitForText(page, ".guest-terminal li:last-child pre", "second");
        await page.keyboard.press("ArrowUp");
        await page.keyboard.press("ArrowUp");
        assert.match(await page.getByLabel("Program and arguments").inputValue(), /exit 3/);
        await page.keyboard.press("ArrowDown");
        await becomes(() => page.getByLabel("Program and arguments").inputValue(), "echo second");
        await page.getByRole("button", { name: "Clear" }).click();
        await page.locator(".guest-terminal").waitFor({ state: "detached" });
      }),
  );

  await t.step(
    "as a task it goes on by itself, and its page has its output and exit status",
    () =>
      visit(tester, path, async (page) => {
        await page.getByLabel("Program and arguments").fill("sh -c 'echo begun; sleep 3; echo over; exit 3'");
        await page.getByRole("button", { name: "Run as a task" }).click();
        await waitForText(page, ".guest-terminal", "Runs as a task");
        await page.getByLabel("Program and arguments").focus();
        await page.keyboard.press("ArrowUp");
        assert.match(await page.getByLabel("Program and arguments").inputValue(), /echo begun/);
        await page.getByRole("link", { name: "Show task" }).click();
        await waitForText(page, ".job-log", "over");
        await waitForText(page, ".job-log", "Exit status 3");
        await waitForText(page, ".job", "Failed");
      }),
  );

  await t.step(
    "without script every program is a task, and what was typed wrong stands in the form again",
    () =>
      visit(tester, path, async (page) => {
        const line = page.getByLabel("Program and arguments");
        await becomes(() => page.getByRole("button", { name: "Run", exact: true }).isVisible(), false);
        await line.fill("echo 'open");
        await page.getByRole("button", { name: "Run as a task" }).click();
        await waitForText(page, ".form-error", "quote that is not closed");
        await becomes(() => line.inputValue(), "echo 'open");
        await line.fill('sh -c \'echo "<b>a a</b>" "$@"\' sh same same');
        await page.keyboard.press("Enter");
        await waitForText(page, "h1", `Run sh in ${vm.name}`);
        await until("its end", async () => {
          const [job] = await call(server, "list_jobs", { limit: 1 });
          return job?.state === "done";
        });
        await page.reload();
        await waitForText(page, ".job-log", "<b>a a</b> same same");
        await waitForText(page, ".job-log", "Exit status 0");
        assert.equal(await overflows(page), false);
        await page.goto(`${server.url}/tasks`);
        await page.getByRole("link", { name: "Log" }).first().click();
        await waitForText(page, ".job-log", "Exit status 0");
      }, { javaScriptEnabled: false, expected: /status of 400/ }),
  );

  await t.step("a task that is not there is an error page", async () => {
    const answer = await fetch(`${server.url}/tasks/none`);
    assert.deepEqual([answer.status, /none/.test(await answer.text())], [404, true]);
  });

  await t.step(
    "files are chosen or dropped, and replace none without a word",
    () =>
      visit(tester, `${path}?path=/tmp`, async (page) => {
        const content = (text: string) => call(server, "guest_read_file", { vmId, path: text });
        const choose = (name: string, text: string) =>
          page.locator("#files input[type=file]").setInputFiles({
            name,
            mimeType: "text/plain",
            buffer: Buffer.from(text),
          });
        await choose("chosen & <b>.txt", "by hand");
        await waitForText(page, "#files table", "chosen & <b>.txt");
        await hydrated(page); // it was loaded again
        assert.equal((await content("/tmp/chosen & <b>.txt")).content, "by hand");
        const dropped = await page.evaluateHandle(() => {
          const data = new DataTransfer();
          data.items.add(new File(["dropped"], "dropped.txt"));
          data.items.add(new File([], "empty.txt"));
          return data;
        });
        await page.locator("#files table").dispatchEvent("drop", { dataTransfer: dropped });
        await waitForText(page, "#files table", "dropped.txt");
        await waitForText(page, "#files table", "empty.txt");
        await hydrated(page);
        assert.equal((await content("/tmp/dropped.txt")).content, "dropped");
        await choose("dropped.txt", "replaced");
        await waitForText(page, "#files", "A file of that name is there");
        assert.equal((await content("/tmp/dropped.txt")).content, "dropped");
        // It loads the page again, which would take the click on the link below along
        const loaded = page.waitForEvent("load");
        await page.getByRole("button", { name: "Replace" }).click();
        await loaded;
        await until("the file to be replaced", async () =>
          (await content("/tmp/dropped.txt")).content === "replaced");
        await page.getByRole("link", { name: "/", exact: true }).click();
        await waitForText(page, "#files table", "init");
      }),
  );

  await t.step(
    "folders are opened, without script, too; what is not there is said",
    () =>
      visit(tester, `${path}?path=/etc`, async (page) => {
        await page.getByRole("link", { name: "acpi" }).click();
        await waitForText(page, "main", "PWRF");
        await page.getByLabel("Folder").fill("/nope");
        await page.getByRole("button", { name: "Open", exact: true }).click();
        await waitForText(page, ".form-error", "Nothing is at /nope");
      }, { javaScriptEnabled: false }),
  );

  await t.step("it reads well in both themes, wide and on a phone", async () => {
    await call(server, "guest_freeze", { vmId, seconds: 60 });
    await visit(tester, path, (page) => waitForText(page, "main", "Wait until it thaws"));
    await visit(tester, path, async (page) => {
      await page.getByRole("button", { name: "Thaw" }).click();
      await waitForText(page, "[role=status]", "thawed");
    });
    for (const size of [{}, PHONE]) {
      await visit(tester, `${path}?path=/`, async (page) => {
        await waitForText(page, "main", "modules");
        assert.equal(await overflows(page), false);
      }, { ...size, accessible: "in both themes" });
    }
  });

  await t.step("of a VM that is off it says so", async () => {
    await call(server, "force_stop_vm", { vmId });
    await visit(tester, path, (page) => waitForText(page, "main", "The VM is not running"));
  });
});

if (reason === null && await requirement("agentGuest") === null) {
  browserTest("the guest tools are inserted by one click, and our agent tells what runs", async (t) => {
    await ensureGuestTools();
    // QEMU's agent is there: with its channel comes the controller that ours is plugged into
    await using vm = await testMachine({ purpose: "toolspage", guest: await buildAgentGuest(), start: true });
    await using server = await readyServer();
    await using tester = await browser();
    const vmId = vm.uuid, path = `${server.url}/vms/${vmId}/guest`;
    await known(server, vmId);
    await vm.waitForBoot();

    await t.step(
      "a VM without a channel gets it with the CD, also without script",
      () =>
        visit(tester, path, async (page) => {
          await waitForText(page, "main", "The VM has no channel for it");
          await page.getByRole("button", { name: "Insert guest tools" }).click();
          await waitForText(page, "[role=status]", "Run their installer");
        }, { javaScriptEnabled: false }),
    );

    await t.step(
      "the VM's menu leads there",
      () =>
        visit(tester, `${server.url}/vms/${vmId}`, async (page) => {
          await page.getByRole("button", { name: /More actions|Actions/ }).first().click();
          await page.getByRole("menuitem", { name: "Guest tools…" }).click();
          await waitForText(page, "main", "Guest agents");
        }),
    );

    await until("our agent", async () => {
      const { agents } = await call(server, "guest_agent_status", { vmId });
      return agents.some(({ agent, state }) => agent === "kvm-manager-agent" && state === "connected");
    }, { seconds: 240 });

    await t.step("values are left for the guest, and taken away, also without script", async () => {
      await visit(tester, `${path}?show=metadata`, async (page) => {
        await page.getByLabel("Key").fill("two words");
        await page.getByLabel("Value").fill("<b>webserver</b>");
        await page.getByRole("button", { name: "Set", exact: true }).click();
        await waitForText(page, ".form-error", "Must not contain");
        await becomes(() => page.getByLabel("Key").inputValue(), "two words");
        await page.getByLabel("Key").fill("role");
        await page.getByLabel("Value").fill("<b>webserver</b>");
        await page.getByRole("button", { name: "Set", exact: true }).click();
        await waitForText(page, "#more table", "<b>webserver</b>");
        await waitForText(page, "[role=status]", "Value left for the guest");
      }, { javaScriptEnabled: false, expected: /status of 400/ });
      const left = [{ key: "role", value: "<b>webserver</b>" }];
      assert.deepEqual(await call(server, "guest_get_metadata", { vmId }), left);
      await visit(tester, `${path}?show=metadata`, async (page) => {
        await page.getByRole("button", { name: "Delete role" }).click();
        await waitForText(page, "#more", "No values yet");
      });
      assert.deepEqual(await call(server, "guest_get_metadata", { vmId }), []);
    });

    await t.step("load, processes and security, in both themes, wide and on a phone", async () => {
      for (
        const [view, text] of [["metrics", "Load average"], ["processes", "kvm-manager-agent"], [
          "security",
          "SELinux",
        ], ["metadata", "No values yet"]]
      ) {
        for (const size of [{}, PHONE]) {
          await visit(tester, `${path}?show=${view}`, async (page) => {
            await waitForText(page, "#more", text!);
            assert.equal(await overflows(page), false);
          }, { ...size, accessible: "in both themes" });
        }
      }
    });
  });
}
