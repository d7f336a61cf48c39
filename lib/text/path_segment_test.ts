import assert from "node:assert/strict";
import fc from "fast-check";
import { nameIn, segmentOf } from "./path_segment.ts";

const PAGES = ["new", "topology"];

Deno.test("segmentOf() marks what would lead to another page", () => {
  assert.equal(segmentOf("default", PAGES), "default");
  assert.equal(segmentOf("a b/c", PAGES), "a%20b%2Fc");
  assert.equal(segmentOf("new", PAGES), "=new");
  assert.equal(segmentOf("new"), "new");
  assert.equal(segmentOf(".."), "=..");
  assert.equal(segmentOf("=new", PAGES), "=%3Dnew");
});

Deno.test("nameIn() finds every name again, and no name leads to a page next to it or up", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: "grapheme", minLength: 1 }), fc.constantFrom(...PAGES, ".", "..", "=.")),
      (name) => {
        const { pathname } = new URL(`/networks/${segmentOf(name, PAGES)}`, "http://host");
        const [, , segment = "", ...rest] = pathname.split("/");
        assert.equal(nameIn(decodeURIComponent(segment)), name);
        assert.deepEqual(rest, []);
        assert.ok(!PAGES.includes(segment));
      },
    ),
  );
});
