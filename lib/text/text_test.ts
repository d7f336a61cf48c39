import assert from "node:assert/strict";
import { oneLine, safeFileName } from "./text.ts";

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

Deno.test("safeFileName() is one plain word, and no option", () => {
  assert.equal(safeFileName("web-01.a", 20), "web-01.a");
  assert.equal(safeFileName("--help", 20), "_-help");
  assert.equal(safeFileName("a/../$(b) ü", 20), "a_.._b_");
  assert.equal(safeFileName("x".repeat(30), 20).length, 20);
});
