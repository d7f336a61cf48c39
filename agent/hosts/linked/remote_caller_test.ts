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

Deno.test("readCaller() reads limits of tools and how the call came; nothing of them where there are none", () => {
  const tools = [{ allowed_directories: [], allowed_tools: ["get_*"], disallowed_tools: [] }, null];
  const limits = [{ tool: "agent ci", beyond: "named", places: [{ vmIds: ["a"], tools }] }] as const;
  const told = limits.map(({ places, ...rest }) => ({
    ...rest,
    places: places.map((place) => ({ ...place, vmIds: [...place.vmIds] })),
  }));
  const caller = { name: "ann", rights: ALL_RIGHTS, mcp: { client: "assistant 1" }, limits: told };
  assert.deepEqual(readCaller(callerHeader(caller)), caller);
  assert.equal(readCaller(callerHeader({ ...caller, mcp: "left" }))?.mcp, "left");
  const said = JSON.parse(atob(callerHeader({ name: "ann", rights: ALL_RIGHTS, limits: [] })));
  assert.deepEqual(Object.keys(said), ["name", "rights"], "one of an earlier version understands it");
});

Deno.test("callerHeader(): many VMs fit, too many are refused, and nothing inflates without end", async () => {
  const vms = (count: number): Rights => [
    Array.from({ length: count }, () => ({
      permissions: new Set(["vms.view", "vms.operate", "vms.configure", "guest.execute"]),
      on: { kind: "vm", vmId: crypto.randomUUID() },
    })),
  ];
  const many = { name: "ann", rights: vms(250) }, header = callerHeader(many);
  assert.ok(header.startsWith("z.") && header.length <= 12 * 1024, `${header.length}`);
  assert.deepEqual(readCaller(header), many);
  assert.throws(() => callerHeader({ name: "ann", rights: vms(2000) }), { code: "LinkRefused" });
  const { deflateRawSync } = await import("node:zlib");
  const bomb = `z.${deflateRawSync(new Uint8Array(8_000_000)).toString("base64url")}`;
  assert.ok(bomb.length < 12 * 1024);
  assert.throws(() => readCaller(bomb), { code: "InvalidInput" });
  assert.throws(() => readCaller("z.nonsense"), { code: "InvalidInput" });
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
