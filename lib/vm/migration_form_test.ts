import assert from "node:assert/strict";
import { migrationInput } from "./migration_form.ts";

function form(fields: Readonly<Record<string, string>>): FormData {
  const made = new FormData();
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return made;
}

Deno.test("migrationInput() has pools by disk and networks by name, and no field that was left empty", () => {
  assert.deepEqual(
    migrationInput(
      form({
        "toHost": "kvm2",
        "pool.vda": "fast",
        "pool.vdb": "",
        "network.lan": "lan2",
        "network.default": "",
        "bandwidthMib": "",
        "slowGuest": "on",
      }),
      "v",
    ),
    {
      vmId: "v",
      toHost: "kvm2",
      slowGuest: true,
      keepDisks: false,
      pools: [{ target: "vda", pool: "fast" }],
      networks: [{ from: "lan", to: "lan2" }],
    },
  );
  assert.deepEqual(migrationInput(form({ toHost: "kvm2", bandwidthMib: "50", keepDisks: "on" }), "v"), {
    vmId: "v",
    toHost: "kvm2",
    slowGuest: false,
    keepDisks: true,
    bandwidthMib: 50,
  });
});
