import assert from "node:assert/strict";
import { MOVE_REPORT } from "./move_disk.ts";

const OLD = { pool: "slow", volume: "web1.qcow2", path: "/slow/web1.qcow2", bin: null };
const said = (oldVolume: object) =>
  MOVE_REPORT.lines("web1", "vda", {
    pool: "fast",
    volume: "web1.img",
    path: "/fast/web1.img",
    format: "raw",
    live: false,
    oldVolume: { ...OLD, ...oldVolume },
  });

Deno.test("MOVE_REPORT says where the disk is, and what became of its old volume", () => {
  const moved = "Moved vda of web1 to fast/web1.img (raw).", old = "The old volume slow/web1.qcow2";
  assert.deepEqual(said({ isThere: true }), [moved, `${old} stays.`]);
  assert.deepEqual(said({ isThere: true, reason: "web2 uses it" }), [moved, `${old} stays: web2 uses it`]);
  assert.deepEqual(said({ isThere: false }), [moved, `${old} was deleted for good.`]);
  const binned = said({ isThere: false, bin: { entryId: "b1", until: 0 } });
  assert.deepEqual(binned.slice(0, 2), [moved, `${old} was deleted.`]);
  assert.match(binned[2]!, /^It is in the bin until .*: kvm-manager bin restore b1$/);
});
