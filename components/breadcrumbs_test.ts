import assert from "node:assert/strict";
import { crumbsOf, vmIdIn } from "./breadcrumbs.ts";

const labels = (path: string, name?: string) => crumbsOf(path, name).map(({ label }) => label);

Deno.test("crumbsOf() leads from the list to the page", () => {
  assert.deepEqual(labels("/vms/a/xml", "web-01"), ["Virtual machines", "web-01", "XML"]);
  assert.deepEqual(labels("/vms"), ["Virtual machines"]);
  assert.deepEqual(labels("/"), ["Dashboard"]);
});

Deno.test("crumbsOf() of a machine that does not exist ends at the list", () => {
  assert.deepEqual(labels("/vms/nope"), ["Virtual machines"]);
});

Deno.test("crumbsOf() of a storage pool has its name from the address", () => {
  assert.deepEqual(labels("/storage"), ["Storage"]);
  assert.deepEqual(labels("/storage/a%20b"), ["Storage", "a b"]);
  assert.deepEqual(labels("/storage/%ff"), ["Storage"]);
});

Deno.test("crumbsOf() of a page nobody knows is empty", () => assert.deepEqual(labels("/nope"), []));
Deno.test("vmIdIn() leaves the id as it is in the path", () =>
  assert.equal(vmIdIn("/vms/a%20b/xml"), "a%20b"));
