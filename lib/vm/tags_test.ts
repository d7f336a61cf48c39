import assert from "node:assert/strict";
import { MAX_TAGS, Tag } from "../contract/vm.ts";
import { parseTags, TAG_COUNT, TAG_LENGTH } from "./tags.ts";

Deno.test("parseTags() splits at spaces and commas, and drops doubles", () => {
  assert.deepEqual(parseTags(" prod, web web,,\n db "), ["prod", "web", "db"]);
  assert.deepEqual(parseTags(""), []);
});

Deno.test("TAG_LENGTH and TAG_COUNT are the contract's", () => {
  assert.equal(TAG_LENGTH, (Tag as { maxLength?: number }).maxLength);
  assert.equal(TAG_COUNT, MAX_TAGS);
});
