/** Checks that functions of headings and breadcrumbs on a wide screen are there on a phone, too. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { browser, hydrated } from "../testbed/chromium.ts";
import { startServer } from "../testbed/server.ts";
import { becomes } from "../testbed/wait.ts";
import { overflows, PHONE } from "./visit.ts";

const WIDE = { width: 1440, height: 900 };
const sortField = (page: Page) => page.getByRole("combobox", { name: "Sort by" });

Deno.test("the list is sorted by each column on a phone and as cards, where no heading does it", async () => {
  await using server = await startServer({ demo: true });
  await using tester = await browser();
  const page = await tester.page(PHONE);
  const names = () => page.locator(".vm-list .vm-link").allInnerTexts();
  for (const view of ["table", "cards"]) {
    await page.goto(`${server.url}/vms?view=${view}`);
    await hydrated(page);
    assert.equal(await overflows(page), false);
    const search = (await page.getByRole("searchbox", { name: "Search VMs" }).boundingBox())!;
    assert.ok(search.width > 120, `the search is ${search.width} px wide`);
    assert.equal(await sortField(page).locator("option").count(), 9);
    await sortField(page).selectOption({ label: "Uptime" });
    await becomes(() => Promise.resolve(new URL(page.url()).searchParams.get("sort")), "uptime");
    await sortField(page).selectOption({ label: "Name" });
    const rising = await names();
    assert.deepEqual(rising, rising.toSorted((one, other) => one.localeCompare(other, "en")));
    await page.getByRole("link", { name: "Sort descending" }).click();
    await becomes(() => Promise.resolve(new URL(page.url()).searchParams.get("dir")), "desc");
    assert.notEqual((await names())[0], rising[0]);
  }
  await page.setViewportSize(WIDE);
  await becomes(() => sortField(page).isVisible(), true);
  await page.goto(`${server.url}/vms`);
  await becomes(() => sortField(page).isVisible(), false, "a wide table has headings");
});

Deno.test("on a phone an arrow leads to the page above", async () => {
  await using server = await startServer({ demo: true });
  await using tester = await browser();
  const page = await tester.page(PHONE);
  await page.goto(`${server.url}/monitoring/compare`);
  const above = page.getByRole("navigation", { name: "You are here" }).getByRole("link", {
    name: "Monitoring",
    exact: true,
  });
  const { width, height } = (await above.boundingBox())!;
  assert.ok(width >= 24 && height >= 24, `${width} × ${height}`);
  await above.tap();
  await page.waitForURL(`${server.url}/monitoring`);
});

/** Names of parts of the bar at the top that cover another, or stand out of it. */
function misplaced(): string[] {
  const bar = document.querySelector(".top")!, { top, bottom } = bar.getBoundingClientRect();
  // What an island draws is below an element of its own that has no box
  const boxed = (each: Element): Element[] =>
    getComputedStyle(each).display === "contents" ? [...each.children].flatMap(boxed) : [each];
  const parts = [...bar.children].flatMap(boxed)
    .map((each) => ({ name: each.className || each.tagName, box: each.getBoundingClientRect() }))
    .filter(({ box }) => box.width > 0);
  return parts.flatMap(({ name, box }, index) => {
    const covered = parts.slice(index + 1).find((other) =>
      box.right > other.box.left + 1 && other.box.right > box.left + 1
    );
    return [
      ...covered === undefined ? [] : [`${name} covers ${covered.name}`],
      ...box.top < top || box.bottom > bottom ? [`${name} is ${box.height} px high`] : [],
    ];
  });
}

Deno.test("between phone and wide screen nothing covers another, and names of VMs can be read", async () => {
  await using server = await startServer({ demo: true });
  await using tester = await browser();
  const page = await tester.page({ viewport: WIDE });
  await page.goto(`${server.url}/vms`);
  const vm = await page.locator(".vm-list .vm-link").first().getAttribute("href");
  for (const path of ["/vms", `${vm}/snapshots`]) {
    await page.goto(server.url + path);
    await hydrated(page);
    for (const width of [360, 620, 700, 899, 900, 1000, 1099, 1100, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      assert.deepEqual(await page.evaluate(misplaced), [], `${path} at ${width} px`);
      if (path !== "/vms") continue;
      const name = (await page.locator(".vm-row .name-cell").first().boundingBox())!;
      assert.ok(name.width >= 125, `names have ${name.width} px at ${width} px`);
    }
  }
});
