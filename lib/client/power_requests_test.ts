import assert from "node:assert/strict";
import { keepWaiting, OVERDUE_AFTER_MS, waitingOf } from "./power_requests.ts";

/** A VM whose guest was asked by a server whose clock is an hour ahead. */
const HOUR = 3_600_000;
const asked = (id: string, secondsAgo: number) => {
  const rendered = Date.now() + HOUR;
  return {
    rendered,
    vm: { id, powerRequest: { action: "stop" as const, requestedAt: rendered - secondsAgo * 1000 } },
  };
};

Deno.test("waitingOf() counts from when the page was rendered, whatever the server's clock says", () => {
  const { vm, rendered } = asked("clock", 12);
  for (const hydrated of [false, true]) {
    const waiting = waitingOf(vm, rendered, hydrated)!;
    assert.equal(Math.round(waiting.span / 1000), 12);
    assert.equal(waiting.isOverdue, false);
  }
});

Deno.test("waitingOf() a request that came by an event after the page was rendered begins at zero", () => {
  const { vm, rendered } = asked("later", -50);
  assert.equal(Math.floor(waitingOf(vm, rendered, true)!.span / 1000), 0);
});

Deno.test("keepWaiting() gives an overdue guest as long again, and a new request begins again", () => {
  const { vm, rendered } = asked("overdue", OVERDUE_AFTER_MS / 1000 + 5);
  assert.equal(waitingOf(vm, rendered, true)!.isOverdue, true);
  keepWaiting(vm, rendered);
  assert.equal(waitingOf(vm, rendered, true)!.isOverdue, false);
  const again = { ...vm, powerRequest: { action: "reboot" as const, requestedAt: rendered } };
  assert.deepEqual(waitingOf(again, rendered, true)!.isOverdue, false);
  assert.equal(waitingOf({ id: "none" }, rendered, true), undefined);
});
