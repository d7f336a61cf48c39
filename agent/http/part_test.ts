import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { choosePart } from "./part.ts";

const whole = { size: 1000, version: "v1" };

function chosen(
  headers: Record<string, string>,
  content: Parameters<typeof choosePart>[1] = whole,
  method = "GET",
) {
  try {
    const { status, part } = choosePart(new Request("http://host/", { method, headers }), content);
    return [status, part && [part.offset, part.length]];
  } catch (error) {
    assert.ok(error instanceof ContractError, String(error));
    return [error.status, error.code];
  }
}

Deno.test("choosePart() gives the part that a range names, and says so when there is none", () => {
  const all = [200, [0, 1000]], beyond = [416, "RangeNotSatisfiable"];
  const cases: [range: string, expected: unknown][] = [
    ["bytes=0-", [206, [0, 1000]]],
    ["bytes=0-0", [206, [0, 1]]],
    ["bytes=10-19", [206, [10, 10]]],
    ["bytes=990-5000", [206, [990, 10]]],
    ["bytes=999-", [206, [999, 1]]],
    ["bytes=-1", [206, [999, 1]]],
    ["bytes=-5000", [206, [0, 1000]]],
    ["Bytes=10-19", [206, [10, 10]]],
    ["bytes=1000-", beyond],
    ["bytes=1000-1001", beyond],
    ["bytes=-0", beyond],
    ["bytes=20-10", all],
    ["bytes=2000-10", all],
    ["bytes=0-1,5-6", all],
    ["bytes=", all],
    ["bytes=-", all],
    ["bytes=a-b", all],
    ["items=0-1", all],
    [`bytes=${"9".repeat(30)}-`, all],
  ];
  for (const [range, expected] of cases) assert.deepEqual(chosen({ range }), expected, range);
  assert.deepEqual(chosen({ range: "bytes=0-" }, { size: 0, version: "v1" }), beyond);
  assert.deepEqual(chosen({}, { size: 0, version: "v1" }), [200, [0, 0]]);
  assert.deepEqual(chosen({ range: "bytes=0-9" }, whole, "HEAD"), [200, null]);
});

Deno.test("choosePart() heeds the conditions of a request", () => {
  const range = "bytes=10-19", part = [206, [10, 10]], all = [200, [0, 1000]];
  const failed = [412, "PreconditionFailed"], same = [304, null];
  const unknown = { size: 1000, version: undefined };
  assert.deepEqual(chosen({ range, "if-range": '"v1"' }), part);
  assert.deepEqual(chosen({ range, "if-range": '"v2"' }), all);
  assert.deepEqual(chosen({ range, "if-range": 'W/"v1"' }), all, "If-Range compares strongly");
  assert.deepEqual(chosen({ range, "if-range": "Sun, 06 Nov 1994 08:49:37 GMT" }), all);
  assert.deepEqual(chosen({ range, "if-range": '"v1"' }, unknown), all);
  assert.deepEqual(chosen({ "if-none-match": '"v0", W/"v1"' }), same);
  assert.deepEqual(chosen({ "if-none-match": '"v0"' }), all);
  assert.deepEqual(chosen({ "if-none-match": "*" }), same);
  assert.deepEqual(chosen({ "if-match": '"v0", "v1"' }), all);
  assert.deepEqual(chosen({ "if-match": "*" }), all);
  assert.deepEqual(chosen({ "if-match": '"v0"', range: "bytes=5000-" }), failed);
  assert.deepEqual(chosen({ "if-match": 'W/"v1"' }), failed, "If-Match compares strongly");
  assert.deepEqual(chosen({ "if-match": '"v1"' }, unknown), failed);
});
