import assert from "node:assert/strict";
import { commandFields } from "./command_fields.ts";

Deno.test("commandFields() has of a schema what a form needs", () => {
  const { fields } = commandFields("attach_disk");
  assert.deepEqual(fields.cache.choices?.slice(0, 2), ["default", "none"]);
  const { kind, min, isWhole, isRequired } = fields["create.sizeGb"];
  assert.deepEqual(
    [kind, min, isWhole, isRequired],
    ["size", 1, true, undefined],
    "a part that may be left out",
  );
  assert.equal(commandFields("resize_disk").fields.sizeGb.isRequired, true);
  assert.deepEqual([fields.serial.maxLength, fields.serial.empty, fields.totalIopsSec.empty], [20, "", 0]);
  assert.equal(
    fields.serial.pattern,
    undefined,
    "HTML reads patterns with the flag v, which takes no bare dash",
  );
  assert.equal(fields["create.name"].pattern?.startsWith("^"), undefined);
  assert.equal(commandFields("attach_nic").fields.linkUp.default, true);
  assert.equal(commandFields("create_user").fields.password.isSecret, true);
});
