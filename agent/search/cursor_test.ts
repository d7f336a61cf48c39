import assert from "node:assert/strict";
import type { Positions } from "../../lib/search/merged.ts";
import { cursorText, readCursor } from "./cursor.ts";

Deno.test("readCursor() takes what cursorText() writes, and nothing else", () => {
  const positions: Positions = {
    local: { number: 5, text: "" },
    far: null,
    kvm2: { number: 1_800_000_000_000, text: "j-1" },
  };
  assert.deepEqual(readCursor(cursorText(positions)), positions);
  const text = (value: unknown) => btoa(JSON.stringify(value)).replace(/=+$/, "");
  for (
    const wrong of [
      "",
      "x",
      text([]),
      text({ a: 1 }),
      text({ a: [1] }),
      text({ a: { number: "1", text: "" } }),
      text(5),
    ]
  ) {
    assert.equal(readCursor(wrong), undefined, wrong);
  }
  const many = Object.fromEntries(Array.from({ length: 101 }, (_, n) => [`h${n}`, null]));
  assert.equal(readCursor(cursorText(many)), undefined);
});
