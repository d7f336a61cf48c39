import assert from "node:assert/strict";
import type { Settlement } from "../../operations/settlement.ts";
import { migrationSteps } from "./steps.ts";

const VM = { uuid: "11111111-1111-4111-8111-111111111111", name: "web1" };

Deno.test("a VM that did not come is not in the inventory any more when its volumes are taken back", async () => {
  // As long as libvirt's event has not come
  const known = new Set([VM.uuid]);
  const vms = {
    link: { call: () => Promise.resolve(null) },
    inventory: { refresh: (uuid: string) => Promise.resolve(known.delete(uuid)) },
  };
  const at = { vms } as unknown as Settlement;
  assert.deepEqual(await migrationSteps["vm-incoming"].undo!({ kind: "vm-incoming", ...VM }, at), {
    did: "nothing",
  });
  assert.deepEqual([...known], []);
});
