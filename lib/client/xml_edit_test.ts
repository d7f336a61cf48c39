import assert from "node:assert/strict";
import { indent, lineBreak, lineRange, type Replacement } from "./xml_edit.ts";

const done = (text: string, change: Replacement | null) =>
  change === null ? null : text.slice(0, change.from) + change.by + text.slice(change.to);
const at = (text: string, start: number, end = start) => ({ text, start, end });

Deno.test("indent() puts blanks at the caret, or before every selected line, and takes them away", () => {
  assert.equal(done("ab", indent(at("ab", 1), false)), "a  b");
  assert.equal(done("a\nb\nc", indent(at("a\nb\nc", 0, 3), false)), "  a\n  b\nc");
  assert.equal(done("x\n   a", indent(at("x\n   a", 5), true)), "x\n a");
  assert.equal(done("  a\n b", indent(at("  a\n b", 1, 6), true)), "a\nb");
  assert.equal(indent(at("a", 1), true), null);
});

Deno.test("lineBreak() keeps the line's indentation", () => {
  assert.equal(done("  <a/>", lineBreak(at("  <a/>", 6))), "  <a/>\n  ");
  assert.equal(done("    x", lineBreak(at("    x", 2, 4))), "  \n  x");
});

Deno.test("lineRange() finds a line, and the last one for those beyond", () => {
  assert.deepEqual([1, 2, 3, 9].map((line) => lineRange("ab\n\nc", line)), [
    { start: 0, end: 2 },
    { start: 3, end: 3 },
    { start: 4, end: 5 },
    { start: 4, end: 5 },
  ]);
});
