import assert from "node:assert/strict";
import { spelledArguments } from "./lost_bytes.ts";

Deno.test("spelledArguments() takes names as lists show them, and none of which a byte is lost", () => {
  for (const args of [[], ["volume", "delete", "p/é \u00a0"], ["p/bad\ufffdff"]]) {
    assert.deepEqual(spelledArguments(args), args);
  }
  assert.deepEqual(spelledArguments(["p/x\ufffdef\ufffdbf\ufffdbdy"]), ["p/x\ufffdy"]);
  for (const word of ["p/bad\ufffd", "p/x\ufffdy", "p/\ufffdff\ufffd"]) {
    assert.equal(spelledArguments(["a", word]), null, word);
  }
});
