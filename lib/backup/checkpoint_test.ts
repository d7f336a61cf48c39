import assert from "node:assert/strict";
import { checkpointName, checkpointOf } from "./checkpoint.ts";

Deno.test("checkpointOf() knows the names that are given, and takes no other program's for one of ours", () => {
  const copyId = "20261123-024140-e7734fb5", backupId = crypto.randomUUID();
  assert.deepEqual(checkpointOf(checkpointName(backupId, copyId)), { backupId, copyId });
  for (const name of ["", "backup-1", `kvm-manager.${backupId}`, `kvm-manager.${backupId}.x`]) {
    assert.equal(checkpointOf(name), undefined, name);
  }
  assert.equal(checkpointOf(`kvm-manager..${copyId}`), undefined);
  assert.equal(checkpointOf(`${checkpointName(backupId, copyId)}.more`), undefined);
});
