import assert from "node:assert/strict";
import fc from "fast-check";
import { type CommandName, COMMANDS, type Grant, ROLES } from "../contract/mod.ts";
import { needOf, PERMISSIONS, permissionsOf, SPECIAL } from "./permissions.ts";
import {
  type AccessObject,
  ALL_RIGHTS,
  isAdministrator,
  layerOf,
  may,
  mayAnywhere,
  NO_RIGHTS,
  rightsTold,
  roleOn,
  toldRights,
} from "./rights.ts";

const NAMES = [...PERMISSIONS.keys()];
const ON: Grant["on"][] = [
  { kind: "everything" },
  { kind: "group", group: "a" },
  { kind: "group", group: "b" },
  { kind: "vm", vmId: "1" },
  { kind: "vm", vmId: "2" },
  { kind: "project", project: "p" },
  { kind: "host", host: "local" },
  { kind: "host", host: "lab" },
];
const OBJECTS: AccessObject[] = [
  "everything",
  ...["1", "2", "3"].flatMap((vmId) =>
    [undefined, "a", "b", ""].flatMap((group) =>
      [undefined, "local", "lab", "attic"].map((hostId) => ({
        vmId,
        group,
        hostId,
        ...(hostId === "lab" && { project: "p" }),
      }))
    )
  ),
  ...["local", "lab", "attic"].map((hostId) => ({ hostId })),
  ...["p", "q"].map((projectId) => ({ projectId })),
];
const own = new Map([["cloner", new Set(["vms.view", "vms.clone"])]]);
const grant: fc.Arbitrary<Grant> = fc.record({
  role: fc.constantFrom(...ROLES, "cloner", "gone", "constructor"),
  on: fc.constantFrom(...ON),
});
const grants = fc.array(grant, { maxLength: 4 });

/** The same question, answered the slow and plain way. */
function plainly(all: readonly Grant[], permission: string, object: AccessObject): boolean {
  if (all.some(({ role, on }) => role === "administrator" && on.kind === "everything")) return true;
  return all.some(({ role, on }) => {
    const isElsewhere = on.kind === "host" && on.host !== "local";
    const worth = role === "viewer" || (role === "administrator" && isElsewhere) ? role : "operator";
    const has = role === "cloner"
      ? own.get("cloner")!.has(permission)
      : ["viewer", "operator", "administrator"].includes(role) && permissionsOf(worth).has(permission);
    if (!has || on.kind === "everything") return has;
    if (object === "everything") return false;
    if ("projectId" in object) return on.kind === "project" && on.project === object.projectId;
    if (on.kind === "host") return on.host === object.hostId;
    if (!("vmId" in object)) return false;
    if (on.kind === "project") return on.project === object.project;
    return on.kind === "vm" ? on.vmId === object.vmId : on.group === object.group;
  });
}

Deno.test("may() is what its grants say, for any grants, permission and object", () => {
  fc.assert(
    fc.property(grants, fc.constantFrom(...NAMES), fc.constantFrom(...OBJECTS), (all, permission, object) => {
      const rights = [layerOf(all, own)];
      assert.equal(may(rights, permission, object), plainly(all, permission, object));
      if (may(rights, permission, object)) assert.ok(mayAnywhere(rights, permission));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("rights that were told, as JSON, are judged as those that they were", () => {
  fc.assert(
    fc.property(
      grants,
      grants,
      fc.constantFrom(...NAMES),
      fc.constantFrom(...OBJECTS),
      (all, picked, permission, object) => {
        const rights = [layerOf(all, own), layerOf(picked, own)];
        const told = rightsTold(JSON.parse(JSON.stringify(toldRights(rights))));
        assert.equal(may(told, permission, object), may(rights, permission, object));
      },
    ),
  );
  assert.ok(isAdministrator(rightsTold(toldRights(ALL_RIGHTS))));
  assert.ok(!mayAnywhere(rightsTold(toldRights(NO_RIGHTS)), "vms.view"));
});

Deno.test("may() with a token's layer is never more than its owner's, nor than what was picked (threat 11)", () => {
  fc.assert(
    fc.property(
      grants,
      grants,
      fc.constantFrom(...NAMES),
      fc.constantFrom(...OBJECTS),
      (mine, picked, p, o) => {
        const [owner, token] = [layerOf(mine, own), layerOf(picked, own)];
        assert.equal(may([owner, token], p, o), may([owner], p, o) && may([token], p, o));
        assert.equal(may([owner, layerOf([], own)], p, o), false);
      },
    ),
    { numRuns: 2000 },
  );
});

Deno.test("may() grows with grants: one more never takes anything away", () => {
  fc.assert(
    fc.property(grants, grant, fc.constantFrom(...NAMES), fc.constantFrom(...OBJECTS), (all, more, p, o) => {
      if (may([layerOf(all, own)], p, o)) assert.ok(may([layerOf([...all, more], own)], p, o));
    }),
  );
});

Deno.test("roles contain each other, and administrators alone have what is theirs", () => {
  const [viewer, operator, administrator] = ROLES.map(permissionsOf) as [
    ReadonlySet<string>,
    ReadonlySet<string>,
    ReadonlySet<string>,
  ];
  assert.ok(viewer.isSubsetOf(operator) && operator.isSubsetOf(administrator));
  assert.ok(viewer.size < operator.size && operator.size < administrator.size);
  assert.equal(may(NO_RIGHTS, "vms.view", "everything"), false);
  assert.equal(may([], "vms.view", "everything"), false, "no layer at all is no right at all");
  assert.ok(NAMES.every((name) => may(ALL_RIGHTS, name, "everything")));
  const partly = [layerOf([{ role: "administrator", on: { kind: "group", group: "a" } }], own)];
  assert.equal(isAdministrator(partly), false);
  assert.equal(roleOn(partly, { vmId: "1", group: "a", hostId: "lab" }), "operator");
  assert.equal(roleOn(partly, "everything"), "viewer");
  const ofHost = (host: string) => [layerOf([{ role: "administrator", on: { kind: "host", host } }], own)];
  assert.equal(roleOn(ofHost("lab"), { hostId: "lab" }), "administrator");
  assert.equal(roleOn(ofHost("lab"), { vmId: "1", hostId: "lab" }), "administrator");
  assert.equal(roleOn(ofHost("lab"), "everything"), "viewer");
  assert.equal(roleOn(ofHost("lab"), { hostId: "attic" }), "viewer");
  assert.equal(roleOn(ofHost("local"), { hostId: "local" }), "operator", "else it would have everything");
  assert.equal(isAdministrator(ofHost("lab")), false);
});

Deno.test("needOf() has a permission for every command, and what is root's cannot be granted (threat 5)", () => {
  for (const name of Object.keys(COMMANDS) as CommandName[]) {
    const { permission, role } = needOf(name);
    if ((SPECIAL as readonly string[]).includes(permission)) continue;
    assert.match(permission, /^[a-z-]+\.[a-z]+$/, name);
    const known = PERMISSIONS.get(permission)!;
    assert.ok(known.commands.includes(name));
    assert.equal(known.role, role, `${permission} stands for commands of different roles`);
  }
  const root: CommandName[] = [
    "set_vm_xml",
    "import_vm",
    "create_vm",
    "create_storage_pool",
    "create_user",
    "create_role",
  ];
  for (const name of root) assert.equal(PERMISSIONS.get(needOf(name).permission)?.grantable, false, name);
  assert.deepEqual(
    (Object.keys(COMMANDS) as CommandName[]).filter((name) => needOf(name).permission === "anyone"),
    ["sign_in", "confirm_sign_in", "set_up", "begin_passkey_sign_in", "sign_in_with_passkey"],
  );
});

Deno.test("a grant on a project holds for it and for VMs that are in it, and is no administrator's", () => {
  const on = { kind: "project", project: "p" } as const;
  const vm = (project?: string) => ({ vmId: "1", group: "p", hostId: "local", project });
  for (const role of ["viewer", "administrator"]) {
    const rights = [layerOf([{ role, on }], new Map())];
    assert.ok(may(rights, "vms.view", vm("p")) && may(rights, "projects.view", { projectId: "p" }));
    for (const other of [vm(), vm("q"), { projectId: "q" }, { hostId: "local" }, "everything"] as const) {
      assert.ok(
        !may(rights, "vms.view", other) && !may(rights, "projects.view", other),
        JSON.stringify(other),
      );
    }
    assert.ok(!may(rights, "projects.administer", { projectId: "p" }));
    assert.equal(may(rights, "vms.operate", vm("p")), role === "administrator");
  }
  const host = [layerOf([{ role: "administrator", on: { kind: "host", host: "lab" } }], new Map())];
  assert.ok(!may(host, "projects.view", { projectId: "p" }));
});
