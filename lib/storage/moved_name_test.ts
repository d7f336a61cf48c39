import assert from "node:assert/strict";
import { movedName } from "./moved_name.ts";

Deno.test("movedName() keeps a volume's name, with an end that fits its format", () => {
  assert.equal(movedName("web-vda.qcow2", "qcow2"), "web-vda.qcow2");
  assert.equal(movedName("web-vda.qcow2", "raw"), "web-vda.raw");
  assert.equal(movedName("web.IMG", "raw"), "web.IMG");
  assert.equal(movedName("web.img", "qcow2"), "web.qcow2");
  assert.equal(movedName("web-vda.raw", undefined), "web-vda");
  assert.equal(movedName("lv.1", "qcow2"), "lv.1.qcow2");
});

Deno.test("movedName() is another one for each number", () => {
  assert.equal(movedName("web.qcow2", "qcow2", 2), "web-2.qcow2");
  assert.equal(movedName("web.qcow2", "raw", 3), "web-3.raw");
  assert.equal(movedName("web", undefined, 2), "web-2");
});
