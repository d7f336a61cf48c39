import assert from "node:assert/strict";
import { defaultAlerts as texts } from "../i18n/en/default_alerts.ts";
import { DEFAULT_ALERT_NAMES } from "./default_names.ts";
import { alertName } from "./name.ts";

Deno.test("texts of default alerts are their names", () => {
  const expected = Object.entries(DEFAULT_ALERT_NAMES).map(([id, name]) => [`default_alerts.${id}`, name]);
  assert.deepEqual(texts, Object.fromEntries(expected));
});

Deno.test("an alert that a user has named keeps that name", () => {
  assert.equal(alertName("vm-crashed", "VM crashed"), texts["default_alerts.vm-crashed"]);
  assert.equal(alertName("vm-crashed", "Ours"), "Ours");
  assert.equal(alertName("8d1", "VM crashed"), "VM crashed");
  assert.equal(alertName("constructor", "Mine"), "Mine");
});
