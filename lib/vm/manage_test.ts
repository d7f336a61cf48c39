import assert from "node:assert/strict";
import { manageLinks } from "./manage.ts";

Deno.test("manageLinks() offers renaming, copies and templates only for what is off and kept", () => {
  const paths = (state: "running" | "stopped" | "suspended", persistent = true) =>
    manageLinks({ state, persistent }).map(({ path }) => path);
  assert.deepEqual(paths("stopped"), ["rename", "clone", "template", "guest", "export", "export-ova"]);
  assert.deepEqual(paths("running"), ["guest", "export"]);
  assert.deepEqual(paths("suspended"), ["guest", "export"]);
  assert.deepEqual(paths("stopped", false), ["guest", "export"]);
});
