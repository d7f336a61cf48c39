import assert from "node:assert/strict";
import { SEALS } from "../contract/template_bounds.ts";
import { sealCommands, sealFault } from "./seal.ts";

Deno.test("every seal has commands, on paths of the guest alone", () => {
  for (const seal of SEALS) {
    const commands = sealCommands([seal]);
    assert.ok(commands.length > 0, seal);
    for (const each of commands) {
      assert.match(each, /^(glob rm-rf|glob rm-f|truncate) \/(etc|var|root|home)\//);
    }
  }
  assert.deepEqual(sealCommands(["machine-id"]), [
    "truncate /etc/machine-id",
    "glob rm-f /var/lib/dbus/machine-id",
  ]);
});

Deno.test("what is not there is no failure, and all else is", () => {
  const harmless = "libguestfs: error: truncate: open: /etc/machine-id: No such file or directory\n" +
    "libguestfs: error: rm_f: /var/log/apt: Is a directory\n";
  assert.equal(sealFault(harmless), undefined);
  assert.equal(sealFault(""), undefined);
  assert.equal(
    sealFault(`${harmless}libguestfs: error: truncate: /etc/machine-id: Read-only file system\n`),
    "truncate: /etc/machine-id: Read-only file system",
  );
  const told = "*stdin*:16: libguestfs: error: truncate: open: /no: No such file or directory\n" +
    "*stdin*:19: libguestfs: error: rm_f: /a: Input/output error\n";
  assert.equal(sealFault(told), "rm_f: /a: Input/output error");
});
