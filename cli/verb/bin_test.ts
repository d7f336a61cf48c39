import assert from "node:assert/strict";
import { BIN_EXTRAS } from "./bin.ts";
import type { Server } from "../connect/server.ts";

const NOBODY = {} as Server;

async function told(
  command: "delete_volume" | "delete_template" | "restore_bin_entry",
  input: Record<string, unknown>,
  answer: unknown,
): Promise<readonly string[]> {
  const { before, lines } = BIN_EXTRAS[command]!.report!;
  return lines("", await before(NOBODY, input), answer);
}

Deno.test("a deletion says whether it can be taken back, until when and how", async () => {
  const bin = { entryId: "e-1", until: Date.UTC(2026, 10, 30, 12), paths: [] };
  const at = { pool: "default", volume: "a.qcow2" };
  const [first, second] = await told("delete_volume", at, { bin });
  assert.equal(first, "Deleted default/a.qcow2.");
  assert.match(second!, /^It is in the bin until .*2026.*: kvm-manager bin restore e-1$/);
  assert.deepEqual(await told("delete_volume", at, { bin: null }), ["Deleted default/a.qcow2 for good."]);
  assert.deepEqual(await told("delete_template", { version: 2 }, { bin: null }), [
    "Deleted its version 2 for good.",
  ]);
});

Deno.test("what comes back is named, with what is not as it was", async () => {
  const answer = { kind: "vm", name: "web1", vmId: "u", warnings: ["It has a new UUID."] };
  assert.deepEqual(await told("restore_bin_entry", {}, answer), ["Restored web1.", "  It has a new UUID."]);
});
