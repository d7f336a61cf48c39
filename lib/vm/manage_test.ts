import assert from "node:assert/strict";
import { manageLinks } from "./manage.ts";

Deno.test("manageLinks() offers renaming, copies and templates only for what is off and kept", () => {
  const paths = (state: "running" | "stopped" | "suspended", persistent = true) =>
    manageLinks({ state, persistent }).map(({ path }) => path);
  assert.deepEqual(paths("stopped"), ["rename", "clone", "template", "export", "export-ova"]);
  assert.deepEqual(paths("running"), ["export"]);
  assert.deepEqual(paths("suspended"), ["export"]);
  assert.deepEqual(paths("stopped", false), ["export"]);
});
