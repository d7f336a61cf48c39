import assert from "node:assert/strict";
import { VmName } from "../contract/create.ts";
import { checker } from "../typebox/compile.ts";
import { vmNameOf } from "./vm_name.ts";

Deno.test("vmNameOf() makes any name one that a VM may have", () => {
  const isVmName = checker(VmName);
  const table: [string, string][] = [
    ["web server", "web-server"],
    ["Büro PC (alt)", "Buro-PC-alt"],
    ["7zip..x", "vm-7zip.x"],
    ["", "vm"],
    ["-.-", "vm"],
    ["名前", "vm"],
    ["x".repeat(100), "x".repeat(64)],
  ];
  for (const [original, expected] of table) {
    const name = vmNameOf(original, () => false);
    assert.equal(name, expected);
    assert(isVmName(name), name);
  }
  const taken = new Set(["web", "web-2"]);
  assert.equal(vmNameOf("web", (name) => taken.has(name)), "web-3");
  assert.equal(vmNameOf("x".repeat(70), (name) => name.length === 64 && !name.endsWith("-2")).length, 64);
});
