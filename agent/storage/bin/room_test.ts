import assert from "node:assert/strict";
import type { StoredEntry } from "../../../lib/bin/entry.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { PoolInventory } from "../../hosts/inventory/pools.ts";
import { makeRoomFor, refuseTooLarge } from "../volume_checks.ts";
import { keepPoolsFree } from "./room.ts";
import { localMachine } from "../../machine/machine.ts";

const MIB = 1024 ** 2;
type Figures = { capacity: number; allocation: number; available: number };

/** A host with one pool, and one thing in the bin there; what goes for good is looked up in the bin before anything else. */
class World {
  readonly storage: PoolInventory;
  readonly host: LibvirtHost;
  refreshed = 0;
  readonly doomed: string[] = [];
  readonly #entries: StoredEntry[];

  constructor(type: string, path: string, figures: Figures, after = figures, binned = path, pool = "p") {
    const link = {
      uri: "qemu:///system",
      machine: localMachine("qemu:///system"),
      status: { connected: true },
      call: (name: string) => {
        if (name === "poolRefresh") this.refreshed++;
        const xml = `<pool type='${type}'><name>p</name><target><path>${path}</path></target></pool>`;
        const now = this.refreshed > 0 ? after : figures;
        return Promise.resolve([{ uuid: "u", name: "p", state: 2, volumes: 0, xml, ...now }]);
      },
    };
    this.storage = new PoolInventory(link as unknown as LibvirtHost["link"], () => {});
    const file = {
      path: `${binned}/a`,
      as: "x.0",
      role: "disk",
      file: { dev: 1, ino: 1 },
      pool,
      backing: [],
      bytes: 20 * MIB,
    };
    this.#entries = [
      { id: "e", host: "local", name: "p/a", files: [file], deletedAt: 1, until: 2, state: "kept" },
    ] as unknown as StoredEntry[];
    const bin = {
      policy: { days: 7, freePercent: 5 },
      all: () => this.#entries,
      get: ({}: string) => {
        this.doomed.push(...this.#entries.splice(0).map(({ name }) => name));
        return undefined;
      },
    };
    this.host = {
      id: "local",
      link,
      machine: link.machine,
      bin,
      inventory: { storage: this.storage },
      record: () => {},
      operations: { ready: () => Promise.resolve() },
    } as unknown as LibvirtHost;
  }
}

const STALE: Figures = { capacity: 1000 * MIB, allocation: 999 * MIB, available: MIB };
const ROOMY: Figures = { capacity: 1000 * MIB, allocation: 100 * MIB, available: 900 * MIB };
const NONSENSE: Figures = { capacity: 1000 * MIB, allocation: 2 ** 64, available: MIB };

Deno.test("the bin is not emptied by what libvirt counted once: the file system is asked", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    for (const figures of [STALE, NONSENSE]) {
      const { storage, host, doomed } = new World("dir", folder, figures);
      await storage.refresh();
      await keepPoolsFree(host);
      await makeRoomFor(host, "p", 10 * MIB);
      refuseTooLarge(host, "p", 10 * MIB);
      assert.deepEqual(doomed, []);
      const { capacity, allocation, available } = storage.record("p")!;
      assert.equal(storage.isMeasured("p"), true);
      assert.equal(allocation + available, capacity);
      assert.ok(available > 10 * MIB && allocation <= capacity);
    }
  } finally {
    await Deno.remove(folder);
  }
});

Deno.test("libvirt counts the room of any other pool again before something goes for want of it", async () => {
  const world = new World("logical", "/dev/kvmm-test-none", STALE, ROOMY);
  await world.storage.refresh();
  await keepPoolsFree(world.host);
  await makeRoomFor(world.host, "p", 10 * MIB);
  refuseTooLarge(world.host, "p", 10 * MIB);
  assert.deepEqual([world.refreshed > 0, world.doomed], [true, []]);
});

Deno.test("what cannot be counted refuses nothing and deletes nothing; what is full does both", async () => {
  const unknown = new World("logical", "/dev/kvmm-test-none", NONSENSE);
  await unknown.storage.refresh();
  await keepPoolsFree(unknown.host);
  await makeRoomFor(unknown.host, "p", 10 * MIB);
  refuseTooLarge(unknown.host, "p", 10 * MIB);
  assert.deepEqual(unknown.doomed, []);
  const full = new World("logical", "/dev/kvmm-test-none", STALE);
  await full.storage.refresh();
  await keepPoolsFree(full.host);
  assert.deepEqual(full.doomed, ["p/a"]);
  assert.throws(
    () => refuseTooLarge(full.host, "p", 10 * MIB),
    (error) => error instanceof ContractError && error.code === "DiskExceedsPool",
  );
});

Deno.test("what was deleted from another pool of that name makes no room in this one", async () => {
  const world = new World("logical", "/dev/kvmm-test-none", STALE, STALE, "/dev/kvmm-test-before");
  await world.storage.refresh();
  await keepPoolsFree(world.host);
  await makeRoomFor(world.host, "p", 10 * MIB);
  assert.deepEqual(world.doomed, []);
});

Deno.test("what was deleted from a pool of another name that had its folder makes room in this one", async () => {
  const world = new World("logical", "/dev/kvmm-test-none", STALE, STALE, undefined, "before");
  await world.storage.refresh();
  await keepPoolsFree(world.host);
  assert.deepEqual(world.doomed, ["p/a"]);
});
