import assert from "node:assert/strict";
import { isPattern, matcher } from "./pattern.ts";

Deno.test("matcher() fits names as a shell does, in any case", () => {
  const rows: [string, string, boolean][] = [
    ["web-*", "web-1", true],
    ["web-*", "web", false],
    ["*", "", true],
    ["db?", "DB1", true],
    ["db?", "db12", false],
    ["web[1-5]", "web3", true],
    ["web[1-5]", "web6", false],
    ["web[!1-5]", "web6", true],
    ["WEB[a-c]", "weBB", true],
    ["a*b*c", "a-b-b-c", true],
    ["a.c", "abc", false],
    ["web[1-5]", "web[1-5]", false],
    ["a.[b", "a.[b", true],
    ["a.[b", "axb", false],
    ["a[z-a]", "a[z-a]", true],
    ["a[z-a]", "az", false],
    ["a[^b]", "ab", true],
    ["a[^b]", "a^", true],
    ["[]x]", "x", false],
    ["*ü?", "Über-Ü1", true],
    ["a?", "a😀", true],
  ];
  for (const [pattern, text, wanted] of rows) {
    assert.equal(matcher(pattern).test(text), wanted, `${pattern} ${text}`);
  }
  assert.deepEqual(["a", "a*", "a?", "[ab]", "["].map(isPattern), [false, true, true, true, false]);
});

Deno.test("matcher() takes no longer for a hostile pattern", () => {
  const begun = performance.now();
  assert.equal(matcher(`${"*a".repeat(500)}b`).test("a".repeat(1000)), false);
  assert.ok(performance.now() - begun < 2000);
});
