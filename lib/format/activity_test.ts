import assert from "node:assert/strict";
import { type Activity, COMMANDS } from "../contract/mod.ts";
import { activityText, mergeActivity } from "./activity.ts";

const entry = (id: number, timestamp = id): Activity => ({
  id,
  timestamp,
  actor: "ann",
  action: "start_vm",
  result: "ok",
});
const ids = (entries: readonly Activity[]) => entries.map(({ id }) => id);

Deno.test("activityText() calls commands by their buttons' words", () => {
  assert.equal(activityText({ action: "force_stop_vm" }), "Force off");
  assert.equal(activityText({ action: "batch_start_vms" }), "Start");
  assert.equal(activityText({ action: "set_tags" }), "Tags changed");
});

Deno.test("activityText() has a word for every command that changes a machine", () => {
  const changing = Object.entries(COMMANDS).filter(([name, { readOnly, input }]) =>
    !readOnly && (/_vms?$/.test(name) || "vmId" in (input.properties ?? {}))
  );
  const wordless = changing.map(([action]) => action)
    .filter((action) => activityText({ action }) === action.replaceAll("_", " "));
  assert.deepEqual(wordless, []);
});

Deno.test("activityText() has a word for what libvirt tells", () => {
  assert.equal(activityText({ action: "undefined" }), "Removed from libvirt");
  assert.equal(activityText({ action: "io-error" }), "A disk failed to read or write");
});

Deno.test("activityText() shows what it does not know as it is", () => {
  assert.equal(activityText({ action: "no_such_thing" }), "no such thing");
  assert.equal(activityText({ action: "toString" }), "toString");
});

Deno.test("mergeActivity() has each entry once, newest first, and not too many", () => {
  assert.deepEqual(ids(mergeActivity([entry(3)], [entry(3), entry(1), entry(2)], 2)), [3, 2]);
});
