/** The console: until the guest's own pixels are in the browser. */
import type { Page } from "playwright-core";
import { ownBrowser } from "../testbed/chromium.ts";
import { testMachine } from "../testbed/machine.ts";
import { startServer } from "../testbed/server.ts";
import { type Bench, roundsOf } from "./bench.ts";
import { alone } from "./row.ts";

/** Runs in the page: whether something that is not black is on the console's canvas. */
function hasPicture(): boolean {
  const canvas = document.querySelector<HTMLCanvasElement>(".console-screen canvas");
  if (canvas === null || canvas.width === 0) return false;
  const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
  for (let at = 0; at < data.length; at += 4) if (data[at]! + data[at + 1]! + data[at + 2]! > 96) return true;
  return false;
}

/** Runs in the page: milliseconds since its document was there. */
const sincePage = (page: Page) =>
  page.evaluate(() => {
    const [navigation] = performance.getEntriesByType("navigation") as PerformanceNavigationTiming[];
    return performance.now() - navigation!.domInteractive;
  });

export const firstFrame: Bench = async function* (context) {
  const options = { purpose: "bench", guest: false, start: true, vnc: true, memoryMiB: 64 } as const;
  await using machine = await testMachine(options);
  await using server = await startServer(context.server);
  await using chromium = await ownBrowser();
  const times: number[] = [];
  for (let round = -1; round < roundsOf(context, 9); round++) {
    const page = await chromium.page();
    await page.goto(`${server.url}/vms/${machine.uuid}/console`, { waitUntil: "commit" });
    await page.waitForFunction(hasPicture, undefined, { polling: "raf" });
    if (round >= 0) times.push(await sincePage(page));
    await page.context().close();
  }
  yield alone({ what: "console: the first frame after the page", ours: times, aim: { most: 500 } });
};
