import assert from "node:assert/strict";
import { ContractError } from "../contract/errors.ts";
import { failureOf } from "./failure.ts";

Deno.test("failureOf() a contract error keeps its exact text and adds what to do", () => {
  const failure = failureOf(new ContractError("LibvirtUnavailable"));
  assert.equal(failure.why, "Libvirtd is not running. Please start the service.");
  assert.equal(failure.status, 503);
  assert.match(failure.advice ?? "", /systemctl/);
});

Deno.test("failureOf() looks through an HTTP error to its cause", () => {
  const cause = new ContractError("VmNotFound", { vmId: "x" });
  assert.equal(failureOf(new Error("Not found", { cause })).code, "VmNotFound");
});

Deno.test("failureOf() takes anything that can be thrown", () => {
  assert.equal(failureOf("no").why, "no");
  assert.equal(failureOf(null).code, "Internal");
  assert.equal(failureOf({ code: "toString" }).advice, undefined);
});

Deno.test("failureOf() has details that can be pasted", () => {
  const { details } = failureOf(new ContractError("StartFailed", { error: "no kvm" }));
  assert.deepEqual(JSON.parse(details).details, { error: "no kvm" });
});
