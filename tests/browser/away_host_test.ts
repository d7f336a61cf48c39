/** The list of all hosts' VMs in the browser while one of the hosts goes away and comes back. */
import assert from "node:assert/strict";
import { browser, hydrated } from "../testbed/chromium.ts";
import { requirement } from "../testbed/skip.ts";
import { FAR_VM, THIRD_HOST, thirdHost } from "../testbed/third_host.ts";
import { LOCAL_VM, twoHosts } from "../testbed/two_hosts.ts";
import { until } from "../testbed/wait.ts";
import { PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");

const ONE_MORE =
  '<domain type="test"><name>one-more</name><memory>65536</memory><vcpu>1</vcpu><os><type>hvm</type></os></domain>';

/** Console message of the browser for calls that a host that is away refuses. */
const expected = /the server responded with a status of 50[13]/;

Deno.test({
  name: "VMs of a host that goes away are greyed with their age and cannot be acted on; the others stay live",
  ignore: reason !== null,
  // playwright-core keeps timers and pipes of the browser's process a moment longer.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using host = await twoHosts();
    await using far = await thirdHost(host);
    await using tester = await browser();
    const { api, url } = host;
    const isAway = async () =>
      (await api.listHosts()).some(({ id, status }) => id === THIRD_HOST && status !== "connected");
    await t.step("while one looks", async () => {
      await visit(tester, `${url}/vms`, async (page) => {
        const distant = page.locator(`[data-vm="${FAR_VM.id}"]`),
          own = page.locator(`[data-vm="${LOCAL_VM}"]`);
        await page.getByLabel(`Select ${FAR_VM.name}`).check();
        await page.locator(`[data-vm="${LOCAL_VM}"] input`).check();
        await waitForText(page, ".bulk-count", "2");
        await far.unlisten();
        await waitForText(page, "main", `${THIRD_HOST}: not connected since`);
        await waitForText(page, `[data-vm="${FAR_VM.id}"]`, "as of just now");
        assert.equal(await distant.getAttribute("data-away"), "");
        assert.equal(await distant.locator("button:not([aria-haspopup]):enabled, input:enabled").count(), 0);
        await waitForText(page, ".bulk-count", "1");
        assert.equal(await own.getAttribute("data-away"), null);
        assert.ok(await own.locator("button:not([aria-haspopup]):enabled").count() > 0);
        await api.setTags({ vmId: LOCAL_VM, tags: ["still-live"] });
        await waitForText(page, `[data-vm="${LOCAL_VM}"]`, "still-live");
        await page.getByRole("checkbox", { name: "Select all" }).click();
        await waitForText(page, ".bulk-count", "6");
        await far.listen();
        await until("it is back", async () => !await isAway());
        await until("its row is live", async () => await distant.getAttribute("data-away") === null);
        assert.ok(!(await page.locator("main").innerText()).includes("not connected since"));
        assert.ok(await distant.locator("button:not([aria-haspopup]):enabled").count() > 0);
      }, { expected });
    });
    await t.step("the dashboard names it as long as it is away, and the sidebar follows", async () => {
      await visit(tester, `${url}/`, async (page) => {
        await hydrated(page);
        const row = page.locator(`[data-away="${THIRD_HOST}"]`),
          link = page.locator(`.side-hosts a[href="/hosts/${THIRD_HOST}/"]`);
        assert.deepEqual([await row.count(), await link.getAttribute("data-away")], [0, null]);
        assert.equal(await link.locator(".nav-count").textContent(), "1");
        await far.unlisten();
        await row.waitFor();
        assert.match(await row.innerText(), /Not connected since \d/);
        await until("the sidebar to say so", async () => await link.getAttribute("data-away") === "");
        assert.equal(await link.locator(".nav-count").textContent(), "Not connected");
        await far.listen();
        await until("it to be back", async () => await row.count() === 0);
        await until("the sidebar to say so", async () => await link.getAttribute("data-away") === null);
        await until(
          "its VMs to be counted",
          async () => await link.locator(".nav-count").textContent() === "1",
        );
        // Of which there may be others by now
        const local = page.locator('.side-hosts a[href="/"] .nav-count'),
          before = Number(await local.textContent());
        await api.importVm({ xml: ONE_MORE });
        await until("one more to be counted", async () => Number(await local.textContent()) === before + 1);
      }, { expected });
    });
    await t.step("from the first, without script, and on a phone", async () => {
      await far.unlisten();
      await until("it is away", isAway);
      for (const options of [{ javaScriptEnabled: false }, PHONE]) {
        await visit(tester, `${url}/vms`, async (page) => {
          await waitForText(page, "main", `${THIRD_HOST}: not connected since`);
          const distant = page.locator(`[data-vm="${FAR_VM.id}"]`);
          assert.equal(await distant.getAttribute("data-away"), "");
          assert.equal(
            await distant.locator("button:not([aria-haspopup]):enabled, input:enabled").count(),
            0,
          );
        }, { expected, ...options });
      }
      await visit(tester, `${url}/vms`, (page) => waitForText(page, "main", "as of"), {
        expected,
        accessible: "in both themes",
      });
    });
  },
});
