import assert from "node:assert/strict";
import { permissions } from "../i18n/en/permissions.ts";
import { permissionText } from "./permission_text.ts";
import { PERMISSIONS } from "./permissions.ts";

Deno.test("permissionText() has words for every permission there is, each its own, and for no other", () => {
  const names = [...PERMISSIONS.keys()];
  assert.deepEqual(Object.keys(permissions).toSorted(), names.map((name) => `permission.${name}`).toSorted());
  assert.equal(new Set(names.map(permissionText)).size, names.length);
  assert.equal(permissionText("moon.fly"), "moon.fly");
});
