import assert from "node:assert/strict";
import { steadyOrder } from "./steady_order.ts";

const rows = (ids: string) => [...ids].map((id) => ({ id }));
const order = (before: string, ranked: string) =>
  steadyOrder([...before], rows(ranked)).map(({ id }) => id).join("");

Deno.test("steadyOrder() leaves rows where they are; newcomers take the places of those that left", () => {
  assert.equal(order("", "cab"), "cab");
  assert.equal(order("abc", "cab"), "abc");
  assert.equal(order("abc", "dca"), "adc");
  assert.equal(order("abc", "ca"), "ac");
  assert.equal(order("ab", "dbae"), "abde");
  assert.equal(order("abc", "fed"), "fed");
});

Deno.test("steadyOrder() gives the rows as they are now", () => {
  const now = { id: "a", load: 2 };
  assert.equal(steadyOrder(["a"], [now])[0], now);
});
