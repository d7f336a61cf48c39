/** Content of a page's console canvas. */
import type { Page } from "playwright-core";
import { until } from "../testbed/wait.ts";

/** Pixels of the canvas that are not black; 0 while there is none. */
export const litPixels = (page: Page) =>
  page.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>(".console-screen canvas");
    if (canvas === null || canvas.width === 0) return 0;
    const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) if (data[at]! + data[at + 1]! + data[at + 2]! > 96) count++;
    return count;
  });

/** Waits until something is on the canvas. */
export const showsPicture = (page: Page) =>
  until("a picture", async () => await litPixels(page) > 100, { seconds: 30, every: 20 });
