import assert from "node:assert/strict";
import type { PoolVolume } from "../../storage/volumes.ts";
import { PoolInventory } from "./pools.ts";

const volumeXml = (name: string) =>
  `<volume type='file'><name>${name}</name><key>/p/${name}</key><capacity unit='bytes'>1</capacity>` +
  `<allocation unit='bytes'>1</allocation><target><path>/p/${name}</path><format type='raw'/></target></volume>`;

Deno.test("PoolInventory.known() is one list until a volume, a pool or the connection changes", async () => {
  const there = ["a"];
  let isActive = true;
  const link = {
    machine: null,
    call: (name: string) =>
      Promise.resolve(
        name === "poolScan"
          ? [{
            name: "p",
            volumes: isActive ? there.length : null,
            xml: "<pool type='dir'><name>p</name></pool>",
          }]
          : there.map((volume) => ({ pool: "p", xml: volumeXml(volume) })),
      ),
  };
  const waiting = new Map<string, () => void>();
  const pools = new PoolInventory(
    link as unknown as ConstructorParameters<typeof PoolInventory>[0],
    (_pool, event) => waiting.get(event)?.(),
  );
  await pools.restart();
  await pools.volumes("p");
  const names = () => {
    const all = pools.known();
    assert.equal(pools.known(), all, "the same list");
    return all.map(({ name }) => name);
  };
  const afterEvent = async (event: string) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.set(event, resolve);
    pools.onEvent("p", event);
    await promise;
    return names();
  };
  assert.deepEqual(names(), ["a"]);
  pools.put({ ...pools.known()[0]!, name: "b", path: "/p/b" } as PoolVolume);
  assert.deepEqual(names(), ["a", "b"]);
  pools.remove("p", "a");
  assert.deepEqual(names(), ["b"]);
  there.push("c");
  assert.deepEqual(await afterEvent("refreshed"), ["a", "c"]);
  isActive = false;
  assert.deepEqual(await afterEvent("stopped"), []);
});

Deno.test("a read of volumes that began before a change of ours does not bring back what was before it", async () => {
  const reads: ((volumes: string[]) => void)[] = [];
  const link = {
    machine: null,
    call: async (name: string) => {
      if (name === "poolScan") {
        return [{ name: "p", volumes: 2, xml: "<pool type='dir'><name>p</name></pool>" }];
      }
      const { promise, resolve } = Promise.withResolvers<string[]>();
      reads.push(resolve);
      return (await promise).map((volume) => ({ pool: "p", xml: volumeXml(volume) }));
    },
  };
  const told: string[] = [];
  const pools = new PoolInventory(
    link as unknown as ConstructorParameters<typeof PoolInventory>[0],
    (_pool, event) => told.push(event),
  );
  const names = () => pools.peek("p")?.map(({ name }) => name);
  const soon = () => new Promise((resolve) => setTimeout(resolve));
  await pools.restart();
  const first = pools.volumes("p");
  await soon();
  reads[0]!(["a", "b", "c"]);
  await first;
  const a = pools.known().find(({ name }) => name === "a")!;

  pools.onEvent("p", "refreshed");
  await soon();
  pools.remove("p", "a");
  pools.removeAt("/p/b");
  pools.put({ ...a, name: "d", path: "/p/d" });
  await soon();
  reads[1]!(["a", "b", "c"]); // of the time before
  await until(() => reads.length === 3);
  assert.deepEqual(names(), ["c", "d"]);
  reads[2]!(["c", "d", "e"]);
  await until(() => told.includes("refreshed"));
  await soon();
  assert.deepEqual(names(), ["c", "d", "e"], "the read that followed counts");

  pools.onEvent("p", "refreshed");
  await soon();
  pools.remove("p", "e");
  pools.put({ ...a, name: "e", path: "/p/e" });
  await soon();
  reads[3]!(["c", "d"]);
  await until(() => reads.length === 5);
  assert.deepEqual(names(), ["c", "d", "e"], "made again meanwhile");
  reads[4]!(["c", "d", "e"]);
  await soon();

  async function until(isTrue: () => boolean) {
    while (!isTrue()) await soon();
  }
});

Deno.test("PoolInventory.refreshVolumes() reads what was read before, and has it when it is done", async () => {
  let volumes = ["a"], reads = 0;
  const link = {
    machine: null,
    call: (name: string) => {
      if (name === "poolScan") {
        return Promise.resolve([{ name: "p", volumes: 1, xml: "<pool type='dir'><name>p</name></pool>" }]);
      }
      reads++;
      return Promise.resolve(volumes.map((volume) => ({ pool: "p", xml: volumeXml(volume) })));
    },
  };
  const pools = new PoolInventory(
    link as unknown as ConstructorParameters<typeof PoolInventory>[0],
    () => {},
  );
  await pools.restart();
  await pools.refreshVolumes("p");
  assert.equal(reads, 0, "they were not asked for");
  await pools.volumes("p");
  volumes = ["a", "b"];
  await pools.refreshVolumes("p");
  assert.deepEqual(pools.peek("p")?.map(({ name }) => name), ["a", "b"]);
});
