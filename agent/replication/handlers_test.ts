import assert from "node:assert/strict";
import type { CallContext } from "../dispatch.ts";
import { type ReplicationContext, replicationHandlers } from "./handlers.ts";
import type { StoredReplication } from "./records.ts";

/** One replication, and what its end came to. */
function world(lost: StoredReplication["lost"]) {
  const done: string[] = [];
  const replication = { id: "r1", vmId: "v1", toHost: "far", lost };
  const context = {
    records: { outgoing: { remove: (id: string) => void done.push(`removed ${id}`) } },
    outgoing: {
      find: () => replication,
      end: () => Promise.resolve(),
      forget: () => {
        done.push("asked");
        return Promise.resolve();
      },
    },
    host: () => ({ inventory: { vm: () => undefined } }),
  } as unknown as ReplicationContext;
  const end = (input: { readonly keepReplica?: boolean; readonly reclaim?: boolean }) =>
    replicationHandlers(context).delete_replication({ replicationId: "r1", ...input }, {} as CallContext);
  return { done, end };
}

Deno.test("a VM is taken back without its replica's host: that may lie, hang or be gone", async () => {
  const lost = world({ at: 5 });
  await assert.rejects(Promise.resolve(lost.end({})), { code: "ReplicaPromoted" });
  await lost.end({ reclaim: true });
  assert.deepEqual(lost.done, ["removed r1"]);
});

Deno.test("the replica of a VM that is this host's still is deleted with its replication", async () => {
  for (const state of [undefined, { at: 5, isUndecided: true } as const]) {
    const here = world(state);
    await here.end({ reclaim: true });
    assert.deepEqual(here.done, ["asked", "removed r1"]);
    const kept = world(state);
    await kept.end({ reclaim: true, keepReplica: true });
    assert.deepEqual(kept.done, ["removed r1"]);
  }
});
