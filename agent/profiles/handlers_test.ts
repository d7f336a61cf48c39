import assert from "node:assert/strict";
import { permissionsOf } from "../../lib/access/permissions.ts";
import type { Rights } from "../../lib/access/rights.ts";
import { localPrincipal } from "../testing.ts";
import { SYSTEM_CLOCK } from "../clock.ts";
import { Store } from "../store/store.ts";
import { boundTo } from "./guard.ts";
import { profileHandlers } from "./handlers.ts";
import { projectToolHandlers } from "./project_tool_handlers.ts";
import { PROFILE_MIGRATIONS, ProfileRecords } from "./records.ts";

Deno.test("A profile names its projects to who sees them: an automation account learns of no others", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-profile-" });
  const store = new Store(folder, () => {}, [{ name: "profiles", migrations: PROFILE_MIGRATIONS }]);
  store.open();
  try {
    const project = (id: string) => ({ id, name: `name of ${id}` });
    const records = new ProfileRecords(store), requireProject = project, clock = SYSTEM_CLOCK;
    const services = { records, project, requireProject, clock };
    const handlers = { ...profileHandlers(services), ...projectToolHandlers(services) };
    const root = { principal: localPrincipal("socket") };
    const { id } = await handlers.create_profile({ name: "shared" }, root);
    for (const project_id of ["own", "other"]) {
      await handlers.assign_profile({ project_id, profile_id: id }, root);
    }
    const everything = { permissions: permissionsOf("viewer"), on: { kind: "everything" } } as const;
    const namesFor = async (rights: Rights) => {
      const context = { principal: { ...root.principal, rights } };
      return (await handlers.get_profile({ id }, context)).assigned_projects.map(({ id }) => id);
    };
    assert.deepEqual(await namesFor(root.principal.rights), ["other", "own"]);
    assert.deepEqual(await namesFor([[everything]]), ["other", "own"]);
    assert.deepEqual(await namesFor([[everything], boundTo(["own"])]), ["own"]);
  } finally {
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
});
