import assert from "node:assert/strict";
import { COMMANDS } from "../../lib/contract/mod.ts";
import { resolveIds, Resources } from "./resolve_ids.ts";

Deno.test("withIds() looks names up on the host that the input says, where lists are of one host", async () => {
  const asked: unknown[] = [];
  const server = {
    call: (command: string, input: unknown) => {
      asked.push([command, input]);
      const { host } = input as { host?: string };
      return Promise.resolve([{ id: host === "far" ? "f" : "n", name: "gold" }]);
    },
  };
  assert.deepEqual(await resolveIds(server, { templateId: "gold", host: "far" }), {
    templateId: "f",
    host: "far",
  });
  assert.deepEqual(await resolveIds(server, { templateId: "gold" }), { templateId: "n" });
  assert.deepEqual(await resolveIds(server, { entryId: "gold", host: "far" }), { entryId: "n", host: "far" });
  assert.deepEqual(asked, [["list_templates", { host: "far" }], ["list_templates", {}], ["list_bin", {}]]);
});

Deno.test("Resources looks up a field that is another one's by the command's own look-up", async () => {
  const asked: string[] = [];
  const server = {
    call: (command: string) => {
      asked.push(command);
      return Promise.resolve([{ id: "p1", name: "nightly" }]);
    },
  };
  const { namedAs } = COMMANDS.get_profile;
  const profiles = new Resources(server, undefined, namedAs);
  assert.deepEqual(await resolveIds(server, { id: "nightly" }, profiles), { id: "p1" });
  await assert.rejects(profiles.ids("id", "weekly"), /Profile not found: weekly/);
  assert.deepEqual(asked, ["list_profiles"]);
  await assert.rejects(new Resources(server).ids("id", "none"), { code: "PortForwardNotFound" });
});
