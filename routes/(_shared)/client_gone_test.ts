import assert from "node:assert/strict";
import { ClientGone, isClientGone, unlessClientGone } from "./client_gone.ts";

Deno.test("unlessClientGone() tells a request that broke off from other failures", async () => {
  assert.equal(await unlessClientGone(Promise.resolve(1)), 1);
  const aborted = Object.assign(new Error("aborted"), { code: "ECONNRESET" });
  await assert.rejects(unlessClientGone(Promise.reject(aborted)), ClientGone);
  await assert.rejects(unlessClientGone(Promise.reject(new TypeError("no form"))), TypeError);
});

Deno.test("isClientGone() looks through what an error comes of, and takes no other lost connection for it", () => {
  const gone = new ClientGone("x");
  assert.ok(isClientGone(gone));
  assert.ok(isClientGone(new Error("a", { cause: new Error("b", { cause: gone }) })));
  assert.ok(!isClientGone(new Error("a", { cause: Object.assign(new Error("b"), { code: "ECONNRESET" }) })));
  assert.ok(!isClientGone("x"));
});
