/** Opening the list in a browser: until the first rows are drawn, and until the very last one can be. */
import { ownBrowser } from "../testbed/chromium.ts";
import { startServer } from "../testbed/server.ts";
import { until } from "../testbed/wait.ts";
import { countOf, getVms } from "./api.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { alone, recordedComparison } from "./row.ts";

/** cockpit-machines with 1,005 machines, from opening to all rows. PERFORMANCE.md. */
const COCKPIT_MS = 49_000;

/**
 * Runs in the page. The list draws only what is on the screen, and the server sends the first rows: that the script
 * has all of them shows when the page can be scrolled to the last one.
 */
function lastRowIsThere(count: number): boolean {
  scrollTo(0, document.documentElement.scrollHeight);
  const table = document.querySelector("table.vm-table");
  const rows = table?.getAttribute("aria-rowcount") ?? "0";
  return Number(rows) >= count && table?.querySelector(`tr[aria-rowindex="${rows}"]`) !== null;
}

export const opening: Bench = async function* (context) {
  const { machines } = context;
  await using server = await startServer(context.server);
  await until(
    "the whole list",
    async () => countOf(await getVms(server.url).catch(() => []), machines) === machines.length,
  );
  await using chromium = await ownBrowser();
  const firsts: number[] = [];
  const lasts: number[] = [];
  for (let round = -1; round < roundsOf(context, 9); round++) {
    const page = await chromium.page();
    const begin = performance.now();
    await page.goto(`${server.url}/vms`, { waitUntil: "commit" });
    await page.waitForSelector("table.vm-table tr[aria-rowindex='2']");
    const first = performance.now() - begin;
    await page.waitForFunction(lastRowIsThere, machines.length + 1, { polling: "raf" });
    const last = performance.now() - begin;
    await page.context().close();
    if (round < 0) continue;
    firsts.push(first);
    lasts.push(last);
  }
  const what = `opening /vms with ${machines.length} in Chromium`;
  yield* [
    alone({ what: `${what}: first rows`, ours: firsts }),
    recordedComparison({
      what: `${what}: the last row`,
      ours: lasts,
      recorded: COCKPIT_MS,
      peer: "cockpit-machines",
      aim: { most: 600 },
    }),
  ];
};
