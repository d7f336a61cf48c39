import assert from "node:assert/strict";
import { browser, checkAccessibility, watchPage } from "./chromium.ts";
import { requirement } from "./skip.ts";

const ignore = await requirement("chromium") !== null;

const BAD = `<!doctype html><html lang="en"><title>Bad</title><main><h1>Bad</h1><img src="/x.png">
<button onclick="1"></button></main><script>alert(1)</script><script src="/ok.js"></script></html>`;
const GOOD = `<!doctype html><html lang="en"><title>Good</title><main><h1>Good</h1></main></html>`;

/** A site with a policy as strict as the product's. */
function site(): Deno.HttpServer<Deno.NetAddr> {
  return Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, ({ url }) => {
    const { pathname } = new URL(url);
    if (pathname === "/ok.js") {
      return new Response(`confirm("sure?"); console.error("oops"); throw new Error("uncaught");`, {
        headers: { "content-type": "text/javascript" },
      });
    }
    return new Response(pathname === "/good" ? GOOD : BAD, {
      headers: { "content-type": "text/html", "content-security-policy": "default-src 'self'" },
    });
  });
}

Deno.test({
  name: "watchPage() collects errors, refusals of the CSP and dialogs",
  ignore,
  fn: async () => {
    await using server = site();
    await using chromium = await browser();
    const page = await chromium.page();
    const watch = watchPage(page);
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    assert.deepEqual(watch.dialogs, ["confirm: sure?"]);
    assert.match(watch.consoleErrors.join("\n"), /oops/);
    assert.match(watch.pageErrors.join("\n"), /uncaught/);
    assert.ok(watch.cspViolations.length >= 1, watch.all().join("\n"));
    const quiet = await chromium.page();
    const nothing = watchPage(quiet);
    await quiet.goto(`http://127.0.0.1:${server.addr.port}/good`);
    assert.deepEqual(nothing.all().filter((line) => !line.includes("favicon")), []);
  },
});

Deno.test({
  name: "checkAccessibility() judges a page under a strict CSP",
  ignore,
  fn: async () => {
    await using server = site();
    await using chromium = await browser();
    const page = await chromium.page();
    page.on("dialog", (dialog) => dialog.dismiss());
    await page.goto(`http://127.0.0.1:${server.addr.port}/`);
    const rules = (await checkAccessibility(page)).map(({ rule }) => rule);
    assert.deepEqual(rules.filter((rule) => ["image-alt", "button-name"].includes(rule)).sort(), [
      "button-name",
      "image-alt",
    ]);
    await page.goto(`http://127.0.0.1:${server.addr.port}/good`);
    assert.deepEqual(await checkAccessibility(page), []);
  },
});
