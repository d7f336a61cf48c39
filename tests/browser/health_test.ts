/** The page that says how the host fares. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");

Deno.test({
  name: "the health page tells what is wrong first, with the command that mends it, in every theme and width",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using server = await startServer({ logLevel: "info" });
    await Deno.chmod(`${server.dataDir}/kvm-manager.db`, 0o644);
    await using tester = await browser();
    for (const size of [{}, PHONE]) {
      await visit(tester, `${server.url}/settings/health`, async (page) => {
        await waitForText(page, "h1", "Health");
        assert.match(await page.locator(".health-list > li").first().innerText(), /Problem/);
        await waitForText(page, ".health-list", "others may read");
        await waitForText(page, ".health-command code", "chmod -R go-rwx");
        assert.equal(await overflows(page), false);
      }, { ...size, accessible: "in both themes" });
    }
  },
});
