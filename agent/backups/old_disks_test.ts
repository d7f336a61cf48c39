import assert from "node:assert/strict";
import { LibvirtError } from "../../ffi/error.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { Operation } from "../operations/operation.ts";
import { StorageLocks } from "../storage/locks.ts";
import type { PoolVolume } from "../storage/volumes.ts";
import { putAway } from "./old_disks.ts";

/** Puts two disks away while libvirt fails in this way. */
async function tried(kind: LibvirtError["kind"]) {
  let asked = 0;
  const warnings: string[] = [];
  const fails = () => {
    asked++;
    return Promise.reject(new LibvirtError({ kind, message: "what libvirt says" }));
  };
  const link = { machine: null, call: fails };
  const inventory = { everyVm: () => [], storage: { volumes: fails } };
  const host = { link, machine: null, inventory, locks: new StorageLocks(false) } as unknown as LibvirtHost;
  const operation = { record: { actor: "ann" } } as unknown as Operation;
  const old = ["a", "b"].map((pool) =>
    ({ pool, name: "disk", path: `/${pool}/disk` }) as unknown as PoolVolume
  );
  const end = await putAway({ host, operation, warnings }, old).then(() => "done", (error) => error.message);
  return { end, asked, warnings };
}

Deno.test("putAway() leaves the old disks to the settlement of the operation when libvirt goes away", async () => {
  for (const kind of ["lost", "unavailable", "timeout"] as const) {
    assert.deepEqual(await tried(kind), { end: "what libvirt says", asked: 1, warnings: [] }, kind);
  }
});

Deno.test("putAway() reports each disk that cannot go, and goes on", async () => {
  const { end, asked, warnings } = await tried("libvirt");
  assert.deepEqual([end, asked], ["done", 2]);
  assert.deepEqual(
    warnings,
    ["a", "b"].map((pool) => `The old disk /${pool}/disk was kept: what libvirt says`),
  );
});
