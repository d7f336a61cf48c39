import assert from "node:assert/strict";
import fc from "fast-check";
import { RfbError } from "./source.ts";
import { ViewOnlyFilter } from "./view_only.ts";

const bytes = (length: number, ...head: number[]) =>
  Uint8Array.from({ length }, (_, index) => head[index] ?? 4);
/** Messages by whether a mere viewer may send them. Their bodies are 4s: a KeyEvent's type. */
const ALLOWED = [
  bytes(20, 0),
  bytes(4 + 8, 2, 0, 0, 2),
  bytes(10, 3),
  bytes(10, 150),
  bytes(9 + 3, 248, 0, 0, 0, 0, 0, 0, 0, 3),
];
const DROPPED = [
  bytes(8, 4),
  bytes(6, 5),
  bytes(8 + 5, 6, 0, 0, 0, 0, 0, 0, 5),
  bytes(8 + 5, 6, 0, 0, 0, 255, 255, 255, 251), // extended clipboard: minus five
  bytes(4, 250),
  bytes(8 + 16, 251, 0, 0, 0, 0, 0, 1, 0),
  bytes(12, 255, 0),
];

Deno.test("ViewOnlyFilter drops keys, pointer, clipboard, power and resize, however the bytes are cut", () => {
  const message = fc.oneof(
    fc.constantFrom(...ALLOWED).map((data) => ({ data, isAllowed: true })),
    fc.constantFrom(...DROPPED).map((data) => ({ data, isAllowed: false })),
  );
  fc.assert(
    fc.property(fc.array(message), fc.infiniteStream(fc.integer({ min: 1, max: 30 })), (all, sizes) => {
      const filter = new ViewOnlyFilter();
      const stream = all.flatMap(({ data }) => [...data]);
      const passed: number[] = [];
      for (let at = 0; at < stream.length;) {
        const size = sizes.next().value as number;
        passed.push(...filter.push(Uint8Array.from(stream.slice(at, at + size))));
        at += size;
      }
      assert.deepEqual(passed, all.filter(({ isAllowed }) => isAllowed).flatMap(({ data }) => [...data]));
    }),
  );
});

Deno.test("ViewOnlyFilter takes no message it does not know, and holds nothing of what it drops", () => {
  for (const unknown of [[1], [7], [255, 1], [255, 2], [252]]) {
    assert.throws(() => new ViewOnlyFilter().push(new Uint8Array([...unknown, 0, 0])), RfbError);
  }
  const filter = new ViewOnlyFilter();
  assert.equal(filter.push(new Uint8Array([6, 0, 0, 0, 0x7f, 255, 255, 255])).length, 0);
  for (let round = 0; round < 100; round++) assert.equal(filter.push(new Uint8Array(65536)).length, 0);
});
