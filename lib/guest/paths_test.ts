/** Paths inside guests. */
import assert from "node:assert/strict";
import { inFolder, stepsTo } from "./paths.ts";

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
