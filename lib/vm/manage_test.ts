import assert from "node:assert/strict";
import type { VM } from "../contract/mod.ts";
import { manageLinks, offersConsole } from "./manage.ts";

const SCREEN: VM["graphics"] = [{ type: "vnc" }];

Deno.test("manageLinks() offers renaming and templates for what is off and kept, clones for what runs, too", () => {
  const paths = (state: "running" | "stopped" | "suspended", persistent = true) =>
    manageLinks({ state, persistent, graphics: SCREEN, responsive: true }).map(({ path }) => path);
  assert.deepEqual(paths("stopped"), [
    "boot",
    "log",
    "rename",
    "clone",
    "migrate",
    "replicate",
    "template",
    "backups",
    "guest",
    "export",
    "export-ova",
  ]);
  assert.deepEqual(paths("running"), [
    "console",
    "log",
    "clone",
    "migrate",
    "replicate",
    "backups",
    "guest",
    "export",
  ]);
  assert.deepEqual(paths("running", false), ["console", "log", "backups", "guest", "export"]);
  assert.deepEqual(paths("suspended"), ["log", "replicate", "backups", "guest", "export"]);
  assert.deepEqual(paths("stopped", false), ["log", "backups", "guest", "export"]);
});

Deno.test("offersConsole() knows where there is something to see", () => {
  assert.equal(offersConsole({ state: "running", graphics: SCREEN, responsive: true }), true);
  assert.equal(offersConsole({ state: "paused", graphics: SCREEN, responsive: true }), true);
  assert.equal(offersConsole({ state: "running", graphics: [], responsive: true }), false);
  assert.equal(offersConsole({ state: "stopped", graphics: SCREEN, responsive: true }), false);
});
