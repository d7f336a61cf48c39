import assert from "node:assert/strict";
import { judgedFindings } from "./examination.ts";

const finding = (area: string, level: string) => ({
  area,
  level,
  what: `${area} is ${level}`,
  advice: "Mend it.",
});

Deno.test("judgedFindings() refuses for libvirt and the port alone, and notes the rest", () => {
  const all = [finding("libvirt", "ok"), finding("clock", "problem"), finding("kvm", "warning")];
  assert.deepEqual(judgedFindings(all, false), {
    refused: undefined,
    notes: ["clock is problem. Mend it.", "kvm is warning. Mend it."],
  });
  assert.equal(judgedFindings([finding("libvirt", "problem")], true).refused, "libvirt is problem. Mend it.");
  assert.equal(judgedFindings([finding("ports", "problem")], false).refused, "ports is problem. Mend it.");
  assert.equal(judgedFindings([finding("ports", "problem")], true).refused, undefined, "its own port");
  assert.equal(judgedFindings([finding("libvirt", "warning")], false).refused, undefined);
});

Deno.test("judgedFindings() takes whatever another host says", () => {
  assert.deepEqual(judgedFindings({ not: "a list" }, false), { refused: undefined, notes: [] });
  const { notes } = judgedFindings(
    [null, 7, { area: "x", level: "warning", what: "a\u001b[1mb".repeat(500) }],
    false,
  );
  for (const note of notes) {
    assert.ok(note.length <= 301, note);
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(note, /\u001b/);
  }
});
