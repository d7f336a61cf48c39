/** Paths inside guests. */
import assert from "node:assert/strict";
import { GUEST_CONTENT_PATH } from "../contract/mod.ts";
import { contentHref, inFolder, stepsTo } from "./paths.ts";

Deno.test("contentHref() is the contract's path", () => {
  const path = GUEST_CONTENT_PATH.replace("{vmId}", "a%20b");
  assert.equal(contentHref("a b", "/x & y"), `/api/v1${path}?path=%2Fx%20%26%20y`);
});

Deno.test("something in a folder is named with the guest's own separator", () => {
  assert.equal(inFolder("/", "etc"), "/etc");
  assert.equal(inFolder("/etc/", "hosts"), "/etc/hosts");
  assert.equal(inFolder("/back\\slash\\", "file"), "/back\\slash\\/file");
  assert.equal(inFolder("C:\\", "Windows"), "C:\\Windows");
  assert.equal(inFolder("C:/Users/", "ann"), "C:/Users\\ann");
});

Deno.test("the way to a folder leads over its parents", () => {
  const paths = (path: string) => stepsTo(path).map((step) => step.path);
  assert.deepEqual(paths("/"), ["/"]);
  assert.deepEqual(paths("/var//log/"), ["/", "/var", "/var/log"]);
  assert.deepEqual(stepsTo("C:\\Users\\ann"), [
    { name: "C:", path: "C:\\" },
    { name: "Users", path: "C:\\Users" },
    { name: "ann", path: "C:\\Users\\ann" },
  ]);
});
