import assert from "node:assert/strict";
import fc from "fast-check";
import stringWidth from "string-width";
import { ASCII, UNICODE } from "./glyphs.ts";
import { span } from "./line.ts";
import { difference, type Look, paint, pressedAt } from "./paint.ts";
import { columnsOf, fit, folded } from "./width.ts";

const PLAIN: Look = { colours: false, glyphs: UNICODE };
const BARE: Look = { colours: false, glyphs: ASCII };

Deno.test("what a text says to a terminal is not said: escapes, bells, directions, what has no width", () => {
  const hostile = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\u009b1m\u202egpj.exe\u200b\u2066x\rboo\nnew";
  const painted = paint([span(hostile)], 200, PLAIN);
  // deno-lint-ignore no-control-regex -- our own sequences, which say where to go on
  const rest = painted.replace(/\x1b\[(?:\d+G|K)/g, "");
  // deno-lint-ignore no-control-regex -- the very ones
  assert.equal(rest.match(/[\x00-\x1f\x7f-\x9f\u200b\u202e\u2066]/g), null);
  assert.match(painted, /^␦\]52;c;ZXZpbA==␦␦\[2J/);
});

Deno.test("no text is wider than it may be, and none has a control character: whatever it is", () => {
  fc.assert(fc.property(
    fc.oneof(fc.string({ unit: "binary", maxLength: 80 }), fc.string({ unit: "grapheme", maxLength: 80 })),
    fc.integer({ min: 0, max: 60 }),
    fc.boolean(),
    (text, most, unicode) => {
      const found = fit(text, most, unicode ? UNICODE : ASCII);
      assert.ok(found.columns <= most, `${found.columns} > ${most}`);
      assert.ok(stringWidth(found.text) <= most);
      // deno-lint-ignore no-control-regex -- the very ones
      assert.ok(!/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069]/.test(found.text));
      if (!unicode) assert.ok(!/[^\x20-\x7e]/.test(found.text));
    },
  ));
});

Deno.test("wide characters take two columns, combining ones none of their own, and heaps of them are not shown", () => {
  assert.deepEqual(fit("日本語", 5, UNICODE), { text: "日本…", columns: 5 });
  assert.deepEqual(fit("日本語", 4, UNICODE), { text: "日…", columns: 3 });
  assert.equal(columnsOf("e\u0301a", UNICODE), 2);
  assert.deepEqual(fit(`z${"\u0301".repeat(40)}y`, 9, UNICODE), { text: "␦y", columns: 2 });
  assert.deepEqual(fit("ünïx", 9, ASCII), { text: "?n?x", columns: 4 });
});

Deno.test("a line stops at the edge, cells have their widths, and what follows other than ASCII begins at its column", () => {
  const cells = [{ text: "web", width: 5 }, { text: "42", width: 4, right: true as const }, span("tail")];
  assert.equal(paint(cells, 80, PLAIN), "web    42tail\x1b[K");
  assert.equal(paint(cells, 10, PLAIN), "web    42…");
  assert.equal(paint([{ text: "é", width: 3 }, span("x")], 80, PLAIN), "é  \x1b[4Gx\x1b[K");
  assert.equal(paint([span("warn", "warn")], 80, PLAIN), "\x1b[1mwarn\x1b[0m\x1b[K");
  assert.equal(paint([span("ok", "ok")], 80, PLAIN), "ok\x1b[K");
  assert.equal(paint([span("ok", "ok")], 80, { ...BARE, colours: true }), "\x1b[32mok\x1b[0m\x1b[K");
});

Deno.test("a click is for the span below it, by columns", () => {
  const cells = [span("日本"), { text: "s start", press: "s" }, { text: "x", press: "row:1" }];
  assert.equal(pressedAt(cells, 3, 80, PLAIN), undefined);
  assert.equal(pressedAt(cells, 4, 80, PLAIN), "s");
  assert.equal(pressedAt(cells, 11, 80, PLAIN), "row:1");
  assert.equal(pressedAt(cells, 70, 80, PLAIN), "row:1");
});

Deno.test("only rows that changed are drawn", () => {
  assert.equal(difference(["a", "b"], ["a", "b"]), "");
  const text = difference(["a", "b"], ["a", "c"]);
  assert.match(text, /\[2;1Hc/);
  assert.doesNotMatch(text, /\[1;1H/);
  assert.match(difference(null, ["a"]), /\[1;1Ha/);
});

Deno.test("folded lines fit, and no character is lost", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme-ascii", maxLength: 300 }),
      fc.integer({ min: 4, max: 40 }),
      (text, most) => {
        const lines = folded(text, most, UNICODE);
        for (const each of lines) assert.ok(columnsOf(each, UNICODE) <= most, JSON.stringify(each));
        assert.equal(lines.join("").replace(/\s/g, ""), text.replace(/\s/g, ""));
      },
    ),
  );
  assert.deepEqual(folded("one two three", 8, UNICODE), ["one two", "three"]);
});
