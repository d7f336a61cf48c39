import assert from "node:assert/strict";
import type { Published } from "../../lib/contract/events.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { EventHub } from "../events/hub.ts";
import { HostEvents } from "../hosts/events.ts";
import type { Host } from "../hosts/host.ts";
import { setLogLevel } from "../log.ts";
import { Store } from "../store/store.ts";
import { TestClock } from "../testing.ts";
import { KNOWN_VM_MIGRATIONS, KnownVms } from "./known_vms.ts";
import { SeenVms } from "./seen_vms.ts";

setLogLevel("error");

/** As much of a VM as is looked at. @param machine tells it apart from another one with its id */
const vmOf = (id: string, machine = id): VM =>
  ({
    ...{ id, name: `name of ${machine}`, tags: [], disks: [] },
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
  const vms = new Map<string, VM>(), recorded: string[] = [], released: string[] = [];
  const knownVms = new KnownVms(store, clock);
  const host = {
    ...{ id: "local", events: new HostEvents(hub, "local") },
    app: { knownVms, clock },
    inventory: {
      vm: (id: string) => vms.get(id),
      everyVm: () => [...vms.values()],
      update: (id: string, extras: Partial<VM>) => void vms.set(id, { ...vms.get(id)!, ...extras }),
    },
    vmReplaced: (id: string): string[] => {
      released.push(id);
      return [];
    },
    record: ({ action, vmId }: { action: string; vmId: string }) => void recorded.push(`${action} ${vmId}`),
  };
  const seen = new SeenVms(host as unknown as Host);
  const put = (...all: VM[]) => {
    for (const vm of all) vms.set(vm.id, vm);
    hub.publishAll(all.map((vm): Published => ["vm-created", { vm }]));
  };
  const remove = (...ids: string[]) => {
    for (const id of ids) vms.delete(id);
    hub.publishAll(ids.map((vmId): Published => ["vm-deleted", { vmId }]));
  };
  return { ...{ store, clock, hub, host, knownVms, seen, put, remove, recorded, released } };
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
