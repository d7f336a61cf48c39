/** A second host's pages in the browser: they hydrate, what they ask for and send is of that host, links lead on to it. */
import assert from "node:assert/strict";
import { browser, hydrated } from "../testbed/chromium.ts";
import { VMS } from "../testbed/furnished.ts";
import { requirement } from "../testbed/skip.ts";
import { LOCAL_VM, SECOND_HOST as HOST, twoHosts } from "../testbed/two_hosts.ts";
import { until } from "../testbed/wait.ts";
import { PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("chromium");

/** Pages of a host, by their path there, and what each shows of the second host and not of the first. */
const PAGES: readonly (readonly [path: string, shows: string])[] = [
  ["/", "default-pool"],
  ["/vms", "grouped"],
  ["/vms/new", "Name"],
  ["/networks", "default"],
  ["/networks/topology", "grouped"],
  ["/storage", "default-pool"],
  ["/images", "Images"],
  ["/templates", "template"],
  ["/bin", "Bin"],
  ["/monitoring", "Monitoring"],
];

Deno.test({
  name: "every page of two hosts in Chromium is of the host that its address names",
  ignore: reason !== null,
  // playwright-core keeps timers and pipes of the browser's process a moment longer.
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await using host = await twoHosts();
    await using tester = await browser();
    const { api, url } = host;
    for (const [path, shows] of PAGES) {
      await t.step(`${path} of both`, async () => {
        for (const base of [`/hosts/${HOST}`, ""]) {
          await visit(tester, url + base + path, async (page) => {
            if (base !== "") await waitForText(page, "main", shows);
            const asked: string[] = [];
            page.on("request", (request) => asked.push(request.url()));
            // Once more, to hear all that it asks for
            await page.reload();
            await hydrated(page);
            const links = await page.locator(
              "nav:not(#host-menu) a[href]:not(.side-hosts a), main a[href]:not([data-host-row] a)",
            )
              .evaluateAll((all) => all.map((each) => each.getAttribute("href")!));
            const isHosts = (link: string) => link.startsWith("/hosts/");
            if (base === "") assert.deepEqual(links.filter(isHosts), []);
            else {assert.ok(
                links.includes(`${base}/networks`) && links.includes(`${base}/storage`),
                `${links}`,
              );}
            const elsewhere = asked.filter((each) =>
              each.includes("/api/v1/commands/") &&
              new URL(each).searchParams.get("host") !== (base === "" ? null : HOST)
            );
            assert.deepEqual(elsewhere, []);
            if (path === "/") {
              assert.ok(asked.some((each) => each.includes("/api/v1/commands/")), "it asks for its VMs");
            }
          }, { expected: /the server responded with a status of 50[13]/ });
        }
      });
    }
    await t.step("a click on a link stays on the host; a form acts there", async () => {
      await visit(tester, `${url}/hosts/${HOST}/`, async (page) => {
        await page.locator("nav").getByRole("link", { name: "Networks" }).click();
        await page.waitForURL(`${url}/hosts/${HOST}/networks`);
        await page.getByRole("link", { name: "default", exact: true }).first().click();
        await page.waitForURL(`${url}/hosts/${HOST}/networks/default`);
        await page.goto(`${url}/hosts/${HOST}/storage`);
        await page.getByRole("link", { name: "default-pool" }).first().click();
        await page.waitForURL(`${url}/hosts/${HOST}/storage/default-pool`);
        const since = Date.now();
        await page.getByRole("button", { name: "Refresh" }).first().click();
        await until("the pool is refreshed", async () => {
          const rows = await api.getActivity({ since, limit: 10 });
          return rows.some(({ action, host }) => action === "refresh_storage_pool" && host === HOST);
        });
      });
    });
    await t.step("a VM's page knows its host", async () => {
      await visit(tester, `${url}/vms/${VMS.own}/network`, async (page) => {
        assert.equal(await page.locator("html").getAttribute("data-host"), HOST);
        await page.getByRole("link", { name: "default", exact: true }).first().click();
        await page.waitForURL(`${url}/hosts/${HOST}/networks/default`);
      });
    });
    await t.step("the list of all VMs tells their host, sorts by it and narrows to it", async () => {
      await visit(tester, `${url}/vms`, async (page) => {
        const row = page.locator(".vm-row", { hasText: "grouped" }).first();
        assert.equal(await row.locator(".col-host").innerText(), HOST);
        await page.getByRole("columnheader", { name: "Host" }).getByRole("link").click();
        await page.waitForURL(`${url}/vms?sort=host`);
        await row.locator(".col-host a").click();
        await page.waitForURL(`${url}/vms?host=${HOST}&sort=host`);
        await hydrated(page);
        const hosts = async () => new Set(await page.locator(".vm-row .col-host").allInnerTexts());
        assert.deepEqual([...await hosts()], [HOST]);
        await page.getByRole("link", { name: `Remove filter ${HOST}` }).click();
        await page.waitForURL(`${url}/vms?sort=host`);
        await until("the VMs of both", async () => (await hosts()).size === 2);
        await page.setViewportSize({ width: 390, height: 800 });
        await page.locator(".vm-row .row-facts", { hasText: HOST }).first().waitFor();
        assert.equal(await page.locator(".vm-row .col-host").first().isVisible(), false);
      });
    });
    await t.step("what happens on the host is shown live on its pages", async () => {
      await visit(tester, `${url}/hosts/${HOST}/vms`, async (page) => {
        await waitForText(page, "main", "grouped");
        await api.forceStopVm({ vmId: VMS.grouped });
        await until(
          "the row says so",
          async () =>
            await page.locator("tr", { hasText: "grouped" }).first().innerText().then((text) =>
              /Off|Stopped/i.test(text)
            ),
        );
      });
    });
    await t.step("what happens on the first host is not shown there", async () => {
      await visit(tester, `${url}/hosts/${HOST}/vms`, async (page) => {
        await waitForText(page, "main", "grouped");
        // Events come in their order: once the second VM's is there, so would the first's be
        await api.setTags({ vmId: LOCAL_VM, tags: ["elsewhere"] });
        await api.setTags({ vmId: VMS.own, tags: ["onlab"] });
        await waitForText(page, "main", "onlab");
        assert.ok(!(await page.locator("main").innerText()).includes("elsewhere"));
      });
      await visit(tester, `${url}/vms`, (page) => waitForText(page, "main", "elsewhere"));
    });
    await t.step("a VM is created on a chosen host, with and without script", async () => {
      for (const javaScriptEnabled of [true, false]) {
        await visit(tester, `${url}/vms/new`, async (page) => {
          await page.getByRole("link", { name: `Create on ${HOST}` }).click();
          await page.waitForURL(`${url}/hosts/${HOST}/vms/new`);
          await waitForText(page, "main", `Host: ${HOST}`);
          await page.getByRole("link", { name: "Choose another host" }).click();
          await page.waitForURL(`${url}/vms/new`);
          await page.locator("[data-recommended]").getByRole("link").click();
          await page.waitForURL(`${url}/vms/new?host=local`);
          await waitForText(page, "main", "Name");
        }, { javaScriptEnabled });
      }
      await visit(tester, `${url}/vms/new`, (page) => waitForText(page, "main", "Recommended"), {
        accessible: "in both themes",
        ...PHONE,
      });
    });
    await t.step("the palette finds the hosts, and the VMs of all, from each one's pages", async () => {
      const label = (await api.listHosts()).find(({ isLocal }) => isLocal)!.label;
      for (const path of ["/vms", `/hosts/${HOST}/vms`]) {
        await visit(tester, url + path, async (page) => {
          await page.keyboard.press("Control+k");
          await page.locator(".palette-field input").fill("own");
          await until("both VMs are found", async () => {
            const found = (await page.locator(".palette-option").allInnerTexts()).join("\n");
            return found.includes(`Running on ${HOST}`) && found.includes(`Running on ${label}`);
          });
          await page.locator(".palette-field input").fill(HOST);
          await waitForText(page, ".palette-option[aria-selected=true]", "Host");
        });
      }
    });
    await t.step("a phone shows it, too", async () => {
      await visit(tester, `${url}/hosts/${HOST}/`, (page) => waitForText(page, "main", "own"), PHONE);
    });
  },
});
