import assert from "node:assert/strict";
import { compareVersions, databaseCopyName, parseRecord, replacementRefusal } from "./record.ts";

const BUILD = { version: "1.2.0", database: 7, sha256: "ab" };

Deno.test("parseRecord() reads what was written, and nothing else", () => {
  const record = { ...BUILD, previous: { ...BUILD, version: "1.1.0" } };
  assert.deepEqual(parseRecord(JSON.stringify(record)), record);
  assert.deepEqual(parseRecord(JSON.stringify({ ...BUILD, previous: 1, more: 2 })), BUILD);
  for (const text of ["", "{", "null", "[]", '{"version":1}']) {
    assert.equal(parseRecord(text), undefined, text);
  }
});

Deno.test("compareVersions() orders numbers, not letters", () => {
  const sorted = ["0.9.9", "0.10.0", "1.0.0", "1.0.10"];
  assert.deepEqual(sorted.toReversed().sort(compareVersions), sorted);
  assert.equal(compareVersions("1.0.0", "1.0.0"), 0);
});

Deno.test("replacementRefusal() keeps older programs off newer databases, and says what to do", () => {
  assert.equal(replacementRefusal(BUILD, undefined), null);
  assert.equal(replacementRefusal(BUILD, 7), null);
  assert.equal(replacementRefusal(BUILD, 3), null);
  assert.match(replacementRefusal(BUILD, 8) ?? "", /version 8.*1\.2\.0.*up to 7.*restore-state FILE/);
  const copies = [databaseCopyName(6), databaseCopyName(7)];
  assert.match(replacementRefusal(BUILD, 8, copies) ?? "", /restore-state \S+before-upgrade-7\.db/);
});
