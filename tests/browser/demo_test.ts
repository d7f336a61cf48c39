/** The demo as its visitor sees it: every page of the navigation has content, in both themes, and breaks no rule of axe. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { LANGUAGES } from "../../lib/i18n/languages.ts";
import { browser, checkAccessibility, hydrated, watchPage } from "../testbed/chromium.ts";
import { demoPages, demoVms } from "../testbed/demo_pages.ts";
import { startServer } from "../testbed/server.ts";
import { delay, until } from "../testbed/wait.ts";

/** Pages that say that there is nothing, and why that is right in a demo. */
const EMPTY: Readonly<Record<string, string>> = {
  "/replication": "no KVM Manager is linked",
  "/disks": "no folder is shared with the VM",
};

Deno.test("every page of the demo has content, in both themes, and is accessible", async () => {
  await using server = await startServer({ demo: true });
  await using tester = await browser();
  const page = await tester.page({ viewport: { width: 1440, height: 900 } });
  const watch = watchPage(page), found: string[] = [];
  for (const path of await demoPages(server)) {
    await page.emulateMedia({ colorScheme: "light" });
    const response = await page.goto(`${server.url}${path}`);
    if (response?.status() !== 200) found.push(`${path}: HTTP ${response?.status()}`);
    await page.locator("h1, h2").first().waitFor();
    if (await page.getByText("Demo.", { exact: true }).count() !== 1) {
      found.push(`${path}: no bar says that it is a demo`);
    }
    const isEmpty = await page.locator("main .empty").count() > 0;
    if (isEmpty && !Object.keys(EMPTY).some((end) => path.endsWith(end))) found.push(`${path}: it is empty`);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const violations = await checkAccessibility(page, { coloursOnly: colorScheme === "dark" });
      found.push(...violations.map(({ rule, places }) => `${path} (${colorScheme}): ${rule}: ${places[0]}`));
    }
  }
  assert.deepEqual(found, []);
  assert.deepEqual(watch.all(), []);
  assert.deepEqual(watch.failures, []);
});

Deno.test("a page of several hosts reads them once after a change of a VM, and not again and again", async () => {
  await using server = await startServer({ demo: true });
  await using tester = await browser();
  const page = await tester.page({ viewport: { width: 1440, height: 900 } });
  const vms = await demoVms(server);
  await page.goto(`${server.url}/networks`);
  await hydrated(page);
  await page.waitForLoadState("networkidle");
  let reads = 0;
  page.on("request", (request) => {
    if (request.url().endsWith("/commands/list_hosts")) reads++;
  });
  await server.call("pause_vm", { vmId: vms.find(({ state }) => state === "running")!.id });
  await until("them to be read", () => Promise.resolve(reads > 0));
  // A loop would have read them every two seconds
  await delay(9000);
  assert.ok(reads <= 2, `they were read ${reads} times`);
});

Deno.test("a page of several hosts reads on load nothing that it was rendered with but the hosts", async () => {
  await using server = await startServer({ demo: true });
  await using tester = await browser();
  // A host that connects meanwhile is an event, whereupon they are read again
  await demoVms(server);
  for (const path of ["/networks", "/storage", "/"]) {
    const page = await tester.page({ viewport: { width: 1440, height: 900 } });
    const commands: string[] = [];
    page.on("request", (request) => {
      const [, command] = /\/api\/v1\/commands\/(\w+)/.exec(request.url()) ?? [];
      if (command !== undefined) commands.push(command);
    });
    await page.goto(server.url + path);
    await hydrated(page);
    // The sidebar reads the hosts; what follows from that begins within the settling time of a query
    await until("the hosts", () => Promise.resolve(commands.includes("list_hosts")));
    await delay(1500);
    const hosts = commands.filter((command) => command === "list_hosts");
    assert.deepEqual([path, hosts.length], [path, 1]);
    const rendered = commands.filter((command) => /^get_(networks|storage_pools)$/.test(command));
    assert.deepEqual([path, rendered], [path, []]);
    await page.close();
  }
});

Deno.test("the sidebar's number of VMs is that of the pages' hosts from the first byte, and stays", async () => {
  await using server = await startServer({ demo: true });
  await using tester = await browser();
  const vms = await demoVms(server);
  const far = vms.filter(({ host }) => host === "kvm-02").length;
  assert.ok(far > 0 && far < vms.length);
  for (const [path, count] of [["/", vms.length], ["/vms", vms.length], ["/hosts/kvm-02/", far]] as const) {
    const unscripted = await tester.page({ javaScriptEnabled: false });
    await unscripted.goto(`${server.url}${path}`);
    const number = ".side-link[href$='/vms'] .nav-count";
    assert.equal(await unscripted.locator(number).textContent(), String(count), path);
    await unscripted.context().close();
    const page = await tester.page({ viewport: { width: 1440, height: 900 } });
    await page.goto(`${server.url}${path}`);
    await hydrated(page);
    await page.waitForLoadState("networkidle");
    assert.equal(await page.locator(number).textContent(), String(count), `${path}, hydrated`);
    await page.context().close();
  }
});

/** Controls of a page in a language whose name lacks the words that they show, those in closed menus as well. */
const misnamed = (page: Page, path: string, language: string) =>
  page.evaluate(async ({ path, language }) => {
    const response = await fetch(path, { headers: { "accept-language": language } });
    const html = new DOMParser().parseFromString(await response.text(), "text/html");
    const words = (text: string) => text.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, " ").trim();
    const named = html.querySelectorAll(":is(a, button, summary, [role=menuitem])[aria-label]");
    return [...named].flatMap((control) => {
      const shown = control.cloneNode(true) as Element;
      for (const unseen of shown.querySelectorAll(".visually-hidden, svg, kbd, [aria-hidden=true]")) {
        unseen.remove();
      }
      const name = control.getAttribute("aria-label") ?? "";
      return words(name).includes(words(shown.textContent)) ? [] : [`${shown.textContent}: ${name}`];
    });
  }, { path, language });

Deno.test("who says the words that a control shows finds it by them, in each language (WCAG 2.5.3)", async () => {
  await using server = await startServer({ demo: true });
  await using tester = await browser();
  const page = await tester.page(), found = new Set<string>();
  await page.goto(`${server.url}/help`);
  for (
    const path of [
      ...await demoPages(server),
      "/alerts/silences",
      "/settings/alert-targets",
      "/images/catalog",
    ]
  ) {
    for (const tag of Object.keys(LANGUAGES)) {
      for (const each of await misnamed(page, path, tag)) found.add(`${path} (${tag}): ${each}`);
    }
  }
  assert.deepEqual([...found], []);
});

Deno.test("the demo's consoles answer: a login and commands on the serial line, a picture on the screen", async () => {
  await using server = await startServer({ demo: true });
  await using tester = await browser();
  const vms = await demoVms(server);
  const { id } = vms.find(({ name }) => name === "web-01")!;
  const page = await tester.page({ viewport: { width: 1440, height: 900 } });
  await page.goto(`${server.url}/vms/${id}/serial`);
  const line = page.locator(".xterm-rows");
  await line.getByText("web-01 login:").first().waitFor();
  await page.locator(".xterm-helper-textarea").focus();
  await page.keyboard.type("visitor\rsecret\ruptime\r");
  await line.getByText(/load average/).first().waitFor();
  await page.goto(`${server.url}/vms/${id}/console`);
  const canvas = page.locator("canvas").first();
  await canvas.waitFor();
  await page.waitForFunction(() => {
    const found = document.querySelector("canvas");
    if (found === null || found.width < 100) return false;
    const { data } = found.getContext("2d")!.getImageData(0, 0, found.width, found.height);
    return data.some((value, index) => index % 4 === 1 && value > 150);
  });
});
