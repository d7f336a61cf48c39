import assert from "node:assert/strict";
import { type Activity, type Command, COMMANDS } from "../contract/mod.ts";
import { activity as texts } from "../i18n/en/activity.ts";
import { activityText, knownActions, mergeActivity, withoutOwnConsoles } from "./activity.ts";

const entry = (id: number, timestamp = id): Activity => ({
  id,
  timestamp,
  actor: "ann",
  action: "start_vm",
  result: "ok",
});
const ids = (entries: readonly Activity[]) => entries.map(({ id }) => id);

const audited = (Object.entries(COMMANDS) as [string, Command][]).filter(([, { readOnly, audited }]) =>
  !readOnly || audited
)
  .map(([name]) => name);

Deno.test("activityText() has words for every command that the audit has", () => {
  assert.equal(activityText({ action: "batch_start_vms" }), "Started");
  assert.deepEqual(audited.filter((action) => !/^[A-Z]/.test(activityText({ action }))), []);
});

Deno.test("the activity's texts are of commands that the audit has, and of no other", () => {
  const named = Object.keys(texts).flatMap((key) => /^activity\.command\.(.*)$/.exec(key)?.[1] ?? []);
  assert.ok(named.length > 0);
  assert.deepEqual(named.filter((name) => !audited.includes(name)), []);
});

Deno.test("activityText() has a word for what libvirt tells", () => {
  assert.equal(activityText({ action: "undefined" }), "Removed from libvirt");
  assert.equal(activityText({ action: "io-error" }), "A disk failed to read or write");
});

Deno.test("activityText() shows what it does not know as it is", () => {
  assert.equal(activityText({ action: "no_such_thing" }), "no such thing");
  assert.equal(activityText({ action: "toString" }), "toString");
  assert.equal(activityText({ action: "title" }), "title");
});

Deno.test("mergeActivity() has each entry once, newest first, and not too many", () => {
  assert.deepEqual(ids(mergeActivity([entry(3)], [entry(3), entry(1), entry(2)], 2)), [3, 2]);
});

Deno.test("knownActions() has every word's action once, in the order of the words", () => {
  const known = knownActions();
  const missing = audited.filter((name) => !known.some(({ action }) => action === name));
  // A batch is told as what it did to each.
  assert.deepEqual(missing.filter((name) => !name.startsWith("batch_")), []);
  assert.equal(new Set(known.map(({ action }) => action)).size, known.length);
  assert.deepEqual(known.map(({ text }) => text), known.map(({ text }) => text).toSorted());
});

Deno.test("withoutOwnConsoles() leaves out the consoles that who looks has opened, and nothing else", () => {
  const entry = (id: number, action: string, actor: string, result: Activity["result"] = "ok") =>
    ({ id, timestamp: id, action, actor, result }) as Activity;
  const all = [
    entry(1, "open_console", "ann"),
    entry(2, "open_console", "bob"),
    entry(3, "start_vm", "ann"),
    entry(4, "open_console", "ann", "error"),
  ];
  assert.deepEqual(withoutOwnConsoles(all, "ann").map(({ id }) => id), [2, 3, 4]);
});
