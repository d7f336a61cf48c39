import assert from "node:assert/strict";
import { header, keyHelp, said } from "./chrome.ts";
import { painted, place } from "./testing.ts";

const TABS = [{ key: "1", title: "VMs", isShown: true }, { key: "2", title: "Tasks", isShown: false }];
const CONNECTED = { state: "connected" } as const;
const status = { who: "ann at https://far.example:8440", link: CONNECTED, working: 2 };

Deno.test("the first line is as wide as the terminal, and ends with how the connection is, however long the rest is", () => {
  for (const columns of [40, 80, 200]) {
    const above = ["a VM with a very long name indeed", "snapshot create"];
    const [line] = painted([header(TABS, above, status, place(columns))], columns);
    assert.match(line!, /live$/);
    assert.ok(line!.length <= columns && line!.length >= columns - 1, line);
  }
  assert.match(
    painted([header(TABS, [], status, place())])[0]!,
    /\[1 VMs\] 2 Tasks .*2 under way {2}ann at h/,
  );
});

Deno.test("keys that have no room are left out whole", () => {
  const bindings = Array.from({ length: 40 }, (_, index) => ({
    keys: [String(index)],
    label: `does thing ${index}`,
    run: () => {},
  }));
  const lines = painted(keyHelp(bindings, place(60)), 60);
  assert.equal(lines.length, 2);
  for (const each of lines) assert.match(each, /^ \d+ does thing \d+(  +\d+ does thing \d+)*$/);
});

Deno.test("what is wrong with the connection stands before what was said, for how long and why", () => {
  const link = {
    state: "broken",
    since: 1_000_000 - 90_000,
    reason: "no server answers. Is it running?",
  } as const;
  const message = { text: "web was started", tone: "ok", at: 0 } as const;
  const lines = painted(said(link, message, place(200)), 200);
  assert.deepEqual(lines, [
    " Not connected for 1m 30s: no server answers. Is it running? What is shown is as old. Trying again.",
    " web was started",
  ]);
  const long = painted(said(CONNECTED, { ...message, text: "x ".repeat(500) }, place()));
  assert.equal(long.length, 3);
  assert.match(long.at(-1)!, /m shows all of it/);
});
