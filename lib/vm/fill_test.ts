import assert from "node:assert/strict";
import { fillsUp } from "./fill.ts";

Deno.test("fillsUp() is of disks that a guest writes to, never of a seed's CD", () => {
  assert.equal(fillsUp({ device: "disk", readOnly: false }), true);
  assert.equal(fillsUp({ device: "disk", readOnly: true }), false);
  assert.equal(fillsUp({ device: "cdrom", readOnly: true }), false);
  assert.equal(fillsUp({ device: "cdrom", readOnly: false }), false);
  assert.equal(fillsUp({ device: "floppy", readOnly: false }), false);
});
