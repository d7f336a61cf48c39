import assert from "node:assert/strict";
import type { DomainRecord, DomainState } from "../../../ffi/calls/mod.ts";
import type { LibvirtEvent } from "../../../ffi/events.ts";
import { libvirtTest, SHARED, testMachine, until } from "../../../ffi/testing.ts";
import type { ConnectionStatus } from "../../../lib/contract/mod.ts";
import { EventHub } from "../../events/hub.ts";
import { LibvirtLink } from "../../libvirt/link.ts";
import { setLogLevel } from "../../log.ts";
import { Inventory } from "./inventory.ts";
import type { DomainChange } from "./domain_change.ts";

setLogLevel("error");

/** A link and the inventory behind it, on libvirt's test driver, with one machine of our own. */
async function testHost(listenToEvents = true) {
  const uuid = crypto.randomUUID(), name = `kvmm-test-${uuid.slice(0, 8)}`;
  const happenings: DomainChange[] = [], statuses: ConnectionStatus[] = [], frames: string[] = [];
  const hub = new EventHub();
  hub.listen((text) => frames.push(text));
  const { promise: connected, resolve } = Promise.withResolvers<void>();
  const link: LibvirtLink = new LibvirtLink(SHARED, {
    status: (status) => statuses.push(status),
    connected: resolve,
    events: (events) => listenToEvents && inventory.onEvents(events),
  });
  const inventory: Inventory = new Inventory(link, hub, "host", (happening) => {
    if (happening.vmId === uuid) happenings.push(happening);
  });
  link.start();
  await connected;
  await link.call("domainDefine", { xml: testMachine(name, uuid) });
  return {
    uuid,
    name,
    hub,
    link,
    inventory,
    happenings,
    statuses,
    /** Names and data of the events about our machine. */
    told: () =>
      frames.join("").split("\n\n").map((frame) => /event: (.*)\ndata: (.*)$/.exec(frame)).filter((match) =>
        match?.[2]?.includes(uuid)
      )
        .map((match) => match![1]!),
    async [Symbol.asyncDispose]() {
      await link.call("domainDestroy", { uuid }).catch(() => {/* it is off already */});
      await link.call("domainUndefine", { uuid }).catch(() => {/* it is gone already */});
      await link.stop();
    },
  };
}

libvirtTest("LibvirtLink.start() connects, tells it once, and calls work from then on", async () => {
  await using host = await testHost();
  assert.deepEqual(host.statuses.map(({ connected, status, error }) => [connected, status, error]), [[
    true,
    "connected",
    null,
  ]]);
  assert.equal((await host.link.call("nodeInfo")).type, "TEST");
  assert.equal(host.link.status.uri, SHARED);
});

libvirtTest("LibvirtLink fails calls at once while it is not connected, and says what to do", async () => {
  const statuses: ConnectionStatus[] = [];
  const link = new LibvirtLink("qemu+unix:///system?socket=/no/such/socket", {
    status: (status) => statuses.push(status),
    connected: () => assert.fail("there is nothing to connect to"),
    events: () => {},
  });
  await assert.rejects(link.call("domainScan"), { kind: "unavailable" });
  link.start();
  await until("it says that it is not connected", () => statuses.length > 0);
  assert.deepEqual([statuses[0]!.status, statuses[0]!.error], [
    "disconnected",
    "Libvirtd is not running. Please start the service.",
  ]);
  const started = performance.now();
  await assert.rejects(link.call("domainScan"), { kind: "unavailable", message: statuses[0]!.error! });
  assert.ok(performance.now() - started < 100);
  await new Promise((resolve) => setTimeout(resolve, 400)); // several attempts: the status is told when it changes only
  assert.equal(statuses.length, 1);
  await link.stop();
});

libvirtTest("Inventory.resync() reads the whole host, and tells what is new", async () => {
  await using host = await testHost(false);
  const { inventory, uuid, name } = host;
  assert.equal(inventory.filled, false);
  await inventory.resync();
  assert.equal(inventory.filled, true);
  assert.deepEqual(host.told(), ["vm-created"]);
  const vm = inventory.vm(uuid)!;
  assert.deepEqual([vm.name, vm.state, vm.persistent, vm.virtType, vm.memoryMb, vm.host], [
    name,
    "stopped",
    true,
    "test",
    64,
    "host",
  ]);
  assert.equal(inventory.vmByName(name), vm);
  assert.equal(inventory.vm("constructor"), undefined);
  assert.ok(inventory.vms().includes(vm));
  assert.equal(inventory.vms(), inventory.vms(), "the list is made once per change");
  assert.deepEqual(
    inventory.vms().map((each) => each.name),
    inventory.vms().map((each) => each.name).toSorted(),
  );
  assert.ok(inventory.networks.records().some((network) => network.name === "default"));
  assert.ok(inventory.storage.records().some((pool) => pool.name === "default-pool"));
  await inventory.resync();
  assert.deepEqual(host.told(), ["vm-created"], "what did not change is not told again");
});

libvirtTest(
  "Inventory follows a machine by libvirt's events: started, paused, resumed, stopped, gone",
  async () => {
    await using host = await testHost();
    const { inventory, link, uuid } = host;
    await inventory.resync();
    const state = (expected: string | undefined) =>
      until(`${expected}`, () => inventory.vm(uuid)?.state === expected);
    await link.call("domainStart", { uuid });
    await state("running");
    assert.ok(inventory.active().includes(uuid));
    await until("it knows since when", () => inventory.vm(uuid)!.startedAt !== undefined);
    await link.call("domainSuspend", { uuid });
    await state("paused");
    await link.call("domainResume", { uuid });
    await state("running");
    await link.call("domainDestroy", { uuid });
    await state("stopped");
    await until("its start is forgotten", () => inventory.vm(uuid)!.startedAt === undefined);
    assert.equal(inventory.active().includes(uuid), false);
    await link.call("domainUndefine", { uuid });
    await state(undefined);
    // A read may see it gone before its event comes.
    await until("its end is told", () => host.happenings.some(({ event }) => event === "undefined"));
    assert.deepEqual(host.happenings.filter(({ event }) => event !== "defined").map(({ event }) => event), [
      "started",
      "suspended",
      "resumed",
      "stopped",
      "undefined",
    ]);
    const changes = host.told().filter((event) => event !== "vm-updated");
    assert.deepEqual(changes, ["vm-created", ...Array(4).fill("vm-state-changed"), "vm-deleted"]);
  },
);

libvirtTest("Inventory learns of a machine that is defined by its event", async () => {
  await using host = await testHost();
  const { inventory, link } = host;
  await inventory.resync();
  const uuid = crypto.randomUUID();
  await link.call("domainDefine", { xml: testMachine(`kvmm-test-${uuid}`, uuid) });
  try {
    await until("it is in the list", () => inventory.vms().some((vm) => vm.id === uuid));
  } finally {
    await link.call("domainUndefine", { uuid });
  }
});

libvirtTest(
  "Inventory.reconcile() finds what events did not tell, and nothing where there is nothing",
  async () => {
    await using host = await testHost(false);
    const { inventory, link, uuid } = host;
    await inventory.resync();
    // VMs of tests that run at the same time come and go.
    const own = async () => (await link.call("domainListStates")).filter((glance) => glance.uuid === uuid);
    const others = (): DomainState[] =>
      inventory.vms().filter((vm) => vm.id !== uuid).map(({ id }) => {
        const record = inventory.record(id)!;
        return {
          uuid: id,
          name: record.name,
          active: inventory.active().includes(id),
          autostart: record.autostart,
          managedSave: record.managedSave,
        };
      });
    const reconcile = async () => inventory.reconcile([...others(), ...await own()]);
    assert.equal(await reconcile(), 0);
    await link.call("domainStart", { uuid });
    assert.equal(inventory.vm(uuid)!.state, "stopped");
    assert.equal(await reconcile(), 1);
    await until("it was read again", () => inventory.vm(uuid)!.state === "running");
    assert.equal(await reconcile(), 0);
    await link.call("domainSetAutostart", { uuid, autostart: true });
    assert.equal(await reconcile(), 1);
    await until("autostart was read", () => inventory.vm(uuid)!.autostart);
    await link.call("domainDestroy", { uuid });
    await link.call("domainUndefine", { uuid });
    assert.equal(await reconcile(), 1);
    await until("it is gone", () => inventory.vm(uuid) === undefined);
  },
);

libvirtTest("Inventory.rereadOldest() shows in time what neither an event nor a glance tells", async () => {
  await using host = await testHost(false);
  const { inventory, link, uuid, name } = host;
  await inventory.resync();
  const xml = testMachine(name, uuid).replace("</name>", "</name><title>Changed</title>");
  await link.call("domainDefine", { xml });
  assert.equal(inventory.vm(uuid)!.title, undefined);
  for (const _ of inventory.vms()) await inventory.rereadOldest();
  assert.equal(inventory.vm(uuid)!.title, "Changed");
});

libvirtTest(
  "Inventory.changedOnDisk() is not lost on a machine that is being read for the first time",
  async () => {
    await using host = await testHost(false);
    const { hub, link, uuid, name } = host;
    // The real link, but the first answer arrives when the test says so.
    const { promise: read, resolve: deliver } = Promise.withResolvers<void>();
    let reads = 0;
    const late = {
      uri: link.uri,
      machine: link.machine,
      gate: link.gate,
      call: async (name: "domainRead", args: { uuid: string }) => {
        const answer = await link.call(name, args);
        if (reads++ === 0) await read;
        return answer;
      },
    } as unknown as LibvirtLink;
    const inventory = new Inventory(late, hub, "host", () => {});
    const reading = inventory.refresh(uuid);
    await until("it was read", () => reads === 1);
    await link.call("domainDefine", {
      xml: testMachine(name, uuid).replace("</name>", "</name><title>Changed</title>"),
    });
    inventory.changedOnDisk(name);
    deliver();
    await reading;
    assert.equal(inventory.vm(uuid)!.title, "Changed");
  },
);

libvirtTest("Inventory.resync() does not put a scan over what an event told meanwhile", async () => {
  await using host = await testHost(false);
  const { uuid, link, hub } = host;
  // The real link, but the answer to the scan arrives when the test says so.
  const { promise: scanned, resolve: deliver } = Promise.withResolvers<void>();
  const late = {
    uri: link.uri,
    machine: link.machine,
    gate: link.gate,
    call: async (name: "domainScan" | "domainRead", args: { uuid: string }) => {
      const answer = await (link.call as (name: string, args: unknown) => Promise<unknown>).call(
        link,
        name,
        args,
      );
      if (name === "domainScan") await scanned;
      return answer;
    },
  } as unknown as LibvirtLink;
  const inventory = new Inventory(late, hub, "host", () => {});
  await Promise.all([inventory.refresh(uuid), inventory.refresh(uuid)]);
  const resync = inventory.resync();
  await link.call("nodeInfo"); // by now the scan is read
  await new Promise((resolve) => setTimeout(resolve, 50));
  await link.call("domainStart", { uuid });
  const event: LibvirtEvent = { kind: "domain", event: "lifecycle", uuid, name: "x", args: [2, 0] };
  inventory.onEvents([event]);
  assert.equal(inventory.vm(uuid)!.state, "running", "the event is believed at once");
  await inventory.refresh(uuid);
  deliver();
  await resync;
  await until("the machine is shown running again", () => inventory.vm(uuid)!.state === "running", 1000);
});

libvirtTest("Inventory ends with the latest state, however many events overtake its reads", async () => {
  await using host = await testHost(false);
  const { uuid, link, hub } = host;
  const changes = [
    ["domainStart", [2, 0]],
    ["domainSuspend", [3, 0]],
    ["domainResume", [4, 0]],
    ["domainDestroy", [5, 1]],
  ] as const;
  let next = 0;
  // The real link, but while each answer is on its way the machine changes, and the event is quicker.
  const overtaken = {
    uri: link.uri,
    machine: link.machine,
    gate: link.gate,
    call: async (name: "domainRead", args: { uuid: string }) => {
      const answer = await link.call(name, args);
      const change = changes[next++];
      if (change) {
        await link.call(change[0], { uuid });
        inventory.onEvents([{ kind: "domain", event: "lifecycle", uuid, name: "x", args: [...change[1]] }]);
      }
      return answer;
    },
  } as unknown as LibvirtLink;
  const inventory = new Inventory(overtaken, hub, "host", () => {});
  await inventory.refresh(uuid);
  await until(
    "it is shown stopped",
    () => inventory.vm(uuid)?.state === "stopped" && next > changes.length,
    1000,
  );
});

libvirtTest(
  "Inventory tells that a paused machine goes on, also when a read saw it first; a start is no resume",
  async () => {
    await using host = await testHost(false);
    const { inventory, link, uuid, happenings } = host;
    await inventory.resync();
    const event = (kind: number): LibvirtEvent => ({
      kind: "domain",
      event: "lifecycle",
      uuid,
      name: "x",
      args: [kind, 0],
    });
    const [started, suspended, resumed] = [2, 3, 4];
    await link.call("domainStart", { uuid });
    inventory.onEvents([event(resumed!), event(started!)]);
    await link.call("domainSuspend", { uuid });
    inventory.onEvents([event(suspended!)]);
    await link.call("domainResume", { uuid });
    await inventory.refresh(uuid);
    assert.equal(inventory.vm(uuid)!.state, "running");
    inventory.onEvents([event(resumed!), event(resumed!)]);
    assert.deepEqual(happenings.map(({ event }) => event), ["started", "suspended", "resumed"]);
  },
);

libvirtTest("Inventory.update() tells what can be seen, and nothing for what cannot", async () => {
  await using host = await testHost(false);
  const { inventory, uuid } = host;
  await inventory.resync();
  const before = host.told().length;
  inventory.update(uuid, { operation: "starting" });
  inventory.update(uuid, { operation: "starting" });
  inventory.update(uuid, { addresses: [] });
  inventory.update("nobody", { operation: "starting" });
  assert.equal(inventory.vm(uuid)!.operation, "starting");
  assert.deepEqual(host.told().slice(before), ["vm-updated"]);
  inventory.onEvents([{
    kind: "domain",
    event: "io-error",
    uuid,
    name: "x",
    args: ["/a.img", "virtio0", 1, "enospc"],
  }]);
  assert.deepEqual(inventory.vm(uuid)!.attention, ["Disk error on /a.img (enospc)."]);
  assert.deepEqual(host.happenings.map(({ event }) => event), ["io-error"]);
});

libvirtTest("Inventory publishes each change of a network once, whoever noticed it", async () => {
  const hub = new EventHub(), frames: string[] = [];
  hub.listen((text) => frames.push(text));
  const network = (active: boolean, extra = "", users = 0) => ({
    uuid: "u",
    name: "n",
    active,
    persistent: true,
    autostart: false,
    xml: `<network connections='${users}'><name>n</name>${extra}</network>`,
    nextXml: undefined,
  });
  let networks: ReturnType<typeof network>[] = [];
  const link = { machine: null, call: () => Promise.resolve(networks) } as unknown as LibvirtLink;
  const inventory = new Inventory(link, hub, "host", () => {});
  const event = (number: number): LibvirtEvent => (
    {
      kind: "network",
      event: "lifecycle",
      uuid: "u",
      name: "n",
      args: [String(number)],
    } as unknown as LibvirtEvent
  );
  const [DEFINED, UNDEFINED, STARTED, STOPPED] = [0, 1, 2, 3];
  const told = async (is: typeof networks, ...numbers: number[]) => {
    networks = is;
    frames.length = 0;
    await inventory.networks.reread(); // the command that made the change
    inventory.onEvents(numbers.map(event));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await inventory.networks.refresh("n"); // libvirt's file
    return frames.flatMap((frame) => [...frame.matchAll(/"event":"(\w+)"/g)].map(([, word]) => word));
  };
  assert.deepEqual(await told([network(false)], DEFINED!), ["defined"]);
  assert.deepEqual(await told([network(true)], STARTED!), ["started"]);
  assert.deepEqual(await told([network(true, "", 2)]), [], "a VM that was plugged in is none of its changes");
  assert.deepEqual(await told([network(true, "<dns/>")]), ["updated"], "libvirt has no event of it");
  assert.deepEqual(await told([network(true, "<dns/>")], STOPPED!, STARTED!), ["stopped", "started"]);
  assert.deepEqual(await told([network(true, "<dns/>")], DEFINED!), [], "defined as it was");
  assert.deepEqual(await told([], STOPPED!, UNDEFINED!), ["stopped", "undefined"]);
});

libvirtTest("Inventory takes events of machines, networks and kinds it does not know", async () => {
  await using host = await testHost(false);
  const { inventory } = host;
  const unknown = crypto.randomUUID();
  inventory.onEvents([
    { kind: "domain", event: "lifecycle", uuid: unknown, name: "x", args: [99, 99] },
    { kind: "domain", event: "lifecycle", uuid: unknown, name: "x", args: [] },
    { kind: "domain", event: "io-error", uuid: unknown, name: "x", args: [] },
    { kind: "network", event: "lifecycle", name: "n", args: [99] },
    { kind: "pool", event: "refresh", name: "p", args: [] },
    { kind: "device", event: "update", name: "d", args: [] },
  ]);
  await inventory.resync();
  assert.equal(inventory.vm(unknown), undefined);
});

libvirtTest(
  "DomainRecord says the same as a glance, for every state libvirt's test driver can be in",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    const states = [1, 2, 3, 4, 5, 6];
    const namespace = "xmlns:test='http://libvirt.org/schemas/domain/test/1.0'";
    const machines = states.map((state) => {
      const runstate = `<test:runstate ${namespace}>${state}</test:runstate>`;
      return testMachine(`state-${state}`, crypto.randomUUID()).replace("<name>", `${runstate}<name>`);
    });
    await Deno.writeTextFile(`${folder}/node.xml`, `<node>${machines.join("")}</node>`);
    const { promise, resolve } = Promise.withResolvers<void>();
    const link = new LibvirtLink(`test://${folder}/node.xml`, {
      status: () => {},
      connected: resolve,
      events: () => {},
    }, { most: 1 });
    try {
      link.start();
      await promise;
      const inventory = new Inventory(link, new EventHub(), "host", () => {});
      await inventory.resync();
      assert.equal(inventory.vms().length, states.length);
      assert.equal(
        inventory.reconcile(await link.call("domainListStates")),
        0,
        JSON.stringify(inventory.vms().map(({ name, state }) => [name, state])),
      );
      const records = inventory.vms().map(({ id }) => inventory.record(id) as DomainRecord);
      assert.deepEqual(records.map(({ state }) => state).toSorted(), states);
    } finally {
      await link.stop();
      await Deno.remove(folder, { recursive: true });
    }
  },
);

libvirtTest(
  "Inventory.take() shows what a call read after it changed a machine, and brings none back that was removed",
  async () => {
    await using host = await testHost(false);
    const { link, inventory, uuid } = host;
    await inventory.resync();
    const started = await link.call("domainStart", { uuid });
    assert.ok(started);
    assert.equal(inventory.vm(uuid)?.state, "stopped");
    inventory.take(started);
    assert.equal(inventory.vm(uuid)?.state, "running");
    // A read that is under way was begun before: it is repeated, so that it cannot bring older things back.
    const reading = inventory.refresh(uuid);
    const paused = await link.call("domainSuspend", { uuid });
    inventory.take(paused!);
    await reading;
    assert.equal(inventory.vm(uuid)?.state, "paused");
    // A read has overtaken the command's own: nothing older comes back, not even for a moment.
    const resumed = await link.call("domainResume", { uuid });
    await inventory.refresh(uuid);
    assert.equal(inventory.vm(uuid)?.state, "running");
    inventory.take({ ...paused!, readAt: inventory.record(uuid)!.readAt - 1 });
    assert.equal(inventory.vm(uuid)?.state, "running");
    await inventory.refresh(uuid);
    assert.equal(inventory.vm(uuid)?.state, "running");
    assert.ok(resumed);
    const last = await link.call("domainDestroy", { uuid });
    assert.ok(last);
    await link.call("domainUndefine", { uuid });
    await inventory.refresh(uuid);
    assert.equal(inventory.vm(uuid), undefined);
    inventory.take(last);
    await inventory.refresh(uuid);
    assert.equal(inventory.vm(uuid), undefined);
    assert.equal(host.told().filter((name) => name === "vm-created").length, 1);
  },
);

libvirtTest(
  "Inventory leaves an event to the operation that reads the machine itself, and to no other",
  async () => {
    await using host = await testHost();
    const { inventory, link, uuid } = host;
    await inventory.refresh(uuid);
    const reads = readsOf(link);
    const told = host.happenings.length;
    inventory.update(uuid, { operation: "starting" });
    const record = await link.call("domainStart", { uuid });
    await until("the event", () => host.happenings.length > told);
    // Read after the event, as a call that takes longer than the event's way does
    const readAt = Date.now() + 1;
    inventory.take({ ...record!, readAt });
    inventory.update(uuid, { operation: undefined });
    assert.equal(inventory.vm(uuid)?.state, "running");
    assert.deepEqual(reads, []);

    await until("a later millisecond", () => Date.now() > readAt);
    inventory.update(uuid, { operation: "pausing" });
    await link.call("domainSuspend", { uuid });
    await until("the next event", () => inventory.vm(uuid)?.state === "paused");
    inventory.update(uuid, { operation: undefined });
    // On a busy machine it is read twice: what counts is that it is
    await until("a read: it was not read after the event", () => reads.length > 0);
  },
);

/** Notes the reads of single machines from now on. */
function readsOf(link: LibvirtLink): string[] {
  const reads: string[] = [];
  const call = link.call.bind(link) as (name: string, args: unknown) => Promise<unknown>;
  link.call = ((name: string, args: unknown) => {
    if (name === "domainRead") reads.push(name);
    return call(name, args);
  }) as typeof link.call;
  return reads;
}

libvirtTest(
  "Inventory reads nothing again for an event of a command that has read what it did, sooner or later",
  async () => {
    await using host = await testHost();
    const { inventory, link, uuid } = host;
    await link.call("domainStart", { uuid });
    await until("the start", () => inventory.vm(uuid)?.state === "running");
    await inventory.refresh(uuid);
    const reads = readsOf(link);
    for (const [name, when] of [["domainSuspend", "before"], ["domainResume", "after"]] as const) {
      const told = host.happenings.length, event = () => host.happenings.length > told;
      inventory.update(uuid, { operation: "working" });
      const record = await link.call(name, { uuid });
      if (when === "before") await until("the event", event);
      inventory.endOperation(uuid);
      inventory.take(record!);
      inventory.update(uuid, { operation: undefined });
      await until("the event", event);
      assert.equal(inventory.vm(uuid)?.state, name === "domainSuspend" ? "paused" : "running");
    }
    await new Promise((resolve) => setTimeout(resolve, 1100)); // by then it would have been read though the operation went on
    assert.deepEqual(reads, []);

    // Somebody else's, also while a command works that has read the machine before it.
    const before = inventory.record(uuid)!.readAt;
    await link.call("domainSuspend", { uuid });
    await until("a read", () => inventory.record(uuid)!.readAt > before);
    assert.deepEqual([reads.length, inventory.record(uuid)?.state], [1, 3]);
    inventory.update(uuid, { operation: "working" });
    const old = inventory.record(uuid)!;
    await link.call("domainResume", { uuid });
    await until("what the event tells", () => inventory.vm(uuid)?.state === "running");
    inventory.endOperation(uuid);
    inventory.take(old);
    inventory.update(uuid, { operation: undefined });
    await until("what it is now", () => inventory.vm(uuid)?.state === "running");
    assert.equal(reads.length, 2);
  },
);

libvirtTest("Inventory reads a machine though the operation on it goes on and on", async () => {
  await using host = await testHost();
  const { inventory, link, uuid } = host;
  await inventory.refresh(uuid);
  inventory.update(uuid, { operation: "cloning" });
  const before = inventory.record(uuid)!.readAt;
  await link.call("domainStart", { uuid });
  await until("it to be read", () => inventory.record(uuid)!.readAt > before);
  assert.equal(inventory.vm(uuid)?.operation, "cloning");
});
