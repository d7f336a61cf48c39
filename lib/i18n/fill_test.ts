import assert from "node:assert/strict";
import { fill } from "./fill.ts";
import { clauseOf } from "../text/message.ts";

Deno.test("fill() ends no sentence twice", () => {
  const text = "It cannot be used: {reason}. Try again.";
  assert.equal(fill(text, { reason: "no space" }), "It cannot be used: no space. Try again.");
  assert.equal(fill(text, { reason: "No space." }), "It cannot be used: No space. Try again.");
  assert.equal(fill(text, { reason: "Why?" }), "It cannot be used: Why? Try again.");
  for (const end of ["。", "！", "？"]) {
    assert.equal(
      fill("使えません：{reason}。", { reason: `空きがない${end}` }),
      `使えません：空きがない${end}`,
    );
  }
  assert.equal(fill("{reason}。", { reason: "no space" }), "no space。");
  assert.equal(fill("{n}.{n}", { n: 1 }), "1.1");
  assert.equal(fill("{a}{b} {toString}.", { a: "x." }), "x.{b} {toString}.");
});

Deno.test("clauseOf() is a message that a sentence can go on after", () => {
  assert.equal(clauseOf(new Error("No space.")), "No space");
  assert.equal(clauseOf(new Error("no space")), "no space");
  assert.equal(clauseOf("and so on..."), "and so on...");
});
