import assert from "node:assert/strict";
import {
  isInOrder,
  type ListedRow,
  type ListPart,
  type MergedPage,
  mergedPage,
  type Positions,
} from "./merged.ts";

interface Row {
  readonly host: string;
  readonly id: number;
}
type Lists = Readonly<Record<string, readonly (readonly [id: number, at: number])[]>>;

/** Answers of hosts to a request for rows behind their positions. */
function asked(lists: Lists, positions: Positions, limit: number, missing: readonly string[] = []) {
  const parts = new Map<string, ListPart<Row>>();
  for (const [host, rows] of Object.entries(lists)) {
    const position = positions[host];
    if (missing.includes(host) || position === null) continue;
    const behind = rows.filter(([id]) => position === undefined || id < position.number).toSorted((
      [a],
      [b],
    ) => b - a);
    const given = behind.slice(0, limit).map(([id, at]): ListedRow<Row> => ({
      row: { host, id },
      at,
      place: { number: id, text: "" },
    }));
    parts.set(host, { rows: given, isEnd: given.length < limit });
  }
  return parts;
}

/** All pages. @param missing the hosts that do not answer on a page */
function pages(lists: Lists, limit: number, missing: (page: number) => readonly string[] = () => []) {
  const found: string[][] = [];
  let positions: Positions | undefined = {};
  for (let page = 0; positions !== undefined && page < 100; page++) {
    const { rows, next }: MergedPage<Row> = mergedPage(
      asked(lists, positions, limit, missing(page)),
      missing(page),
      positions,
      limit,
    );
    found.push(rows.map(({ host, id }) => `${host}${id}`));
    positions = next;
  }
  return found;
}

const LISTS: Lists = {
  a: [[1, 10], [2, 30], [3, 50], [4, 70]],
  b: [[7, 20], [8, 40], [9, 60]],
  c: [],
};
const ALL = ["a4", "b9", "a3", "b8", "a2", "b7", "a1"];

Deno.test("mergedPage() has every row once, newest first, whatever the pages' length", () => {
  for (const limit of [1, 2, 3, 4, 7, 8, 100]) {
    const found = pages(LISTS, limit);
    assert.deepEqual(found.flat(), ALL, `${limit} a page`);
    assert.ok(found.slice(0, -1).every(({ length }) => length === limit), `${limit} a page are full`);
  }
});

Deno.test("mergedPage() keeps each host's order where its clock was set back, and leaves nothing out", () => {
  const lists = { a: [[1, 10], [2, 90], [3, 20]], b: [[1, 15], [2, 30]] } as const;
  const whole = pages(lists, 100)[0];
  assert.deepEqual(whole, ["b2", "a3", "a2", "b1", "a1"]);
  for (const limit of [1, 2, 3]) assert.deepEqual(pages(lists, limit).flat(), whole, `${limit} a page`);
});

Deno.test("mergedPage() goes on with a host that was missing on a page: nothing is lost, nothing comes twice", () => {
  for (const limit of [1, 2, 3]) {
    for (const away of [0, 1, 2]) {
      const found = pages(LISTS, limit, (page) => page === away ? ["b"] : []).flat();
      assert.deepEqual(found.toSorted(), ALL.toSorted(), `${limit} a page, away on page ${away}`);
    }
  }
  // Missing to the end: the others' rows are all there
  assert.deepEqual(pages(LISTS, 2, () => ["b"]).flat(), ["a4", "a3", "a2", "a1"]);
});

Deno.test("mergedPage() has nothing on later pages that came after the first", () => {
  const first = mergedPage(asked(LISTS, {}, 1), [], {}, 1);
  const more = { ...LISTS, b: [...LISTS.b!, [10, 65]] as const };
  const second = mergedPage(asked(more, first.next!, 10), [], first.next!, 10);
  assert.deepEqual(second.rows.map(({ host, id }) => `${host}${id}`), ALL.slice(1));
});

Deno.test("isInOrder() refuses rows that come twice, or are not behind the place that was asked for", () => {
  const rows = (...ids: number[]) => ids.map((id) => ({ place: { number: id, text: "" } }));
  assert.ok(isInOrder(rows(3, 2, 1), undefined));
  assert.ok(isInOrder(rows(3, 2, 1), { number: 4, text: "" }));
  assert.equal(isInOrder(rows(3, 3), undefined), false);
  assert.equal(isInOrder(rows(3, 4), undefined), false);
  assert.equal(isInOrder(rows(4), { number: 4, text: "" }), false);
  assert.ok(isInOrder(["b", "a"].map((text) => ({ place: { number: 1, text } })), undefined));
});
