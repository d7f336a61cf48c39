/** KVM Manager as an installed app: its manifest as Chromium reads it, its colours, and its notifications. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser, hydrated, watchPage } from "../testbed/chromium.ts";
import { call, readyServer } from "../testbed/product.ts";
import { reverseProxy } from "../testbed/reverse_proxy.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { becomes, until } from "../testbed/wait.ts";
import { visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");
/** playwright-core keeps timers and pipes of the browser's process a moment longer. */
const browserTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn, sanitizeOps: false, sanitizeResources: false });

/** Chromium's reading of a page's manifest, and reasons not to install the page. */
async function installed(page: Page) {
  const devtools = await page.context().newCDPSession(page);
  const { url, data = "{}", errors } = await devtools.send("Page.getAppManifest");
  const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
  const manifest = JSON.parse(data) as { start_url: string; scope: string; icons: { src: string }[] };
  return { url, manifest, errors, installabilityErrors };
}

/** Asserts that a page can be installed, and that everything the manifest names is below `root`. */
async function assertInstallable(page: Page, root: string): Promise<void> {
  const { url, manifest, errors, installabilityErrors } = await installed(page);
  assert.equal(url, `${root}/app.webmanifest`);
  assert.deepEqual(errors, []);
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== "in-incognito"), []);
  assert.equal(new URL(manifest.start_url, url).href, `${root}/`);
  assert.equal(new URL(manifest.scope, url).href, `${root}/`);
  for (const { src } of manifest.icons) {
    const answer = await page.request.get(new URL(src, url).href);
    assert.equal(answer.status(), 200, src);
    assert.match(answer.headers()["content-type"] ?? "", /^image\//, src);
  }
}

browserTest("the page is installable, and the browser's bars have the theme's colour", async () => {
  await using server = await startServer({ uri: "test:///default" });
  await using tester = await browser();
  await visit(tester, `${server.url}/vms`, async (page) => {
    await assertInstallable(page, server.url);
    const colours = () =>
      page.locator("meta[name=theme-color]").evaluateAll((metas) =>
        metas.filter((meta) => matchMedia((meta as HTMLMetaElement).media).matches).map((meta) =>
          (meta as HTMLMetaElement).content
        )
      );
    const bar = () => page.locator(".top").evaluate((top) => getComputedStyle(top).backgroundColor);
    assert.deepEqual([await colours(), await bar()], [["#ffffff"], "rgb(255, 255, 255)"]);
    await page.getByRole("button", { name: "Dark theme" }).click();
    assert.deepEqual([await colours(), await bar()], [["#141820"], "rgb(20, 24, 32)"]);
    await page.reload();
    assert.deepEqual(await colours(), ["#141820"], "the server says the same");
  }, { colorScheme: "light" });
});

for (const strips of [false, true]) {
  browserTest(
    `installable below /kvm, with a proxy that ${strips ? "takes the path away" : "leaves the path"}`,
    async () => {
      const args = ["--trusted-proxy", "127.0.0.1", "--host-name", "localhost", "--base-path", "/kvm"];
      await using server = await startServer({ uri: "test:///default", args });
      await using proxy = await reverseProxy({ to: server.url, base: "/kvm", strips });
      await using tester = await browser();
      const page = await (await tester.newContext({ ignoreHTTPSErrors: true })).newPage();
      await page.goto(`${proxy.origin}/kvm/sign-in`);
      await assertInstallable(page, `${proxy.origin}/kvm`);
    },
  );
}

/** Seconds until something fires: two checks of five seconds, and some. */
const SOON = 40;

/**
 * Chromium's headless shell has no notifications: it refuses them all. Where a person would have allowed them, what the
 * page hands over is kept in its storage instead of shown.
 */
function allowNotifications(): void {
  Object.defineProperty(Notification, "permission", { get: () => "granted" });
  Notification.requestPermission = () => Promise.resolve("granted");
  ServiceWorkerRegistration.prototype.showNotification = (title, { body, data } = {}) => {
    const before = JSON.parse(localStorage.getItem("shown") ?? "[]") as unknown[];
    localStorage.setItem("shown", JSON.stringify([...before, { title, body, data }]));
    return Promise.resolve();
  };
}

/** The notifications that a page has handed to its service worker. */
const shown = (page: Page) =>
  page.evaluate(() =>
    JSON.parse(localStorage.getItem("shown") ?? "[]") as { title: string; body: string; data: string }[]
  );

browserTest(
  "alerts become notifications after a click, on whichever page is open, until they are stopped",
  async (t) => {
    await using server = await readyServer({ args: ["--metrics-interval", "5"] });
    await using tester = await browser();
    for (const { id } of await call(server, "list_alerts")) {
      if (id.startsWith("host-")) await call(server, "enable_alert", { alertId: id, enabled: false });
    }
    const fire = (name: string) =>
      call(server, "create_alert", {
        name,
        watches: "host_metric",
        series: "vms_running",
        threshold: -1,
        checks: 1,
        severity: "critical",
        scope: "host",
        hostId: "local",
      });
    const status = ".alert-notifications [role=status]";

    await t.step("blocked by the browser: the page says what to do", async () => {
      await visit(tester, `${server.url}/alerts`, async (page) => {
        await waitForText(page, status, "This browser blocks notifications of this page. Allow them");
        await becomes(() => page.getByRole("button", { name: "Show notifications" }).count(), 0);
      }, { accessible: "in both themes" });
    });

    const page = await tester.page();
    await page.addInitScript(allowNotifications);
    const watch = watchPage(page);
    await t.step("they are off until somebody turns them on", async () => {
      await page.goto(`${server.url}/alerts`);
      await hydrated(page);
      await page.getByRole("button", { name: "Show notifications" }).waitFor();
      assert.equal(
        await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length),
        0,
      );
      await page.getByRole("button", { name: "Show notifications" }).click();
      await waitForText(page, status, "Notifications are on");
    });
    await t.step("an alert that fires on another page is one, and leads to its row", async () => {
      await page.goto(`${server.url}/vms`);
      await hydrated(page);
      await fire("VMs are <b>counted</b>");
      await until("a notification", async () => (await shown(page)).length === 1, { seconds: SOON });
      const [notification] = await shown(page);
      assert.match(notification!.title, /: VMs are <b>counted<\/b>$/);
      assert.match(notification!.body, /VMs running is \d+, above -1/);
      await page.goto(new URL(notification!.data, `${server.url}/`).href);
      await page.locator("tr:target").filter({ hasText: "VMs are <b>counted</b>" }).waitFor();
    });
    await t.step("no page is kept by the service worker", async () => {
      assert.deepEqual(await page.evaluate(() => caches.keys()), []);
      const answer = await page.reload();
      assert.equal(answer!.fromServiceWorker(), false);
      await hydrated(page);
    });
    await t.step("stopped, none is shown any more", async () => {
      await page.getByRole("button", { name: "Stop notifications" }).click();
      await page.getByRole("button", { name: "Show notifications" }).waitFor();
      await fire("VMs are counted again");
      await waitForText(page, "tr[data-state=firing]", "VMs are counted again", SOON);
      assert.equal((await shown(page)).filter(({ title }) => title.includes("again")).length, 0);
      assert.deepEqual(watch.all(), []);
    });
  },
);
