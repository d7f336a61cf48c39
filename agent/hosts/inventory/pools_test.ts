import assert from "node:assert/strict";
import type { Volume } from "../../storage/volumes.ts";
import { PoolInventory } from "./pools.ts";

const volumeXml = (name: string) =>
  `<volume type='file'><name>${name}</name><key>/p/${name}</key><capacity unit='bytes'>1</capacity>` +
  `<allocation unit='bytes'>1</allocation><target><path>/p/${name}</path><format type='raw'/></target></volume>`;

Deno.test("PoolInventory.known() is one list until a volume, a pool or the connection changes", async () => {
  const there = ["a"];
  let isActive = true;
  const link = {
    uri: "test:///default",
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
  pools.put({ ...pools.known()[0]!, name: "b", path: "/p/b" } as Volume);
  assert.deepEqual(names(), ["a", "b"]);
  pools.remove("p", "a");
  assert.deepEqual(names(), ["b"]);
  there.push("c");
  assert.deepEqual(await afterEvent("refreshed"), ["a", "c"]);
  isActive = false;
  assert.deepEqual(await afterEvent("stopped"), []);
});
