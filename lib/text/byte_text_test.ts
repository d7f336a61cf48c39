import assert from "node:assert/strict";
import fc from "fast-check";
import { bytesOfText, isCanonical, plainText, textOfBytes } from "./byte_text.ts";

const bytes = (...values: (number | string)[]) =>
  Uint8Array.from(
    values.flatMap((value) => typeof value === "string" ? [...new TextEncoder().encode(value)] : value),
  );

/** Bytes and their text. */
const TABLE: readonly (readonly [Uint8Array, string])[] = [
  [bytes(), ""],
  [bytes("disk.qcow2"), "disk.qcow2"],
  [bytes("é 😀 \u00a0\ufeff"), "é 😀 \u00a0\ufeff"],
  [bytes("\ufeffbom"), "\ufeffbom"],
  [bytes("a\\xff %ff \\377"), "a\\xff %ff \\377"], // other programs' spellings are names of their own
  [bytes("a", 0xff, "b"), "a\ufffdffb"],
  [bytes("a", 0xfe, "b"), "a\ufffdfeb"],
  [bytes(0xff, "80"), "\ufffdff80"],
  [bytes(0xc3), "\ufffdc3"], // cut short
  [bytes(0xc3, "("), "\ufffdc3("],
  [bytes(0xe2, 0x82), "\ufffde2\ufffd82"],
  [bytes(0xc0, 0xaf), "\ufffdc0\ufffdaf"], // a slash in too many bytes
  [bytes(0xed, 0xa0, 0x80), "\ufffded\ufffda0\ufffd80"], // half of a pair
  [bytes(0xf4, 0x90, 0x80, 0x80), "\ufffdf4\ufffd90\ufffd80\ufffd80"], // beyond Unicode
  [bytes("a\ufffdb"), "a\ufffdb"], // a U+FFFD is one, where it reads as nothing else
  [bytes("a\ufffd7f"), "a\ufffd7f"],
  [bytes("a\ufffdFF"), "a\ufffdFF"],
  [bytes("a\ufffdff"), "a\ufffdef\ufffdbf\ufffdbdff"],
  [bytes("\ufffe"), "\ufffdef\ufffdbf\ufffdbe"],
  [bytes("\uffff"), "\ufffdef\ufffdbf\ufffdbf"],
];

Deno.test("textOfBytes() and bytesOfText() turn each into the other", () => {
  for (const [given, text] of TABLE) {
    assert.equal(textOfBytes(given), text);
    assert.deepEqual([...bytesOfText(text)], [...given], text);
    assert.equal(isCanonical(text), true, text);
  }
});

Deno.test("no bytes are lost, no two share a text, and text stays as it is", () => {
  // Bytes that meet at the edges of UTF-8 and of the spelling, more often than chance would have them.
  const edgy = fc.oneof(
    fc.constantFrom(0xef, 0xbf, 0xbd, 0xbe, 0xc3, 0xa9, 0xff, 0x66, 0x38, 0x30),
    fc.integer({ min: 1, max: 255 }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ max: 3, min: 0 }), fc.array(edgy, { maxLength: 12 }), (any, list) => {
      for (const given of [any, Uint8Array.from(list)]) {
        const text = textOfBytes(given);
        assert.deepEqual([...bytesOfText(text)], [...given]);
        assert.equal(text.isWellFormed(), true);
        assert.doesNotMatch(text, /[\ufffe\uffff]/);
        assert.equal(isCanonical(text), true);
      }
    }),
    { numRuns: 2000 },
  );
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    if (/[\ufffd-\uffff]/.test(text)) return;
    assert.equal(textOfBytes(new TextEncoder().encode(text)), text);
    assert.equal(plainText(text), text);
  }));
});

Deno.test("isCanonical() knows a second spelling; plainText() knows what other programs cannot be told", () => {
  for (const text of ["\ufffdc3\ufffda9", "x\ufffdef\ufffdbf\ufffdbd", "\ufffdef\ufffdbf\ufffdbdzz"]) {
    assert.equal(isCanonical(text), false, text);
  }
  assert.equal(plainText("a\ufffdff"), undefined);
  assert.equal(plainText("a\ufffdef\ufffdbf\ufffdbdff"), "a\ufffdff");
  assert.equal(plainText("a\ufffdb"), "a\ufffdb");
});
