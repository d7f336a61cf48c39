import assert from "node:assert/strict";
import fc from "fast-check";
import { ClipboardFilter } from "./clipboard_filter.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const filtered = (...pieces: string[]) => {
  const filter = new ClipboardFilter();
  return pieces.map((piece) => new TextDecoder().decode(filter.read(encode(piece)))).join("");
};

Deno.test("ClipboardFilter takes OSC 52 out, however it is written and cut", () => {
  for (const end of ["\x07", "\x1b\\", "\x18"]) {
    assert.equal(filtered(`a\x1b]52;c;aGFja2Vk${end}b`), "ab");
    assert.equal(filtered(`a\x1b]0052;c;?${end}b`), "ab");
    assert.equal(filtered(...`a\x1b]52;c;aGFja2Vk${end}b`), "ab");
  }
  assert.equal(filtered("a\x1b\x1b]52;c;x\x07b"), "a\x1bb");
  assert.equal(filtered("\x1b]52;c;x\x1b[31mred"), "\x1b[31mred");
});

Deno.test("ClipboardFilter leaves everything else as it is, byte for byte", () => {
  const others = "\x1b[31mred\x1b]0;title\x07\x1b]520;x\x07\x1b]5;2\x07\x1bM\x1b]\x07é日";
  assert.equal(filtered(others), others);
  const bytes = fc.uint8Array({ maxLength: 200 }).filter((each) => !each.includes(0x1b));
  fc.assert(fc.property(bytes, (each) => assert.deepEqual(new ClipboardFilter().read(each), each)));
});

Deno.test("ClipboardFilter shows no OSC 52, whatever it is given in whatever pieces", () => {
  const token = fc.constantFrom("\x1b", "]", "5", "2", "0", ";", "c", "\x07", "\\", "x");
  fc.assert(fc.property(fc.array(token, { maxLength: 60 }), (tokens) => {
    // deno-lint-ignore no-control-regex -- the escape is what must not be there
    assert.doesNotMatch(filtered(...tokens), /\x1b\]0*52;/);
  }));
});
