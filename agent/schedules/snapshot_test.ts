import assert from "node:assert/strict";
import type { Snapshot } from "../../lib/contract/mod.ts";
import { type SnapshotApi, snapshotPrefix, takeSnapshot } from "./snapshot.ts";

const SCHEDULE = { id: "0123456789abcdef", name: "Nightly", keep: 2 };

/** A VM whose snapshots are a list. */
function vmWith(names: string[]): { api: SnapshotApi; names: () => string[] } {
  const list: Snapshot[] = names.map((name, createdAt) => ({
    name,
    createdAt,
    description: "",
    current: false,
    state: "running",
    memory: true,
    external: false,
  }));
  const api: SnapshotApi = {
    createSnapshot: ({ name = "", description = "" }) => {
      list.push({ ...list[0]!, name, description, createdAt: list.length });
      return Promise.resolve({ name });
    },
    listSnapshots: () => Promise.resolve({ snapshots: [...list], withMemory: true }),
    deleteSnapshot: ({ name }) => {
      list.splice(list.findIndex((each) => each.name === name), 1);
      return Promise.resolve(null);
    },
  };
  return { api, names: () => list.map(({ name }) => name) };
}

Deno.test("takeSnapshot() keeps so many of its own, the youngest, and touches no other", async () => {
  const own = snapshotPrefix(SCHEDULE);
  const vm = vmWith(["before update", `${own}-1`, "schedule-ffffffff-1", `${own}-2`]);
  await takeSnapshot(vm.api, "v", SCHEDULE, Date.UTC(2026, 0, 1));
  const made = `${own}-20260101-000000`;
  assert.deepEqual(vm.names(), ["before update", "schedule-ffffffff-1", `${own}-2`, made]);
  await takeSnapshot(vm.api, "v", { ...SCHEDULE, keep: 1 }, Date.UTC(2026, 0, 2));
  assert.deepEqual(vm.names(), ["before update", "schedule-ffffffff-1", `${own}-20260102-000000`]);
});

Deno.test("takeSnapshot() keeps what it has just taken where the clock is behind the ones before", async () => {
  const own = snapshotPrefix(SCHEDULE);
  const vm = vmWith([`${own}-1`, `${own}-2`]);
  const real = vm.api.listSnapshots;
  const dated: SnapshotApi = {
    ...vm.api,
    listSnapshots: async (input) => {
      const { snapshots, ...rest } = await real(input);
      return {
        ...rest,
        snapshots: snapshots.map((each, place) => ({
          ...each,
          createdAt: Date.UTC(place === 2 ? 2025 : 2026, 0, 1),
        })),
      };
    },
  };
  await takeSnapshot(dated, "v", { ...SCHEDULE, keep: 1 }, Date.UTC(2025, 0, 1));
  assert.deepEqual(vm.names(), [`${own}-20250101-000000`]);
});
