import assert from "node:assert/strict";
import { pending } from "./pending.ts";

Deno.test("pending.reached() ends an action with the state it was for, and no other", () => {
  pending.begin("a", "start");
  pending.reached("a", "paused");
  assert.equal(pending.of("a").value, "start");
  pending.reached("a", "running");
  assert.equal(pending.of("a").value, undefined);
});

Deno.test("pending.accepted() ends what only the guest can finish", () => {
  pending.begin("b", "stop");
  pending.accepted("b", "running");
  assert.equal(pending.of("b").value, undefined);
});

Deno.test("pending.accepted() ends an action whose event came before the answer", () => {
  pending.begin("c", "start");
  pending.accepted("c", "running");
  assert.equal(pending.of("c").value, undefined);
});
