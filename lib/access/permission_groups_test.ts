import assert from "node:assert/strict";
import { permissionGroups } from "./permission_groups.ts";
import { PERMISSIONS } from "./permissions.ts";

const all = [...PERMISSIONS.keys()].map((permission) => ({ permission }));

Deno.test("permissionGroups() has every permission there is once, each with a noun", () => {
  const groups = permissionGroups(all);
  assert.deepEqual(
    groups.flatMap(({ permissions }) => permissions.map(({ permission }) => permission)).toSorted(),
    all.map(({ permission }) => permission).toSorted(),
  );
  assert.ok(!groups.some(({ title }) => title === "access.group_other"));
});

Deno.test("permissionGroups() keeps what it does not know, and leaves empty groups out", () => {
  const known = { permission: "vms.view" }, unknown = { permission: "moon.fly" };
  assert.deepEqual(permissionGroups([unknown, known]), [
    { title: "access.group_vms", permissions: [known] },
    { title: "access.group_other", permissions: [unknown] },
  ]);
});
