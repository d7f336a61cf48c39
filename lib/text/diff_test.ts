import assert from "node:assert/strict";
import fc from "fast-check";
import { diffLines, diffParts } from "./diff.ts";

const marks = { same: " ", removed: "-", added: "+" };
const shown = (before: string, after: string) =>
  diffLines(before, after).map(({ kind, text }) => marks[kind] + text).join("\n");

Deno.test("diffLines() marks what went and what came, in its place", () => {
  assert.equal(shown("a\nb\nc", "a\nx\nc\nd"), " a\n-b\n+x\n c\n+d");
  assert.equal(shown("a\n", "a"), " a");
  assert.equal(shown("a", "b"), "-a\n+b");
});

Deno.test("diffLines() gives both texts back, with their line numbers, and no line both ways for nothing", () => {
  const text = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 12 })
    .map((lines) => lines.join("\n"));
  fc.assert(fc.property(text, text, (before, after) => {
    const lines = diffLines(before, after);
    const old = lines.filter(({ kind }) => kind !== "added"),
      now = lines.filter(({ kind }) => kind !== "removed");
    assert.equal(old.map(({ text }) => text).join("\n"), before);
    assert.equal(now.map(({ text }) => text).join("\n"), after);
    assert.deepEqual(old.map((line) => line.old), old.map((_, index) => index + 1));
    assert.deepEqual(now.map((line) => line.new), now.map((_, index) => index + 1));
    if (before === after) assert.ok(lines.every(({ kind }) => kind === "same"));
  }));
});

Deno.test("diffLines() of texts that have nothing in common ends", () => {
  const many = (word: string) => Array.from({ length: 5000 }, (_, index) => `${word}${index}`).join("\n");
  assert.equal(diffLines(many("a"), many("b")).length, 10_000);
});

Deno.test("diffParts() leaves long unchanged runs out", () => {
  const before = Array.from({ length: 20 }, (_, index) => String(index)).join("\n");
  const parts = diffParts(diffLines(before, before.replace("\n10\n", "\nten\n")), 2);
  assert.deepEqual(
    parts.map((part) => "skipped" in part ? part.skipped : part.lines.map(({ text }) => text)),
    [
      8,
      ["8", "9", "10", "ten", "11", "12"],
      7,
    ],
  );
});
