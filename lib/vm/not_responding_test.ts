import assert from "node:assert/strict";
import { notRespondingText, notUnderstoodText, otherAttention } from "./not_responding.ts";
import { isAllowed, slotsOf } from "./actions.ts";
import { offersConsole } from "./manage.ts";

const HANG = { since: Date.UTC(2026, 10, 25, 12, 3, 4), call: "virDomainGetState" };
const OTHER = "Its screen has no password.";

Deno.test("otherAttention() leaves out what pages say themselves, also where lists have cut it", () => {
  const own = notRespondingText(HANG);
  assert.match(own, /^It has not responded since 2026-11-25T12:03:04.000Z: virDomainGetState\./);
  assert.deepEqual(otherAttention({ attention: [own, OTHER], notResponding: HANG }), [OTHER]);
  assert.deepEqual(otherAttention({ attention: [own.slice(0, 80), OTHER], notResponding: HANG }), [OTHER]);
  assert.deepEqual(otherAttention({ attention: [OTHER] }), [OTHER]);
  const stale = notUnderstoodText(HANG.since);
  assert.match(stale, /since 2026-11-25T12:03:04.000Z .* Update KVM Manager here\.$/);
  const vm = { attention: [stale.slice(0, 80), own, OTHER], notUnderstoodSince: HANG.since };
  assert.deepEqual(otherAttention({ ...vm, notResponding: HANG }), [OTHER]);
});

Deno.test("slotsOf() a VM that does not respond keeps its buttons in their places, and can only be forced off", () => {
  const vm = { state: "paused", persistent: true, responsive: false } as const;
  const [first] = slotsOf([["start", "resume"]], vm);
  assert.deepEqual(first, { name: "resume", allowed: false, reason: "action.no_response" });
  assert.equal(isAllowed("force_stop", vm), true);
  for (const name of ["resume", "suspend", "reset"] as const) assert.equal(isAllowed(name, vm), false, name);
  const [start] = slotsOf([["start"]], vm);
  assert.deepEqual(start, { name: "start", allowed: false });
});

Deno.test("offersConsole() not of a VM that does not respond", () => {
  assert.equal(offersConsole({ state: "running", graphics: [{ type: "vnc" }], responsive: false }), false);
});
