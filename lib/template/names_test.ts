import assert from "node:assert/strict";
import { vmNames } from "./names.ts";

Deno.test("vmNames() numbers by the marks, and behind the name where there are none", () => {
  assert.deepEqual(vmNames({ name: "web", count: 1, first: 1 }), ["web"]);
  assert.deepEqual(vmNames({ name: "web", count: 2, first: 1 }), ["web-1", "web-2"]);
  assert.deepEqual(vmNames({ name: "web-##", count: 3, first: 9 }), ["web-09", "web-10", "web-11"]);
  assert.deepEqual(vmNames({ name: "n#-a", count: 1, first: 7 }), ["n7-a"]);
  assert.deepEqual(vmNames({ name: "a#b#", count: 1, first: 1 }), ["a1b#"]);
});
