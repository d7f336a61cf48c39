import assert from "node:assert/strict";
import { COMMANDS } from "../contract/mod.ts";
import type { ToolPermissions } from "../contract/profiles.ts";
import { allowsCommand, allowsName, allowsPath, namesIt } from "./allowed.ts";

const permissions = (more: Partial<ToolPermissions>): ToolPermissions => ({
  allowed_directories: [],
  allowed_tools: [],
  disallowed_tools: [],
  ...more,
});

Deno.test("Permissions of tools: what is disallowed goes before what is allowed; nothing said allows all", () => {
  assert.ok(allowsName(null, "start_vm"));
  assert.ok(allowsName(permissions({}), "start_vm"));
  const some = permissions({
    allowed_tools: ["get_*", "start_vm"],
    disallowed_tools: ["get_vm_xml", "*_users"],
  });
  const allowed = ["get_vm", "get_vms", "start_vm"],
    refused = ["get_vm_xml", "get_users", "stop_vm", "xget_vm"];
  for (const name of allowed) assert.ok(allowsName(some, name), name);
  for (const name of refused) assert.ok(!allowsName(some, name), name);
  assert.ok(namesIt(some, "get_vm"));
  assert.ok(!namesIt(permissions({}), "get_vm"));
});

Deno.test("Permissions of tools: a star stands for any characters, wherever it is", () => {
  const cases: [pattern: string, name: string, stands: boolean][] = [
    ["*", "x", true],
    ["*_vm", "start_vm", true],
    ["*_vm", "start_vms", false],
    ["a*b*c", "abc", true],
    ["a*b*c", "acb", false],
    ["a*a", "a", false],
    ["*a*a*", "bab", false],
    ["*a*a*", "baab", true],
    ["[a-z]+", "abc", false],
    ["__proto__", "__proto__", true],
  ];
  for (const [pattern, name, stands] of cases) {
    assert.equal(allowsName(permissions({ allowed_tools: [pattern] }), name), stands, `${pattern} ${name}`);
    assert.equal(
      allowsName(permissions({ disallowed_tools: [pattern] }), name),
      !stands,
      `${pattern} ${name}`,
    );
  }
});

Deno.test("Permissions of tools: a path is within a directory, or not; what is no directory allows nothing", () => {
  const of = (...allowed_directories: string[]) => permissions({ allowed_directories });
  assert.ok(allowsPath(of(), "/etc/passwd"));
  assert.ok(allowsPath(of("/srv/iso/"), "/srv/iso/a.iso"));
  assert.ok(allowsPath(of("/srv/iso"), "/srv/iso"));
  assert.ok(allowsPath(of("/"), "/etc"));
  for (const directory of ["/srv/iso", "srv", "~", "../srv", "/srv/./iso2", "/srv/iso/../iso2"]) {
    assert.ok(!allowsPath(of(directory), "/srv/iso2/a.iso"), directory);
  }
});

Deno.test("allowsCommand(): what is disallowed for one VM is for many, and each of these has its one", () => {
  const limits = { allowed_directories: [], allowed_tools: ["*_vm*"], disallowed_tools: ["force_*"] };
  assert.equal(allowsCommand(limits, "batch_force_stop_vms"), false);
  assert.equal(allowsCommand(limits, "batch_start_vms"), true);
  assert.equal(allowsCommand(null, "batch_force_stop_vms"), true);
  assert.equal(allowsCommand({ ...limits, allowed_tools: ["start_vm"] }, "batch_start_vms"), false);
  const many = Object.keys(COMMANDS).filter((name) => name.startsWith("batch_"));
  assert.ok(many.length > 3);
  for (const name of many) assert.ok(Object.hasOwn(COMMANDS, name.slice("batch_".length, -1)), name);
});
