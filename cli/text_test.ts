import assert from "node:assert/strict";
import { fitted, listed, typedLines, usageLines, wrapped } from "./text.ts";

Deno.test("wrapped() breaks lines between words, none wider than it may be", () => {
  assert.deepEqual(wrapped("aa bb cc dd", 5), ["aa bb", "cc dd"]);
  assert.deepEqual(wrapped("averylongword b", 5), ["averylongword", "b"]);
});

Deno.test("listed() has names in one column and wraps their meanings next to them", () => {
  const text = "one two three four five six seven eight nine ten";
  const lines = listed([["--a", text], ["--a-name-that-is-longer-than-its-column", "x"]], 40);
  assert.ok(lines.every((line) => line.length <= 44), lines.join("\n"));
  assert.equal(lines[0], "  --a  one two three four five six seven");
  assert.match(lines[1]!, /^ {7}eight/);
  assert.deepEqual(lines.slice(-2), ["  --a-name-that-is-longer-than-its-column", "       x"]);
});

Deno.test("fitted() breaks prose again and leaves what is laid out", () => {
  const text = "Usage: a\n\nOne two three\nfour five.\n\nOptions:\n  --l  a b";
  const broken = "One two\nthree four\nfive.";
  assert.equal(fitted(text, 10), text.replace("One two three\nfour five.", broken));
});

Deno.test("usageLines() and typedLines() break long lines between their parts, so that they can still be typed", () => {
  const usage = "Usage: kvm-manager login URL [--name NAME] [--token-file FILE|-]";
  assert.deepEqual(usageLines(usage, 45), [
    "Usage: kvm-manager login URL [--name NAME]",
    "         [--token-file FILE|-]",
  ]);
  assert.deepEqual(typedLines("  kvm-manager vm create a --title 'one two' --start", 40), [
    "  kvm-manager vm create a --title \\",
    "      'one two' --start",
  ]);
  assert.deepEqual(typedLines("  kvm-manager vm list", 40), ["  kvm-manager vm list"]);
});

Deno.test("listed() breaks a value's choices, and fitted() what is laid out", () => {
  assert.deepEqual(listed([["--series cpu_usage|memory_used|disk_read", "what"]], 40), [
    "  --series cpu_usage|memory_used|",
    "      disk_read",
    "    what",
  ]);
  assert.equal(
    fitted("Options:\n  --long  what it means to one", 24),
    "Options:\n  --long  what it means\n          to one",
  );
});
