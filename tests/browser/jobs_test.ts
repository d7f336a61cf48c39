/** The tasks drawer and its page: progress, log, cancel, the end told; with and without script. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { testPool } from "../testbed/pool.ts";
import { call, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import type { TestServer } from "../testbed/server.ts";
import { until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

const MIB = 2 ** 20;

/** An upload that takes its time: real long work, whose pace the test sets. */
function slowUpload(server: TestServer, pool: string, name: string) {
  const size = 400 * MIB, piece = new Uint8Array(MIB);
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      await new Promise((resolve) => setTimeout(resolve, 100));
      controller.enqueue(piece.slice());
    },
  }, { highWaterMark: 0 });
  const asked = fetch(`${server.url}/api/v1/storage/pools/${pool}/volumes/${name}/content`, {
    method: "PUT",
    body,
    headers: { "content-range": `bytes 0-${size - 1}/${size}` },
  }).then((answer) => answer.json(), () => ({ code: "cut off" }));
  return asked as Promise<{ code?: string }>;
}

browserTest("the tasks drawer shows long work live, and cancels it", async (t) => {
  await using server = await readyServer();
  await using pool = await testPool("drawer");
  await using tester = await browser();
  await until("the pool to be known", async () => {
    const url = `${server.url}/api/v1/storage/pools/${pool.name}/volumes/first.img/content`;
    const answer = await fetch(url, { method: "PUT", body: "x" });
    await answer.body?.cancel();
    return answer.ok;
  });

  for (const [theme, options] of [["light", {}], ["dark", PHONE]] as const) {
    await t.step(`drawer, ${theme}`, async () => {
      const asked = slowUpload(server, pool.name, `${theme}.img`);
      await until("it to run", async () => (await call(server, "list_jobs", { open: true })).length === 1);
      await visit(tester, `${server.url}/vms`, async (page) => {
        const button = page.getByRole("link", { name: "Tasks: 1 running" });
        await button.click();
        const item = page.locator(".drawer .job").filter({ hasText: `Upload ${theme}.img to ${pool.name}` });
        await item.waitFor();
        const bar = item.getByRole("progressbar");
        const before = Number(await bar.getAttribute("aria-valuenow"));
        await until(
          "progress without a reload",
          async () => Number(await bar.getAttribute("aria-valuenow")) > before,
        );
        await item.locator("summary").click();
        await waitForText(page, ".drawer .job-log", "Writing ");
        assert.equal(await overflows(page), false);
        await page.reload();
        await page.getByRole("link", { name: "Tasks: 1 running" }).click();
        await item.getByRole("button", { name: /^Cancel: Upload/ }).click();
        await waitForText(page, ".drawer .job", "Cancelled");
        await waitForText(page, ".toast", new RegExp(`Upload ${theme}.img to .*: cancelled`));
        await page.keyboard.press("Escape");
        await page.getByRole("link", { name: "Tasks", exact: true }).click();
        await waitForText(page, ".drawer .job", `${theme}.img`);
      }, { ...options, colorScheme: theme, accessible: true });
      assert.match((await asked).code ?? "", /^(JobCancelled|cut off)$/);
    });
  }

  await t.step("without script the page lists and cancels", async () => {
    const asked = slowUpload(server, pool.name, "plain.img");
    await until("it to run", async () => (await call(server, "list_jobs", { open: true })).length === 1);
    await visit(tester, `${server.url}/vms`, async (page) => {
      await page.getByRole("link", { name: /^Tasks/ }).click();
      await waitForText(page, ".job", "Upload plain.img");
      await page.getByRole("button", { name: /^Cancel: Upload plain/ }).click();
      await until(
        "it to be over",
        async () => (await call(server, "list_jobs", { open: true })).length === 0,
      );
      await page.goto(`${server.url}/tasks`);
      await waitForText(page, ".job", "Cancelled");
    }, { javaScriptEnabled: false });
    await asked;
  });
});
