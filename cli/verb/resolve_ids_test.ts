import assert from "node:assert/strict";
import { resolveIds } from "./resolve_ids.ts";

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
