import assert from "node:assert/strict";
import { needOf } from "../../lib/access/permissions.ts";
import { ALL_RIGHTS, layerOf, type Rights } from "../../lib/access/rights.ts";
import type { Grant } from "../../lib/contract/mod.ts";
import { mayTouch } from "./visible.ts";

/** A role that people made: its members may delete VMs. */
const KEEPER = new Map([["keeper", new Set(["vms.view", needOf("delete_vm").permission])]]);
const rightsOn = (on: Grant["on"], role = "keeper"): Rights => [layerOf([{ role, on }], KEEPER)];
const entry = { kind: "vm", host: "local", vmId: "v", group: "web", found: false } as const;
const inProject = (vmId: string) => vmId === "v" ? "p" : undefined;

Deno.test("The bin: a deleted VM is for those who might delete it: by its group, its host, its project, or alone", () => {
  const cases: readonly [Grant["on"], boolean][] = [
    [{ kind: "everything" }, true],
    [{ kind: "host", host: "local" }, true],
    [{ kind: "host", host: "other" }, false],
    [{ kind: "group", group: "web" }, true],
    [{ kind: "vm", vmId: "v" }, true],
    [{ kind: "project", project: "p" }, true],
    [{ kind: "project", project: "q" }, false],
  ];
  for (const [on, expected] of cases) {
    assert.equal(mayTouch(rightsOn(on), entry, inProject), expected, JSON.stringify(on));
    assert.equal(
      mayTouch(rightsOn(on, "operator"), entry, inProject),
      false,
      `operator ${JSON.stringify(on)}`,
    );
  }
  const member = rightsOn({ kind: "project", project: "p" });
  assert.equal(mayTouch(member, entry, () => undefined), false, "its project is gone");
  assert.equal(mayTouch(member, { ...entry, kind: "volume" }, inProject), false);
  assert.equal(mayTouch(member, { ...entry, found: true }, inProject), false);
  assert.equal(mayTouch([...member, ...rightsOn({ kind: "vm", vmId: "w" })], entry, inProject), false);
  assert.ok(mayTouch(ALL_RIGHTS, { ...entry, found: true }, inProject));
});
