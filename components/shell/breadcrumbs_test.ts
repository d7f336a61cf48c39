import assert from "node:assert/strict";
import { crumbsOf, vmIdIn } from "./breadcrumbs.ts";
import { VM_TABS } from "../../lib/vm/tabs.ts";

const labels = (path: string, name?: string) => crumbsOf(path, name).map(({ label }) => label);

Deno.test("crumbsOf() leads from the list to the page", () => {
  assert.deepEqual(labels("/vms/a/xml", "web-01"), ["Virtual machines", "web-01", "XML"]);
  assert.deepEqual(labels("/vms"), ["Virtual machines"]);
  assert.deepEqual(labels("/"), ["Dashboard"]);
});

Deno.test("crumbsOf() has a step for every page of a machine, and for those about no single VM", () => {
  for (const { path } of VM_TABS.filter((tab) => tab.path !== "")) {
    assert.equal(crumbsOf(`/vms/a${path}`, "web-01").at(-1)?.href, `/vms/a${path}`);
  }
  assert.deepEqual(labels("/vms/a/rename", "web-01"), ["Virtual machines", "web-01", "Rename"]);
  assert.deepEqual(labels("/vms/import"), ["Virtual machines", "Import"]);
});

Deno.test("crumbsOf() of a machine that does not exist ends at the list", () => {
  assert.deepEqual(labels("/vms/nope"), ["Virtual machines"]);
});

Deno.test("crumbsOf() of a storage pool has its name from the address", () => {
  assert.deepEqual(labels("/storage"), ["Storage"]);
  assert.deepEqual(labels("/storage/a%20b"), ["Storage", "a b"]);
  assert.deepEqual(labels("/storage/%ff"), ["Storage", "%ff"]);
});

Deno.test("crumbsOf() of the host's graphs leads from the dashboard, and on to the comparison", () => {
  assert.deepEqual(labels("/monitoring"), ["Dashboard", "Monitoring"]);
  assert.deepEqual(labels("/monitoring/compare"), ["Dashboard", "Monitoring", "Compare"]);
});

Deno.test("crumbsOf() names what is listed by id, once the page has said so", () => {
  assert.deepEqual(labels("/templates"), ["Templates"]);
  assert.deepEqual(labels("/templates/1", "Debian 12"), ["Templates", "Debian 12"]);
  assert.deepEqual(labels("/templates/1"), ["Templates"]);
  assert.deepEqual(labels("/bin"), ["Bin"]);
  assert.deepEqual(labels("/tasks/1", "Run true in web1"), ["Tasks", "Run true in web1"]);
  assert.deepEqual(labels("/backups/new"), ["Backups", "Create backup job"]);
  assert.deepEqual(labels("/backups/1/edit", "nightly"), ["Backups", "nightly", "Edit"]);
  assert.deepEqual(labels("/backups/1/toString", "nightly"), ["Backups", "nightly"]);
  assert.deepEqual(labels("/settings/users/1", "ann"), ["Settings", "Users", "ann"]);
});

Deno.test("crumbsOf() of an unknown page is empty", () => assert.deepEqual(labels("/nope"), []));
Deno.test("vmIdIn() leaves the id as it is in the path", () =>
  assert.equal(vmIdIn("/vms/a%20b/xml"), "a%20b"));
