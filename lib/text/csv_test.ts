import assert from "node:assert/strict";
import { csvField, csvRow } from "./csv.ts";

Deno.test("csvField() makes text of what a spreadsheet would take for a formula", () => {
  for (const sign of ["=", "+", "-", "@", "\t", "\r"]) {
    assert.match(csvField(`${sign}cmd|'/C calc'!A0`), /^"?'/, JSON.stringify(sign));
  }
  assert.equal(csvField(-5.5), "-5.5", "a number stays one");
  assert.equal(csvField("a-b=c"), "a-b=c");
});

Deno.test("csvRow() keeps commas, quotes and line ends within their fields", () => {
  assert.equal(
    csvRow(["a,b", 'say "x"', "two\r\nlines", null, undefined, 0]),
    '"a,b","say ""x""","two\r\nlines",,,0\r\n',
  );
});
