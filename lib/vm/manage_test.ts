import assert from "node:assert/strict";
import { manageLinks } from "./manage.ts";

Deno.test("manageLinks() offers renaming and templates for what is off and kept, clones for what runs, too", () => {
  const paths = (state: "running" | "stopped" | "suspended", persistent = true) =>
    manageLinks({ state, persistent }).map(({ path }) => path);
  assert.deepEqual(paths("stopped"), ["rename", "clone", "template", "guest", "export", "export-ova"]);
  assert.deepEqual(paths("running"), ["clone", "guest", "export"]);
  assert.deepEqual(paths("running", false), ["guest", "export"]);
  assert.deepEqual(paths("suspended"), ["guest", "export"]);
  assert.deepEqual(paths("stopped", false), ["guest", "export"]);
});
