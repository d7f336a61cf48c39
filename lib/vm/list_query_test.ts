import assert from "node:assert/strict";
import { DEFAULT_QUERY, listHref, listSearch, parseListQuery, sortBy } from "./list_query.ts";

const parse = (search: string) => parseListQuery(new URLSearchParams(search));

Deno.test("parseListQuery() of nothing is the default", () => assert.deepEqual(parse(""), DEFAULT_QUERY));

Deno.test("parseListQuery() undoes listSearch()", () => {
  const query = {
    q: `a&b "c" #`,
    state: "attention",
    tag: "prod",
    group: "lab one",
    host: "there",
    project: "shop",
    by: "tag",
    sort: "cpu",
    dir: "desc",
    view: "cards",
    page: 3,
  } as const;
  assert.deepEqual(parse(listSearch(query)), query);
});

Deno.test("parseListQuery() ignores what makes no sense", () => {
  assert.deepEqual(parse("state=nope&sort=__proto__&dir=up&by=x&view=3d&page=-2"), DEFAULT_QUERY);
  assert.equal(parse("page=1e99").page, 1);
  assert.equal(parse("q=" + "x".repeat(9_999)).q.length, 256);
});

Deno.test("listSearch() leaves defaults out", () => {
  assert.equal(listSearch(DEFAULT_QUERY), "");
  assert.equal(listSearch({ ...DEFAULT_QUERY, state: "running" }), "?state=running");
});

Deno.test("listHref() goes back to the first page unless told otherwise", () => {
  const query = { ...DEFAULT_QUERY, page: 4 };
  assert.equal(listHref(query, { q: "x" }), "/vms?q=x");
  assert.equal(listHref(query, { page: 5 }), "/vms?page=5");
});

Deno.test("sortBy() the same column turns the order, another begins its own way", () => {
  assert.deepEqual(sortBy(DEFAULT_QUERY, "name"), { sort: "name", dir: "desc" });
  assert.deepEqual(sortBy(DEFAULT_QUERY, "cpu"), { sort: "cpu", dir: "desc" });
});
