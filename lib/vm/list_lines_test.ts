import assert from "node:assert/strict";
import { listLines } from "./list_lines.ts";
import { aVm } from "../text/vm_fixture_test.ts";

const vms = ["a", "b", "c"].map((name) => aVm({ name }));
const kinds = (...input: Parameters<typeof listLines>) => listLines(...input).map(({ kind }) => kind);

Deno.test("listLines() of an ungrouped table has rows alone", () => {
  assert.deepEqual(kinds([{ key: "", vms }], "none", 0), ["row", "row", "row"]);
});

Deno.test("listLines() begins each group with its heading", () => {
  const groups = [{ key: "x", vms }, { key: "", vms: vms.slice(1) }];
  assert.deepEqual(kinds(groups, "tag", 2), ["group", "cards", "cards", "group", "cards"]);
});

Deno.test("listLines() gives a machine in two groups two different keys", () => {
  const lines = listLines([{ key: "x", vms }, { key: "y", vms }], "tag", 0);
  assert.equal(new Set(lines.map(({ key }) => key)).size, lines.length);
});

Deno.test("listLines() with unknown width leaves wrapping to the browser", () => {
  assert.deepEqual(kinds([{ key: "", vms }], "none", Infinity), ["cards"]);
});
