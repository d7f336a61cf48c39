import assert from "node:assert/strict";
import { differences, inTurn, median, ratios } from "./measure.ts";

Deno.test("inTurn() alternates, turns the order round, and leaves the first round out", async () => {
  const order: string[] = [];
  const contestant = (name: string) => () => Promise.resolve(order.push(name));
  const figures = await inTurn(2, { a: contestant("a"), b: contestant("b") });
  assert.equal(order.join(""), "baabba");
  assert.deepEqual(figures, { a: [3, 6], b: [4, 5] });
});

Deno.test("median() takes the middle, whatever the order", () => {
  assert.equal(median([10, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
  assert.ok(Number.isNaN(median([])));
});

Deno.test("ratios() and differences() compare round by round", () => {
  assert.deepEqual(ratios([1, 6], [2, 3]), [0.5, 2]);
  assert.deepEqual(differences([1, 6], [2, 3]), [-1, 3]);
});
