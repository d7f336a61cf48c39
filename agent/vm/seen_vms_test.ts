import assert from "node:assert/strict";
import type { PublishedEvent } from "../../lib/contract/events.ts";
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import { EventHub } from "../events/hub.ts";
import { HostEvents } from "../hosts/events.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { setLogLevel } from "../log.ts";
import { Store } from "../store/store.ts";
import { TestClock } from "../testing.ts";
import { KNOWN_VM_MIGRATIONS, KnownVms } from "./known_vms.ts";
import { SeenVms } from "./seen_vms.ts";

setLogLevel("error");

/** As much of a VM as is looked at. @param machine tells it apart from another one with its id */
const vmOf = (id: string, machine = id): VM =>
  ({
    id,
    name: `name of ${machine}`,
    tags: [],
    disks: [],
    networkInterfaces: [{ mac: `mac of ${machine}` }],
  }) as unknown as VM;

const TABLES = [{ name: "vms", migrations: KNOWN_VM_MIGRATIONS }];

/** A store that counts its transactions, and can be full. */
class TestStore extends Store {
  writes = 0;
  isFull = false;

  override write(run: () => void): boolean {
    if (this.isFull) return false;
    this.writes++;
    return super.write(run);
  }
}

/** A host with VMs that a test puts there. */
async function world(run: (made: ReturnType<typeof worldIn>) => void | Promise<void>) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const made = worldIn(folder);
  try {
    await run(made);
  } finally {
    made.seen[Symbol.dispose]();
    made.store.close();
    await Deno.remove(folder, { recursive: true });
  }
}

function worldIn(folder: string) {
  const store = new TestStore(folder, undefined, TABLES), clock = new TestClock(1000), hub = new EventHub();
  const vms = new Map<string, VM>(), asked = new Set<string>(), failing = new Set<string>();
  const recorded: { action: string; vmId: string; message: string }[] = [];
  const knownVms = new KnownVms(store, clock);
  const host = {
    id: "local",
    events: new HostEvents(hub, "local"),
    inventory: {
      vm: (id: string) => vms.get(id),
      everyVm: () => [...vms.values()],
      update: (id: string, extras: Partial<VM>) => void vms.set(id, { ...vms.get(id)!, ...extras }),
    },
    features: {
      vmReplaced: (id: string) => {
        const isFirst = !asked.has(id),
          errors = failing.has(id) ? [new ContractError("StoreUnavailable")] : [];
        asked.add(id);
        return { released: isFirst ? [`a schedule of ${id}`] : [], errors };
      },
    },
    record: (row: { action: string; vmId: string; message: string }) => void recorded.push(row),
  };
  const see = (areHostsSettled: () => boolean) =>
    new SeenVms(host as unknown as LibvirtHost, { knownVms, store, areHostsSettled });
  const seen = see(() => true);
  const put = (...all: VM[]) => {
    for (const vm of all) vms.set(vm.id, vm);
    hub.publishAll(all.map((vm): PublishedEvent => ["vm-created", { vm }]));
  };
  const remove = (...ids: string[]) => {
    for (const id of ids) vms.delete(id);
    hub.publishAll(ids.map((vmId): PublishedEvent => ["vm-deleted", { vmId }]));
  };
  return { store, clock, hub, host, knownVms, see, seen, put, remove, recorded, failing };
}

const THOUSAND = Array.from({ length: 1000 }, (_, index) => vmOf(`vm-${index}`));

Deno.test("SeenVms writes what is read, goes and changes together as one transaction", () =>
  world(({ store, seen, put, remove, knownVms }) => {
    const writes = (run: () => void) => {
      const before = store.writes;
      run();
      return store.writes - before;
    };
    assert.equal(writes(() => put(...THOUSAND)), 1, "a host that is read first");
    assert.equal(writes(() => seen.whole()), 0, "all is known");
    assert.equal(writes(() => remove(...THOUSAND.slice(10).map(({ id }) => id))), 1);
    const stored = () =>
      store.database!.prepare("SELECT vm_id, record FROM known_vms").all().map(({ record }) =>
        JSON.parse(String(record)).goneAt !== null
      );
    assert.deepEqual([stored().length, stored().filter(Boolean).length], [1000, 990]);
    assert.deepEqual([knownVms.get("vm-9")!.goneAt, knownVms.get("vm-10")!.goneAt], [null, 1000]);
  }));

Deno.test("SeenVms writes what a full disk kept from being written once that works", () =>
  world(({ store, put, remove }) => {
    put(vmOf("a"));
    store.isFull = true;
    put(vmOf("b"));
    remove("a");
    store.isFull = false;
    store.check();
    const rows = store.database!.prepare("SELECT vm_id, record FROM known_vms ORDER BY vm_id").all();
    assert.deepEqual(rows.map(({ vm_id, record }) => [vm_id, JSON.parse(String(record)).goneAt]), [
      ["a", 1000],
      ["b", null],
    ]);
  }));

Deno.test("SeenVms: what a full disk keeps from being released is released later; events go on meanwhile", () =>
  world(({ store, hub, put, remove, recorded, failing, knownVms }) => {
    const told: string[] = [];
    hub.listen((_frames, events) => {
      for (const { event: [name, data] } of events) if (name === "vm-created") told.push(data.vm.name);
    });
    put(vmOf("a"), vmOf("b"));
    remove("a", "b");
    failing.add("a");
    put(vmOf("a", "new a"), vmOf("b", "new b"), vmOf("c"));
    put(vmOf("a", "new a"));
    assert.deepEqual(told.slice(2), ["name of new a", "name of new b", "name of c", "name of new a"]);
    assert.deepEqual([knownVms.get("a")!.name, knownVms.get("b")!.name, knownVms.get("c")!.name], [
      ...["name of a", "name of new b", "name of c"],
    ]);
    assert.deepEqual(recorded.map(({ vmId }) => vmId), ["b"]);
    store.check();
    assert.equal(knownVms.get("a")!.name, "name of a", "it fails still");
    failing.clear();
    store.check();
    assert.equal(knownVms.get("a")!.name, "name of new a");
    assert.deepEqual(recorded.map(({ vmId }) => vmId), ["b", "a"]);
    assert.match(recorded[1]!.message, /these no longer go by it: a schedule of a$/);
  }));

Deno.test("a VM that was never seen is no host's own before all hosts were read, or are known not to answer", () =>
  world(({ see, knownVms, put, seen: first }) => {
    first[Symbol.dispose]();
    let areSettled = false;
    using seen = see(() => areSettled);
    put(vmOf("a"));
    seen.whole();
    assert.equal(knownVms.hostOf("a"), undefined);
    areSettled = true;
    seen.whole();
    assert.equal(knownVms.hostOf("a"), "local");
    areSettled = false;
    knownVms.gone("a");
    assert.equal(knownVms.hostOf("a"), undefined);
    seen.whole();
    assert.equal(knownVms.hostOf("a"), "local", "it was seen before");
  }));
