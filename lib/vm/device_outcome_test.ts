import assert from "node:assert/strict";
import { fieldOf } from "./device_outcome.ts";

Deno.test("fieldOf() finds the field of an error: by its name, else by what the error can be about", () => {
  const add = ["create.sizeGb@create", "create.pool@create", "path@existing", "bus", ":plug", "serial:was"];
  assert.equal(fieldOf("InvalidDiskSize", add), "create.sizeGb");
  assert.equal(fieldOf("VolumeNotFound", add), "path");
  assert.equal(fieldOf("NetworkNotActive", add), ":plug");
  assert.equal(fieldOf("InvalidInput", add, "create.pool"), "create.pool");
  assert.equal(fieldOf("DiskRefused", add, "image"), "path");
  assert.equal(fieldOf("InvalidInput", add, "target"), undefined);
  assert.equal(fieldOf("MediaLocked", add), undefined);
  assert.equal(fieldOf("Internal", add), undefined);
  assert.equal(fieldOf("toString", add), undefined);
});
