import assert from "node:assert/strict";
import { ALL_RIGHTS, type Rights } from "../../../lib/access/rights.ts";
import { ContractError } from "../../../lib/contract/mod.ts";
import { callerHeader, readCaller } from "./remote_caller.ts";

Deno.test("readCaller() reads what callerHeader() writes", () => {
  const rights: Rights = [
    [{ permissions: new Set(["vms.view", "vms.operate"]), on: { kind: "group", group: "Büro" } }],
    [{ permissions: new Set(["vms.view"]), on: { kind: "everything" } }],
  ];
  assert.deepEqual(readCaller(callerHeader({ name: "ann", rights })), { name: "ann", rights });
  assert.deepEqual(readCaller(callerHeader({ name: "root", rights: ALL_RIGHTS })), {
    name: "root",
    rights: ALL_RIGHTS,
  });
  assert.equal(readCaller(null), undefined);
});

Deno.test("readCaller() takes nothing that is no caller: a call without layers would have no bound", () => {
  const encoded = (value: unknown) => btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_");
  const everything = { kind: "everything" };
  for (
    const text of [
      "",
      "nonsense",
      "a".repeat(20_000),
      encoded({ name: "ann", rights: [] }),
      encoded({ name: "ann" }),
      encoded({ name: "", rights: ["all"] }),
      encoded({ name: "ann", rights: ["everything"] }),
      encoded({ name: "ann", rights: ["all"], role: "administrator" }),
      encoded({ name: "ann", rights: [[{ permissions: ["vms.view"], on: { kind: "host" } }]] }),
      encoded({ name: "ann", rights: [[{ permissions: "vms.view", on: everything }]] }),
      encoded({ name: "ann", rights: ["all", "all", "all", "all", "all"] }),
    ]
  ) {
    assert.throws(
      () => readCaller(text),
      (error) => error instanceof ContractError && error.code === "InvalidInput",
    );
  }
});
