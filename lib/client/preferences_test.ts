import assert from "node:assert/strict";
import { cookieOf } from "./preferences.ts";

Deno.test("cookieOf() finds a cookie among others", () => {
  assert.equal(cookieOf("a=1; theme=dark; b=2", "theme"), "dark");
  assert.equal(cookieOf("xtheme=dark", "theme"), undefined);
  assert.equal(cookieOf(null, "theme"), undefined);
});
