import assert from "node:assert/strict";
import { Compile } from "typebox/compile";
import { type AlertRule, COMMANDS } from "../contract/mod.ts";
import { defaultAlertRules } from "./defaults.ts";
import { isInScope, ruleRefusal } from "./rule.ts";
import { AlertRule as Schema } from "../contract/alerts.ts";

const RULE: Omit<AlertRule, "id" | "createdAt"> = {
  name: "CPU",
  severity: "warning",
  watches: "vm_metric",
  series: "cpu_usage",
  comparison: "above",
  threshold: 90,
  checks: 3,
  scope: "everything",
  enabled: true,
};

Deno.test("ruleRefusal() takes every default alert, and each fits its schema", () => {
  const rules = [
      ...defaultAlertRules("first", 0),
      ...defaultAlertRules("backups", 0),
      ...defaultAlertRules("guests", 0),
    ],
    schema = Compile(Schema);
  for (const rule of rules) {
    assert.equal(ruleRefusal(rule), undefined, rule.id);
    assert.ok(schema.Check(rule), rule.id);
  }
  assert.equal(new Set(rules.map(({ id }) => id)).size, rules.length);
});

const REFUSED: readonly [change: Partial<AlertRule>, field: string][] = [
  [{ threshold: NaN }, "threshold"],
  [{ threshold: Infinity }, "threshold"],
  [{ clearThreshold: -Infinity }, "clearThreshold"],
  [{ series: "pool_usage" }, "series"],
  [{ watches: "host_metric", series: "vcpu_usage" }, "series"],
  [{ watches: "vm_crashed" }, "series"],
  [{ label: "vda" }, "label"],
  [{ clearThreshold: 91 }, "clearThreshold"],
  [{ comparison: "below", clearThreshold: 89 }, "clearThreshold"],
  [{ scope: "vm" }, "vmId"],
  [{ scope: "group" }, "group"],
  [{ vmId: "v" }, "vmId"],
  [{ watches: "host_metric", scope: "vm", vmId: "v" }, "scope"],
];

Deno.test("ruleRefusal() names the field of what cannot be watched", () => {
  assert.equal(ruleRefusal(RULE), undefined);
  for (const [change, field] of REFUSED) {
    assert.equal(ruleRefusal({ ...RULE, ...change })?.field, field, JSON.stringify(change));
  }
});

Deno.test("create_alert takes no threshold that is no number", () => {
  const schema = Compile(COMMANDS.create_alert.input);
  const given = (threshold: unknown) =>
    schema.Check({ name: "a", watches: "vm_metric", series: "cpu_usage", threshold });
  assert.equal(given(90), true);
  for (const threshold of [NaN, Infinity, -Infinity, null, "90", 1e300]) {
    assert.equal(given(threshold), false, String(threshold));
  }
});

Deno.test("isInScope() tells hosts, groups and VMs apart", () => {
  const subject = { host: "local", vmId: "v", group: "g" };
  const scopes: readonly [Parameters<typeof isInScope>[0], boolean][] = [
    [{ scope: "everything" }, true],
    [{ scope: "host", hostId: "local" }, true],
    [{ scope: "host", hostId: "other" }, false],
    [{ scope: "group", group: "g" }, true],
    [{ scope: "group", group: "h" }, false],
    [{ scope: "vm", vmId: "v" }, true],
    [{ scope: "vm", vmId: "w" }, false],
  ];
  for (const [scope, isIn] of scopes) assert.equal(isInScope(scope, subject), isIn, JSON.stringify(scope));
  assert.equal(isInScope({ scope: "group", group: "g" }, { host: "local" }), false);
});
