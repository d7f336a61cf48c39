/** The kit looks as it did: pictures of its parts, in all their states, against those in the repository. */
import assert from "node:assert/strict";
import { DESIGN_PICTURES, differingShare, keptAt, takePicture } from "../../scripts/design/pictures.ts";
import { serveDesign } from "../../scripts/design/serve.ts";
import { browser, checkAccessibility } from "../testbed/chromium.ts";
import { requirement } from "../testbed/skip.ts";
import { overflows } from "./visit.ts";

const reason = await requirement("chromium");
/** Less than a word of the page. */
const MOST_DIFFERING = 0.0004;

Deno.test({
  name: "the kit looks as its pictures do, in both themes, wide and narrow",
  ignore: reason !== null,
  // playwright-core keeps timers and pipes of the browser's process a moment longer.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    await using server = serveDesign(0);
    await using tester = await browser();
    for (const picture of DESIGN_PICTURES) {
      await t.step(`${picture.theme}, ${picture.width} pixels wide`, async () => {
        const now = await takePicture(tester, server.url, picture);
        const share = differingShare(now, await Deno.readFile(keptAt(picture)));
        if (share <= MOST_DIFFERING) return;
        const path = await Deno.makeTempFile({ prefix: "kvmm-design-", suffix: ".png" });
        await Deno.writeFile(path, now);
        assert.fail(
          `${(share * 100).toFixed(2)} % of the picture differs from ${keptAt(picture)}. ` +
            `The new one: ${path}. If it is as it should be: deno task design --update`,
        );
      });
    }
    for (const { theme, width } of DESIGN_PICTURES) {
      await t.step(`${theme}, ${width}: accessible, and no wider than the window`, async () => {
        const page = await tester.page({ viewport: { width, height: 900 }, reducedMotion: "reduce" });
        await page.goto(`${server.url}/${theme}`);
        assert.equal(await overflows(page), false);
        assert.deepEqual(await checkAccessibility(page), []);
        await page.context().close();
      });
    }
  },
});
