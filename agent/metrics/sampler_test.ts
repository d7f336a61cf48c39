import assert from "node:assert/strict";
import { TestClock } from "../testing.ts";
import { libvirtTest, SHARED, testMachine } from "../../ffi/testing.ts";
import { EventHub } from "../events/hub.ts";
import { Inventory } from "../hosts/inventory/inventory.ts";
import { LibvirtLink } from "../libvirt/link.ts";
import { setLogLevel } from "../log.ts";
import { Sampler } from "./sampler.ts";

setLogLevel("error");

/** A sampler on libvirt's test driver, with a machine of our own and a clock that stands still. */
async function testSampler() {
  const uuid = crypto.randomUUID();
  const hub = new EventHub();
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const link = new LibvirtLink(SHARED, { status: () => {}, connected: resolve, events: () => {} });
  const inventory = new Inventory(link, hub, "host", () => {});
  const clock = new TestClock(1_000_000);
  const sampler = new Sampler(
    link,
    inventory,
    hub,
    () => ({ loadAverage: null, uptimeSeconds: 5 }),
    clock,
  );
  link.start();
  await connected;
  await link.call("domainDefine", { xml: testMachine(`kvmm-test-${uuid.slice(0, 8)}`, uuid) });
  await inventory.resync();
  return {
    uuid,
    hub,
    link,
    inventory,
    clock,
    sampler,
    async [Symbol.asyncDispose]() {
      await link.call("domainDestroy", { uuid }).catch(() => {/* it is off already */});
      await link.call("domainUndefine", { uuid });
      await link.stop();
    },
  };
}

libvirtTest(
  "Sampler.tick() reads the host and tells it; what the driver does not tell is unknown, not 0",
  async () => {
    await using test = await testSampler();
    let told = "";
    test.hub.listen((frames) => told += frames);
    assert.equal(test.sampler.host, undefined);
    await test.sampler.tick();
    const { memoryTotalMb, ...host } = test.sampler.host!;
    assert.ok(memoryTotalMb > 0);
    assert.equal(host.cpuUsagePercent, null);
    assert.deepEqual([host.loadAverage, host.uptimeSeconds, host.timestamp], [null, 5, 1_000_000]);
    assert.match(told, /^event: host-stats-updated$/m);
    test.sampler.forget();
    assert.match(
      JSON.stringify(test.sampler.host),
      /"timestamp":1000000/,
      "the last reading stays, with its time",
    );
  },
);

libvirtTest("Sampler.tick() runs once at a time, however often it is asked", async () => {
  await using test = await testSampler();
  let told = 0;
  test.hub.listen((frames) => told += frames.split("host-stats-updated").length - 1);
  await Promise.all([test.sampler.tick(), test.sampler.tick(), test.sampler.tick()]);
  assert.equal(told, 1);
  await test.sampler.tick();
  assert.equal(told, 2);
});

libvirtTest(
  "Sampler.of() is zeros for a stopped machine, and at most a few seconds old for a running one",
  async () => {
    await using test = await testSampler();
    const { sampler, uuid, link, inventory, clock } = test;
    const stopped = await sampler.of(uuid);
    assert.deepEqual([stopped.cpuUsagePercent, stopped.memoryAvailableMb, stopped.timestamp], [
      0,
      0,
      clock.now(),
    ]);
    await link.call("domainStart", { uuid });
    await inventory.refresh(uuid);
    const first = await sampler.of(uuid);
    assert.deepEqual([first.vmId, first.timestamp, first.cpuUsagePercent], [uuid, clock.now(), null]);
    await clock.advance(2999);
    assert.equal(await sampler.of(uuid), inventory.vm(uuid)!.stats, "a fresh one is not read again");
    await clock.advance(2);
    assert.equal((await sampler.of(uuid)).timestamp, clock.now());
  },
);

libvirtTest("Sampler.tick() is quiet when libvirt is away", async () => {
  await using test = await testSampler();
  const gone = new LibvirtLink(SHARED, { status: () => {}, connected: () => {}, events: () => {} });
  const sampler = new Sampler(
    gone,
    test.inventory,
    test.hub,
    () => ({ loadAverage: null, uptimeSeconds: null }),
  );
  await sampler.tick();
  assert.equal(sampler.host, undefined);
  await gone.stop();
});
