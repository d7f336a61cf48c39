/** The serial console and the screens in a real browser, on a real guest. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser } from "../testbed/chromium.ts";
import { testMachine } from "../testbed/machine.ts";
import { readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

const ROWS = ".xterm-rows";
const open = (page: Page) => page.locator(".serial[data-state=open]").waitFor({ timeout: 90_000 });

browserTest(
  "the serial page is a shell: typed into, taken over, gone and back with its machine",
  async (t) => {
    await using server = await readyServer();
    await using vm = await testMachine({ purpose: "page", start: true });
    await vm.waitForBoot();
    await shows(server, vm.uuid, ({ state }) => state === "running");
    await using tester = await browser();
    const address = `${server.url}/vms/${vm.uuid}/serial`;
    await visit(tester, address, async (page) => {
      await t.step("typing runs a command, in colours of any kind, under the policy", async () => {
        await open(page);
        await page.keyboard.type(
          "\necho sum $((40 + 2)); printf '\\033[38;2;9;200;90mtrue\\033[1;31mred\\033[0m\\n'\n",
        );
        await waitForText(page, ROWS, "sum 42");
        await waitForText(page, ROWS, "truered");
      });
      await t.step("hostile escapes do nothing: no link, no clipboard, no title, no dialog", async () => {
        const title = await page.title();
        await page.keyboard.type(
          "printf '\\033]52;c;aGFja2Vk\\a\\033]8;;javascript:alert(1)\\aclick\\033]8;;\\a\\033]0;hacked\\a\\033[21t<img src=x>\\n'\n",
        );
        await waitForText(page, ROWS, "click");
        await waitForText(page, ROWS, "<img src=x>");
        assert.equal(await page.title(), title);
        await becomes(() => page.locator(`${ROWS} img, ${ROWS} a`).count(), 0);
        const word = (await page.locator(ROWS).getByText("click").last().boundingBox())!;
        await page.mouse.click(word.x + word.width / 2, word.y + word.height / 2);
        assert.equal(new URL(page.url()).pathname, `/vms/${vm.uuid}/serial`);
      });
      await t.step("Tab goes to the guest, Ctrl+Shift+E leaves the terminal", async () => {
        await page.locator(".xterm-helper-textarea").focus();
        await page.keyboard.press("Tab");
        assert.equal(await page.evaluate(() => document.activeElement?.tagName), "TEXTAREA");
        await page.keyboard.press("Control+Shift+E");
        assert.equal(await page.evaluate(() => document.activeElement?.tagName), "BUTTON");
      });
      await t.step("what was shown can be searched, saved and cleared", async () => {
        await page.getByRole("searchbox").last().fill("no such words");
        await page.keyboard.press("Enter");
        await waitForText(page, ".serial", "Not found");
        const [download] = await Promise.all([
          page.waitForEvent("download"),
          page.getByRole("button", { name: "Save as text" }).click(),
        ]);
        assert.match(await Deno.readTextFile(await download.path()), /sum 42/);
        await page.getByRole("button", { name: "Clear" }).click();
        await page.waitForFunction(() =>
          !document.querySelector(".xterm-rows")?.textContent?.includes("sum 42")
        );
      });
      await t.step("a second tab is told, takes over, and the first is told", async () => {
        const second = await tester.page();
        await second.goto(address);
        await waitForText(second, ".serial", "Another session holds this console");
        await second.getByRole("button", { name: "Take over" }).click();
        await open(second);
        await second.keyboard.type("\necho second $((3 * 3))\n");
        await waitForText(second, ROWS, "second 9");
        await waitForText(page, ".serial", "Another session took this console over");
        await second.context().close();
        await page.getByRole("button", { name: "Take over" }).click();
        await open(page);
      });
      await t.step("it says that the machine is off, and is back by itself when it starts", async () => {
        await server.call("force_stop_vm", { vmId: vm.uuid });
        await waitForText(page, ".serial", "The VM is off");
        await server.call("start_vm", { vmId: vm.uuid });
        await open(page);
        // What is typed before the shell is up is lost, as at any terminal.
        await until("the shell to answer", async () => {
          await page.keyboard.type("\necho back $((6 * 6))\n");
          const answer = page.locator(ROWS).filter({ hasText: "back 36" }).first();
          return await answer.waitFor({ timeout: 3000 }).then(() => true, () => false);
        });
      });
    }, { acceptDownloads: true });
  },
);

browserTest("a machine without a serial line for us says what to do", async () => {
  await using server = await readyServer();
  await using vm = await testMachine({ purpose: "file", serial: "file", guest: false, start: true });
  await shows(server, vm.uuid, ({ state }) => state === "running");
  await using tester = await browser();
  await visit(tester, `${server.url}/vms/${vm.uuid}/serial`, async (page) => {
    await waitForText(page, ".serial", "leads elsewhere");
    await becomes(() => page.locator(".xterm").count(), 0);
  }, { accessible: true });
});

browserTest("the serial page is free of axe-core's violations in both themes, wide and narrow", async (t) => {
  await using server = await readyServer();
  await using vm = await testMachine({ purpose: "axe", start: true });
  await vm.waitForBoot();
  await using tester = await browser();
  for (const size of [{}, PHONE]) {
    await t.step(
      size === PHONE ? "phone" : "wide",
      () =>
        visit(tester, `${server.url}/vms/${vm.uuid}/serial`, async (page) => {
          await open(page);
          await page.locator(".xterm-helper-textarea").focus();
          await page.keyboard.type(
            "\nprintf '\\033[31mred \\033[34mblue \\033[30mblack \\033[37mwhite\\033[0m\\n'\n",
          );
          await waitForText(page, ROWS, "red blue black white");
          assert.equal(await overflows(page), false, "wider than its window");
        }, { ...size, accessible: "in both themes" }),
    );
  }
});

browserTest("thumbnails show the screen, are refreshed only while seen, and shift nothing", async (t) => {
  await using server = await readyServer();
  await using vm = await testMachine({ purpose: "thumb", guest: false, vnc: true, start: true });
  await shows(server, vm.uuid, ({ state }) => state === "running");
  await using tester = await browser();
  const count = () => server.log().split("command=screenshot_vm").length - 1;
  await visit(tester, `${server.url}/vms?view=cards&q=${vm.name}`, async (page) => {
    const card = page.locator(`[data-vm="${vm.uuid}"]`);
    await card.waitFor();
    await t.step("on its card, with a text for who cannot see it", async () => {
      const before = await card.boundingBox();
      const picture = card.getByRole("img", { name: `Screen of ${vm.name}` });
      await picture.waitFor({ timeout: 90_000 });
      assert.ok(await picture.evaluate((image) => (image as HTMLImageElement).naturalWidth) > 100);
      assert.deepEqual(await card.boundingBox(), before);
    });
    await t.step("taken again while it is seen", async () => {
      const from = count();
      await page.waitForTimeout(12_000);
      assert.ok(count() - from >= 1 && count() - from <= 3, `${count() - from} in 12 seconds`);
    });
  });
  await t.step("and not without an open page", async () => {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const from = count();
    await new Promise((resolve) => setTimeout(resolve, 7000));
    assert.equal(count(), from);
  });
  await t.step("on its page", () =>
    visit(tester, `${server.url}/vms/${vm.uuid}`, async (page) => {
      await page.getByRole("img", { name: `Screen of ${vm.name}` }).waitFor({ timeout: 90_000 });
    }));
});
