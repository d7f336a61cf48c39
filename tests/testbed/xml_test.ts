import assert from "node:assert/strict";
import { markup } from "./xml.ts";

Deno.test("markup() escapes every value", () => {
  const [attribute, text] = [`'"<>&`, "</a><x/>"];
  assert.equal(
    String(markup`<a b='${attribute}'>${text}</a>`),
    "<a b='&apos;&quot;&lt;&gt;&amp;'>&lt;/a&gt;&lt;x/&gt;</a>",
  );
});

Deno.test("markup() nests markup as it is", () => {
  assert.equal(String(markup`<a>${[markup`<b/>`, markup`<c>${1}</c>`]}</a>`), "<a><b/><c>1</c></a>");
});

Deno.test("markup() refuses what XML 1.0 cannot hold", () => {
  for (const text of ["\0", "\x1b", "\ud800", "\uffff"]) {
    assert.throws(() => markup`<a>${text}</a>`, TypeError);
  }
});
