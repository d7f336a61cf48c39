import assert from "node:assert/strict";
import { formatAgo, formatSpan, formatStopwatch } from "./time.ts";

const minute = 60_000, hour = 60 * minute, day = 24 * hour;

Deno.test("formatStopwatch() minutes and seconds, never negative", () => {
  const cases: [number, string][] = [[0, "0:00"], [12_999, "0:12"], [725_000, "12:05"], [-5, "0:00"]];
  for (const [span, text] of cases) assert.equal(formatStopwatch(span), text);
});

Deno.test("formatSpan() shows the two largest units", () => {
  assert.equal(formatSpan(12 * day + 4 * hour + 59 * minute), "12 d 4 h");
  assert.equal(formatSpan(3 * hour + 20 * minute), "3 h 20 m");
  assert.equal(formatSpan(14 * minute), "14 m");
  assert.equal(formatSpan(400 * day), "400 d");
});

Deno.test("formatSpan() of less than a minute, or of a clock that runs ahead", () => {
  assert.equal(formatSpan(59_000), "< 1 m");
  assert.equal(formatSpan(-5_000), "< 1 m");
});

Deno.test("formatAgo() says just now below a minute", () => {
  assert.equal(formatAgo(1_000, 2_000), "just now");
  assert.equal(formatAgo(9_000, 2_000), "just now");
  assert.equal(formatAgo(0, 14 * minute), "14 m ago");
});
