import assert from "node:assert/strict";
import type { Insight, InsightChange } from "../contract/insights.ts";
import { applyHref, insightHref, insightQueryIn, passes, undoIn } from "./page_query.ts";

const at = (path: string) => new URL(path, "http://localhost");
const change = (count: number): InsightChange => ({
  command: "update_vm",
  input: { vmId: "u-1", cpu: { count, max: 4 }, nextBootOnly: true },
});

Deno.test("insightQueryIn() knows ranges and filters, and takes what it does not know for all", () => {
  const query = insightQueryIn(at("/insights?window=7d&severity=warning&category=x&vm=u-1"));
  assert.deepEqual(query, { window: "7d", severity: "warning", category: undefined, vm: "u-1" });
  assert.equal(insightHref(query), "/insights?window=7d&severity=warning&vm=u-1");
  assert.equal(insightQueryIn(at("/insights?window=365d")).window, "24h");
  const insight = { severity: "warning", category: "cpu", vmId: "u-1" } as Insight;
  assert.ok(passes(query, insight));
  assert.ok(!passes({ ...query, severity: "info" }, insight));
  assert.ok(!passes({ ...query, vm: "host" }, insight));
  assert.ok(passes({ window: "1h", vm: "host" }, { severity: "info", category: "disk" } as Insight));
});

Deno.test("applyHref() sends the change, and comes back with what undoes it", () => {
  const query = insightQueryIn(at("/insights?category=cpu"));
  const href = at(applyHref(query, change(1), change(4)));
  assert.equal(href.pathname, "/do/update_vm");
  assert.deepEqual([...href.searchParams].slice(0, 4), [
    ["vmId", "u-1"],
    ["cpu.count", "1"],
    ["cpu.max", "4"],
    ["nextBootOnly", "true"],
  ]);
  const undo = undoIn(at(href.searchParams.get("to")!), query)!;
  assert.deepEqual([undo.vmId, undo.fields], ["u-1", [["cpu.count", 4], ["cpu.max", 4]]]);
  assert.equal(at(undo.href).searchParams.get("cpu.count"), "4");
});

Deno.test("undoIn() takes whole numbers of four fields, and nothing else", () => {
  const query = insightQueryIn(at("/insights"));
  for (const odd of ["undo.vmId=u&undo.title=x", "undo.vmId=u&undo.cpu.count=1e3", "undo.cpu.count=2"]) {
    assert.equal(undoIn(at(`/insights?${odd}`), query), undefined, odd);
  }
});
