/** The page of MCP with a real browser: what it asks before it lets programs in, what it shows, and the switch that ends all. */
import assert from "node:assert/strict";
import { OWN_PASSWORD } from "../../lib/access/forms.ts";
import { browser } from "../testbed/chromium.ts";
import { overHttp } from "../testbed/mcp.ts";
import { asRoot, personWith } from "../testbed/people.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { overflows, PHONE, visit, waitForText } from "./visit.ts";

const reason = await requirement("qemu", "chromium");
const VISITORS_PASSWORD = "one bed for every machine";
const EVERYTHING = { kind: "everything" } as const;

Deno.test({
  name: "MCP is switched on with one's password, its sessions are listed, and one button ends them",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    await using server = await startServer({ uri: "test:///default", logLevel: "info" });
    await using tester = await browser();
    const address = `${server.url}/settings/mcp`;
    await visit(tester, address, async (page) => {
      await waitForText(page, "h1", "MCP");
      assert.equal(await page.locator("button.danger").count(), 0);
      await page.check("input[name=enabled][type=checkbox]");
      await page.check("input[name=acting][type=checkbox]");
      await page.selectOption("[name=role]", "viewer");
      await page.fill("[name=callsPerMinute]", "30");
      await page.click("form[action*='update_mcp_access'] button");
      await page.fill(`[name="${OWN_PASSWORD}"]`, VISITORS_PASSWORD);
      await page.getByRole("button", { name: "Continue" }).click();
      await until(
        "the settings to be saved",
        async () => (await asRoot(server, "get_mcp_access", {})).enabled,
      );
    }, { expected: /status of 403 .*\/do\/update_mcp_access/ }); // the answer that asks for the password
    assert.deepEqual(await asRoot(server, "get_mcp_access", {}), {
      enabled: true,
      acting: true,
      role: "viewer",
      callsPerMinute: 30,
      sessions: 0,
    });
    const bob = await personWith(server, "bob", [{ role: "viewer", on: EVERYTHING }]);
    await using mcp = await overHttp(server, bob, { name: "<b>ev\u202eil</b>", version: "9" });
    for (const options of [{}, { ...PHONE, colorScheme: "dark" as const }]) {
      await visit(tester, address, async (page) => {
        await waitForText(page, "tbody", "bob");
        assert.match(await page.locator("tbody").innerText(), /<b>ev.*il<\/b> 9/);
        assert.equal(await page.locator("tbody b").count(), 0);
        assert.equal(await overflows(page), false);
        const folder = Deno.env.get("KVMM_LOOK");
        if (folder !== undefined) {
          const name = "hasTouch" in options ? "390-dark" : "1440-light";
          await page.screenshot({ path: `${folder}/mcp-${name}.png`, fullPage: true });
        }
      }, { accessible: true, ...options });
    }
    await visit(tester, address, async (page) => {
      await page.click("form[action*='stop_mcp'] button");
      await waitForText(page, "tbody, .empty, [role=status]", /No sessions yet|switched off/);
    });
    await assert.rejects(mcp.tool("search_commands"), /McpOff/);
    assert.deepEqual(await asRoot(server, "list_mcp_sessions", {}), []);
  },
});
