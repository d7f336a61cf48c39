/** The consoles on a phone: touched, with a soft keyboard and the row of keys, on real guests. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser } from "../testbed/chromium.ts";
import { testMachine } from "../testbed/machine.ts";
import { EventLog, known, readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("guest", "chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

/** Chromium tells pages of a touch screen, and draws their keyboards' fields, only of what it takes for a phone. */
const TOUCHED = { ...PHONE, isMobile: true, deviceScaleFactor: 2 };

/** A key or pointer message of a viewer, as RFB has them. */
type Sent = { readonly key: number; readonly down: boolean } | { readonly buttons: number };

/** Reads what a page's viewer sends to its server: keys by their keysyms, and buttons of the pointer. */
function rfbSent(page: Page): Sent[] {
  const sent: Sent[] = [];
  page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => {
      if (typeof payload === "string") return;
      const bytes = new Uint8Array(payload);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      // QEMU's extended key event, RFB's key event, and its pointer event
      if (bytes.length === 12 && bytes[0] === 255) {
        sent.push({ key: view.getUint32(4), down: bytes[3] === 1 });
      } else if (bytes.length === 8 && bytes[0] === 4) {
        sent.push({ key: view.getUint32(4), down: bytes[1] === 1 });
      } else if (bytes.length === 6 && bytes[0] === 5) {
        sent.push({ buttons: bytes[1]! });
      }
    }));
  return sent;
}

const pressed = (sent: readonly Sent[]) =>
  sent.flatMap((each) => "key" in each && each.down ? [each.key] : []);
const key = (page: Page, name: string) =>
  page.getByRole("toolbar", { name: "Keys" }).getByRole("button", { name, exact: true });

browserTest("a screen is used by touch: soft keyboard, row of keys, held keys, right button", async (t) => {
  await using vm = await testMachine({ purpose: "touch", start: true, vnc: true });
  await using server = await readyServer();
  await using events = await EventLog.open(server);
  await using tester = await browser();
  await vm.waitForBoot();
  await visit(tester, `${server.url}/vms/${vm.uuid}`, async (page) => {
    const sent = rfbSent(page);
    await page.goto(`${server.url}/vms/${vm.uuid}/console`);
    await waitForText(page, ".console-foot [role=status]", "Connected");
    const field = page.locator(".soft-keyboard");
    const isTyping = () => field.evaluate((each) => document.activeElement === each);
    await t.step("everything fits, and keys are as large as a finger", async () => {
      assert.equal(await overflows(page), false);
      for (const each of await page.locator(".key").all()) {
        const { width, height } = (await each.boundingBox())!;
        assert.ok(width >= 40 && height >= 40, `${await each.innerText()}: ${width} × ${height}`);
      }
    });
    await t.step(
      "a button shows the keyboard; keys of the row and a touch of the screen leave it there",
      async () => {
        assert.equal(await isTyping(), false);
        await key(page, "Keyboard").tap();
        assert.equal(await isTyping(), true);
        await key(page, "Esc").tap();
        await page.locator(".console-screen canvas").tap();
        assert.equal(await isTyping(), true);
        assert.deepEqual(pressed(sent), [0xff1b]);
      },
    );
    await t.step("what the keyboard writes, completes and deletes is typed", async () => {
      sent.length = 0;
      await page.keyboard.insertText("ls");
      await page.keyboard.press("Backspace");
      await page.keyboard.insertText("S\n");
      const [l, s, backspace, shift, S, enter] = [0x6c, 0x73, 0xff08, 0xffe1, 0x53, 0xff0d];
      await until("the keys", () => Promise.resolve(pressed(sent).includes(enter)), { seconds: 10 });
      assert.deepEqual(pressed(sent), [l, s, backspace, shift, S, enter]);
    });
    await t.step("Ctrl is held for one key", async () => {
      sent.length = 0;
      await key(page, "Ctrl").tap();
      assert.equal(await key(page, "Ctrl").getAttribute("aria-pressed"), "true");
      await page.keyboard.insertText("c");
      await becomes(() => key(page, "Ctrl").getAttribute("aria-pressed"), "false");
      await page.keyboard.insertText("d");
      await until("both letters", () => Promise.resolve(pressed(sent).includes(0x64)), { seconds: 10 });
      assert.deepEqual(sent, [
        ...[{ key: 0xffe3, down: true }, { key: 0x63, down: true }],
        ...[{ key: 0x63, down: false }, { key: 0xffe3, down: false }],
        ...[{ key: 0x64, down: true }, { key: 0x64, down: false }],
      ]);
    });
    await t.step("the button hides the keyboard again", async () => {
      await key(page, "Keyboard").tap();
      assert.equal(await isTyping(), false);
    });
    await t.step("a finger that is held is the right button", async () => {
      sent.length = 0;
      const box = (await page.locator(".console-screen canvas").boundingBox())!;
      const devtools = await page.context().newCDPSession(page);
      const touchPoints = [{ x: box.x + box.width / 2, y: box.y + box.height / 2 }];
      await devtools.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints });
      await until(
        "the right button",
        () => Promise.resolve(sent.some((each) => "buttons" in each && each.buttons === 4)),
        {
          seconds: 10,
        },
      );
      await devtools.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    });
    await t.step("at 1:1 a finger moves the picture, or the pointer, as it is chosen", async () => {
      await page.getByRole("button", { name: "1:1" }).tap();
      const pan = page.getByRole("checkbox", { name: "Move the picture" });
      assert.equal(await pan.isChecked(), true);
      await pan.uncheck();
      await page.getByRole("button", { name: "Fit" }).tap();
      await becomes(() => pan.count(), 0);
    });
    await t.step("Ctrl, Alt and Del of the row restart the guest", async () => {
      await key(page, "More keys").tap();
      await key(page, "Ctrl").tap();
      await key(page, "Alt").tap();
      await key(page, "Delete").tap();
      await until(
        "a restart of the guest",
        () =>
          Promise.resolve(
            events.of("activity").some(({ action, vmId }) => action === "reboot" && vmId === vm.uuid),
          ),
        {
          seconds: 20,
        },
      );
    });
    assert.equal(await overflows(page), false);
  }, { ...TOUCHED, accessible: "in both themes" });
});

browserTest("a serial console is used by touch: typed into, arrows, Ctrl+C", async (t) => {
  await using vm = await testMachine({ purpose: "touch-serial", start: true });
  await using server = await readyServer();
  await vm.waitForBoot();
  await shows(server, vm.uuid, ({ state }) => state === "running");
  await using tester = await browser();
  await visit(tester, `${server.url}/vms/${vm.uuid}/serial`, async (page) => {
    const rows = ".xterm-rows";
    await page.locator(".serial[data-state=open]").waitFor({ timeout: 90_000 });
    await t.step("a text is typed, and the arrow brings it back", async () => {
      await key(page, "Keyboard").tap();
      await becomes(() => key(page, "Keyboard").getAttribute("aria-pressed"), "false");
      await key(page, "Keyboard").tap();
      await page.keyboard.type("\necho sum $((40 + 2))\n");
      await waitForText(page, rows, "sum 42");
      await page.getByRole("button", { name: "Clear" }).tap();
      await key(page, "Up").tap();
      await page.keyboard.press("Enter");
      await waitForText(page, rows, "sum 42");
    });
    await t.step("Ctrl, then c, ends what runs", async () => {
      await page.keyboard.type("sleep 1000; echo slept\n");
      await key(page, "Ctrl").tap();
      await page.keyboard.type("c");
      await page.keyboard.type("echo then $((6 * 7))\n");
      await waitForText(page, rows, "then 42");
    });
    assert.equal(await overflows(page), false);
  }, { ...TOUCHED, accessible: "in both themes" });
});

browserTest("with a mouse on a wide screen there is no row of keys", async () => {
  await using server = await readyServer();
  await using vm = await testMachine({ purpose: "wide", guest: false, vnc: true });
  await known(server, vm.uuid);
  await using tester = await browser();
  await visit(tester, `${server.url}/vms/${vm.uuid}/console`, async (page) => {
    await page.locator(".console-tools").waitFor();
    await becomes(() => page.locator(".key-row").isVisible(), false);
    await page.setViewportSize({ width: 390, height: 844 });
    await becomes(() => page.locator(".key-row").isVisible(), true);
  });
});
