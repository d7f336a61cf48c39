import assert from "node:assert/strict";
import { pageHref, pageOf, pageQuery } from "./list_page.ts";

Deno.test("pageOf() beyond the last page is the last", () => {
  const all = Array.from({ length: 201 }, (_, index) => index);
  const { rows, page, pages, matching } = pageOf(all, 9);
  assert.deepEqual([rows, page, pages, matching], [[200], 3, 3, 201]);
  assert.deepEqual(pageOf([], 2), { rows: [], matching: 0, page: 1, pages: 1 });
});

Deno.test("pageQuery() and pageHref() are each other's reverse", () => {
  for (const query of [{ q: "", page: 1 }, { q: "a&b=ü", page: 3 }]) {
    const url = new URL(pageHref("/storage/x", query), "http://host");
    assert.deepEqual(pageQuery(url.searchParams), query);
  }
  assert.equal(pageQuery(new URLSearchParams("page=-1")).page, 1);
  assert.equal(pageQuery(new URLSearchParams("page=x")).page, 1);
  assert.equal(pageHref("/x", { q: "", page: 1 }, { kind: "" }), "/x");
});
