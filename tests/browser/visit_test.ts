/** Tests of visits, on pages that are made wrong. */
import assert from "node:assert/strict";
import { browser } from "../testbed/chromium.ts";
import { requirement } from "../testbed/skip.ts";
import { PHONE, visit } from "./visit.ts";

const reason = await requirement("chromium");

/** Pale text on a dark ground in one theme, and a line that only that theme makes too long. */
const pageWith = (rule: string) =>
  `<!doctype html><html lang="en"><title>Dark</title><link rel="icon" href="data:,">
<style>body { background: #fff; color: #000 } @media (prefers-color-scheme: dark) { ${rule} }</style>
<main><h1>Dark</h1><p>text</p></main></html>`;

Deno.test({
  name: "visit() in both themes finds what is wrong in the second alone",
  ignore: reason !== null,
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async () => {
    const rules: Record<string, string> = {
      "/pale": "body { background: #222; color: #333 }",
      "/wide": "p { width: 3000px }",
      "/fine": "body { background: #222; color: #fff }",
    };
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      ({ url }) =>
        new Response(pageWith(rules[new URL(url).pathname]!), { headers: { "content-type": "text/html" } }),
    );
    await using tester = await browser();
    const look = (path: string) =>
      visit(tester, `http://127.0.0.1:${server.addr.port}${path}`, (page) => page.locator("h1").waitFor(), {
        ...PHONE,
        accessible: "in both themes",
      });
    await assert.rejects(look("/pale"), /color-contrast/);
    await assert.rejects(look("/wide"), /dark: as wide as in the other theme/);
    await look("/fine");
  },
});
