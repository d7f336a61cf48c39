/** The XML page: reading, editing, checking, saving, undoing, and that no change of another user is lost. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser } from "../testbed/chromium.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { known, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

const AREA = "textarea[name=xml]";

/** Changes the text in the editor. */
async function edit(page: Page, change: (xml: string) => string): Promise<string> {
  await page.locator(".xml-editor[data-live]").waitFor();
  const changed = change(await page.locator(AREA).inputValue());
  await page.locator(AREA).fill(changed);
  return changed;
}

const described = (text: string) => (xml: string) =>
  xml.replace(/(<description>)[^<]*/, (_, tag: string) => tag + text);

browserTest("an edit is checked, shown as a difference, saved, and undone", async (t) => {
  await using vm = await testMachine({
    purpose: "xmlpage",
    guest: false,
    disks: [{}],
    vnc: { password: "planted7" },
    description: "before",
  });
  await using server = await readyServer();
  await using tester = await browser();
  await known(server, vm.uuid);
  const at = `${server.url}/vms/${vm.uuid}/xml`;

  await visit(tester, at, async (page) => {
    await t.step("to read, it holds no password", async () => {
      await waitForText(page, ".code", vm.name);
      assert.doesNotMatch(await page.content(), /planted7/);
      await page.getByRole("link", { name: "Edit" }).click();
      await waitForText(page, ".banner", "passwords");
      const kept = (await fetch(`${at}?edit=1`)).headers.get("cache-control");
      assert.equal(kept, "no-store", "a page with passwords is kept nowhere");
      assert.match(await page.locator(AREA).inputValue(), /planted7/);
    });
    await t.step("a mistake is shown next to its line during typing", async () => {
      const changed = await edit(page, (xml) => xml.replace("<vcpu", "<vcpu bogus='1'"));
      const line = changed.slice(0, changed.indexOf("<vcpu")).split("\n").length;
      await page.locator(".code-line[data-problem]").waitFor();
      const marked = await page.locator(".code-line").evaluateAll((lines) =>
        lines.findIndex((each) => each.hasAttribute("data-problem")) + 1
      );
      assert.equal(marked, line);
      await page.getByRole("button", { name: `Line ${line}` }).click();
      const selected = await page.locator(AREA).evaluate((area: HTMLTextAreaElement) =>
        area.value.slice(area.selectionStart, area.selectionEnd)
      );
      assert.match(selected, /<vcpu bogus/);
    });
    await t.step("Save refuses it, and nothing was changed", async () => {
      await page.getByRole("button", { name: "Save…" }).click();
      await waitForText(page, ".xml-status", "vcpu");
      await becomes(() => page.getByRole("dialog").count(), 0);
      assert.doesNotMatch(await vm.xml("--inactive"), /bogus/);
    });
    await t.step("the difference is shown, then saved", async () => {
      await edit(page, (xml) => described("after")(xml.replace(" bogus='1'", "")));
      await waitForText(page, ".xml-status", "libvirt accepts this");
      await page.getByRole("button", { name: "Save…" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.waitFor();
      assert.match(await dialog.locator('[data-kind="removed"]').innerText(), /before/);
      assert.match(await dialog.locator('[data-kind="added"]').innerText(), /after/);
      await becomes(() => dialog.locator('[data-kind="added"]').count(), 1);
      await dialog.getByRole("button", { name: "Save" }).click();
      await waitForText(page, ".toast", "The configuration was saved");
      assert.match(await vm.xml("--inactive"), /after/);
      assert.match(await vm.xml("--inactive", "--security-info"), /planted7/);
    });
    await t.step("Undo brings the old one back", async () => {
      await page.getByRole("button", { name: "Undo" }).click();
      await waitForText(page, ".toast", "as it was before");
      assert.match(await vm.xml("--inactive"), /<description>before</);
      assert.match(await page.locator(AREA).inputValue(), /<description>before</);
    });
    await t.step("another's change is not overwritten, and one's own text is not lost", async () => {
      await edit(page, described("mine"));
      await virsh("desc", vm.name, "--config", "theirs");
      await page.getByRole("button", { name: "Save…" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
      await waitForText(page, "[role=alert]", "Somebody else changed");
      assert.match(await vm.xml("--inactive"), /theirs/);
      assert.match(await page.locator(AREA).inputValue(), /mine/);
      await page.getByRole("button", { name: "Save…" }).click();
      const dialog = page.getByRole("dialog");
      assert.match(await dialog.locator('[data-kind="removed"]').innerText(), /theirs/);
      await dialog.getByRole("button", { name: "Save" }).click();
      await waitForText(page, ".toast", "The configuration was saved");
      assert.match(await vm.xml("--inactive"), /mine/);
    });
  }, { expected: /status of (400|409)/ });
});

browserTest("Tab indents after one has typed, and lets the keyboard out otherwise", async () => {
  await using vm = await testMachine({ purpose: "xmlkeys", guest: false });
  await using server = await readyServer();
  await using tester = await browser();
  await known(server, vm.uuid);
  await visit(tester, `${server.url}/vms/${vm.uuid}/xml?edit=1`, async (page) => {
    await page.locator(".xml-editor[data-live]").waitFor();
    const area = page.locator(AREA);
    const hasFocus = () => area.evaluate((element) => element === document.activeElement);
    const first = async () => (await area.inputValue()).split("\n")[0];
    await area.focus();
    await page.keyboard.press("Tab");
    assert.equal(await hasFocus(), false, "Tab moves on from a text that was only passed through");
    await area.focus();
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("Home");
    await page.keyboard.press("Tab");
    assert.equal(await hasFocus(), true);
    assert.match(await first() ?? "", /^ {2}<domain/);
    await page.keyboard.press("Shift+Tab");
    assert.match(await first() ?? "", /^<domain/);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Tab");
    assert.equal(await hasFocus(), false, "Escape, then Tab leaves");
    page.on("dialog", (dialog) => dialog.accept());
  });
});

browserTest("without script the form checks, refuses with the line, and saves", async () => {
  await using vm = await testMachine({ purpose: "xmlplain", guest: false, description: "before" });
  await using server = await readyServer();
  await using tester = await browser();
  await known(server, vm.uuid);
  await visit(tester, `${server.url}/vms/${vm.uuid}/xml?edit=1`, async (page) => {
    const area = page.locator(AREA);
    const xml = await area.inputValue();
    await area.fill(xml.replace("<vcpu", "<vcpu bogus='1'"));
    await page.getByRole("button", { name: "Check" }).click();
    await waitForText(page, ".xml-problem", "vcpu");
    await page.getByRole("button", { name: "Save…" }).click();
    await waitForText(page, ".xml-problem", "line");
    assert.match(await area.inputValue(), /bogus/, "what was typed is still there");
    await area.fill(described("after")(xml));
    await page.getByRole("button", { name: "Save…" }).click();
    await waitForText(page, "main", /Configuration of .* saved/);
    assert.match(await vm.xml("--inactive"), /after/);
  }, { javaScriptEnabled: false });
});

browserTest("the editor is free of axe-core's violations, with a problem and without", async (t) => {
  await using vm = await testMachine({ purpose: "xmlaxe", guest: false, start: true, vnc: true });
  await using server = await readyServer();
  await using tester = await browser();
  await known(server, vm.uuid);
  for (const size of [{}, PHONE]) {
    await t.step(
      size === PHONE ? "phone" : "wide",
      () =>
        visit(tester, `${server.url}/vms/${vm.uuid}/xml?edit=1`, async (page) => {
          await edit(page, (xml) => xml.replace("<vcpu", "<vcpu bogus='1'"));
          await page.locator(".code-line[data-problem]").waitFor();
          assert.equal(await overflows(page), false, "wider than its window");
        }, { ...size, accessible: "in both themes" }),
    );
  }
  await t.step(
    "the difference",
    () =>
      visit(tester, `${server.url}/vms/${vm.uuid}/xml?edit=1`, async (page) => {
        await edit(page, (xml) => xml.replace("<vcpu", "<description>new</description>\n<vcpu"));
        await page.getByRole("button", { name: "Save…" }).click();
        await page.locator(".diff").waitFor();
      }, { accessible: true }),
  );
});
