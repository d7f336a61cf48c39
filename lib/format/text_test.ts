import assert from "node:assert/strict";
import { oneLine } from "./text.ts";

Deno.test("oneLine() leaves ordinary names alone, markup included", () => {
  assert.equal(oneLine(`web-01 <b>"x"</b> 🐧`), `web-01 <b>"x"</b> 🐧`);
});

Deno.test("oneLine() shows control and direction characters instead of obeying them", () => {
  assert.equal(oneLine("a\r\nb"), "a␣b");
  assert.equal(oneLine("photo\u202egnp.exe"), "photo␣gnp.exe");
});

Deno.test("oneLine() cuts long text, never through a character", () => {
  assert.equal(oneLine("x".repeat(65_536)).length, 201);
  assert.equal(oneLine("ab🐧", 3), "ab…");
});
