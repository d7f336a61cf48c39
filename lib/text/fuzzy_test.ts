import assert from "node:assert/strict";
import { fuzzyFind, fuzzyMatch } from "./fuzzy.ts";

const names = ["archive-db", "db-01", "web-01", "web-10", "dashboard"];
const find = (query: string, limit = 5) =>
  fuzzyFind(query, names, (name) => name, limit).map(({ item }) => item);

Deno.test("fuzzyMatch() wants every letter, in order", () => {
  assert.deepEqual(fuzzyMatch("w1", "web-01")?.positions, [0, 5]);
  assert.equal(fuzzyMatch("1w", "web-01"), null);
});

Deno.test("fuzzyMatch() prefers a whole run over scattered letters", () => {
  assert.deepEqual(fuzzyMatch("db", "dashboard-db")?.positions, [10, 11]);
});

Deno.test("fuzzyFind() puts word starts first", () => {
  assert.equal(find("db")[0], "db-01");
  assert.equal(find("web 10")[0], "web-10");
});

Deno.test("fuzzyFind() keeps the order while nothing is typed, and the limit always", () => {
  assert.deepEqual(find(" ", 2), ["archive-db", "db-01"]);
  assert.equal(find("b", 1).length, 1);
});

Deno.test("fuzzyMatch() survives letters whose lower case is longer", () => {
  assert.notEqual(fuzzyMatch("x", "İx"), null);
});
