import assert from "node:assert/strict";
import { ContractError, type VM } from "../../lib/contract/mod.ts";
import { type Clock, SYSTEM_CLOCK } from "../clock.ts";
import { Store } from "../store/store.ts";
import { PROJECT_MIGRATIONS } from "./records.ts";
import { Projects } from "./projects.ts";

const SIZE = { cpus: 2, memoryMb: 1024, diskGb: 10 };

function machine(id: string, more: Partial<VM> = {}): VM {
  return {
    id,
    name: id,
    state: "stopped",
    cpuCount: 2,
    maxMemoryMb: 1024,
    diskSizeGb: 10,
    ...more,
  } as VM;
}

/** Projects in a folder of their own, with VMs that are there, away, or in the bin. */
async function world() {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-projects-" });
  const vms = new Map<string, VM>(), away = new Set<string>(), bin = new Set<string>(), told: string[] = [];
  const stores: Store[] = [], timers: (() => void)[] = [];
  const clock: Clock = { ...SYSTEM_CLOCK, after: (_ms, run) => (timers.push(run), () => {}) };
  const open = () => {
    const store = new Store(folder, () => {}, [{ name: "projects", migrations: PROJECT_MIGRATIONS }]);
    stores.push(store);
    store.open();
    return new Projects(store, {
      vm: (id) => vms.get(id),
      isAway: (id) => away.has(id),
      hasDisksInBin: (id) => bin.has(id),
      changed: (id) => void told.push(id),
    }, clock);
  };
  const projects = open();
  const put = (id: string, quota = {}) =>
    projects.rows.put({
      id,
      name: `name of ${id}`,
      description: "",
      quota,
      defaults: {},
      createdAt: 0,
      pools: [],
      networks: [],
      images: [],
    });
  return {
    projects,
    vms,
    away,
    bin,
    told,
    put,
    open,
    /** Runs the timers that hold sizes until a VM was read. */
    read: () => timers.splice(0).forEach((run) => run()),
    make: (id: string, project = "p") => {
      using admission = projects.admit({ vmId: id, name: id, project }, SIZE);
      vms.set(id, machine(id));
      admission.keep();
    },
    [Symbol.asyncDispose]: async () => {
      for (const store of stores) store.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

const refusal = (run: () => unknown): ContractError => {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof ContractError);
    return error;
  }
  assert.fail("it was admitted");
};

Deno.test("Projects: of two VMs at once the quota takes one, and what failed gives its share back", async () => {
  await using at = await world();
  at.put("p", { vms: 1 });
  {
    using first = at.projects.admit({ vmId: "a", name: "a", project: "p" }, SIZE);
    const { code, message } = refusal(() => at.projects.admit({ vmId: "b", name: "b", project: "p" }, SIZE));
    assert.equal(code, "QuotaExceeded");
    assert.match(message, /^The project name of p may have 1 VM in all, and 1 VM more do not fit\./);
    assert.equal(at.projects.usageOf("p").vms, 1);
    void first;
  }
  assert.equal(at.projects.usageOf("p").vms, 0);
  assert.equal(at.projects.projectOf("a"), undefined);
  at.make("b");
  assert.deepEqual(at.projects.usageOf("p"), { vms: 1, ...SIZE, binDiskGb: 0 });
});

Deno.test("Projects: what grows is admitted by what it grows to; what waits for the next start counts", async () => {
  await using at = await world();
  at.put("p", { cpus: 4, diskGb: 25 });
  at.make("a");
  {
    using one = at.projects.grow(at.vms.get("a")!, { diskGb: 20 });
    assert.equal(at.projects.usageOf("p").diskGb, 20);
    refusal(() => at.projects.grow(at.vms.get("a")!, { diskGb: 26 }));
    refusal(() => at.projects.admit({ vmId: "b", name: "b", project: "p" }, SIZE));
    void one;
  }
  assert.equal(at.projects.usageOf("p").diskGb, 10, "what failed is given back");
  at.vms.set("a", machine("a", { state: "running", pendingChanges: 0 }));
  {
    using change = at.projects.grow(at.vms.get("a")!, { cpus: 4 });
    change.keep();
  }
  at.vms.set("a", machine("a", { state: "running", pendingChanges: 1 }));
  assert.equal(at.projects.usageOf("p").cpus, 4);
  assert.equal(refusal(() => at.projects.grow(at.vms.get("a")!, { cpus: 5 })).code, "QuotaExceeded");
  at.read();
  // Discarded, it has what it had
  at.vms.set("a", machine("a", { state: "running", pendingChanges: 0 }));
  assert.equal(at.projects.usageOf("p").cpus, 2);
  // virsh grows past the quota: it is told, and what does not grow goes on
  at.vms.set("a", machine("a", { cpuCount: 9 }));
  assert.equal(at.projects.usageOf("p").cpus, 9);
  using more = at.projects.grow(at.vms.get("a")!, { diskGb: 11 });
  more.keep();
});

Deno.test("Projects: what was made or has grown counts until it was read", async () => {
  await using at = await world();
  at.put("p", { vms: 1, cpus: 4 });
  {
    using admission = at.projects.admit({ vmId: "a", name: "a", project: "p" }, SIZE);
    admission.keep();
  }
  assert.equal(
    refusal(() => at.projects.admit({ vmId: "b", name: "b", project: "p" }, SIZE)).code,
    "QuotaExceeded",
  );
  at.read();
  assert.equal(at.projects.usageOf("p").vms, 0);
  at.vms.set("a", machine("a"));
  for (const [cpus, counted] of [[4, 4], [3, 2]] as const) {
    using change = at.projects.grow(at.vms.get("a")!, { cpus });
    change.keep();
    change[Symbol.dispose]();
    if (cpus === 4) {
      assert.equal(at.projects.usageOf("p").cpus, counted);
      at.read();
    }
  }
});

Deno.test("Projects: a VM on a host that is away counts whole, one in the bin with its disks, a gone one not", async () => {
  await using at = await world();
  at.put("p");
  at.make("a");
  at.projects.note();
  at.vms.delete("a");
  at.away.add("a");
  assert.deepEqual(at.projects.usageOf("p"), { vms: 1, ...SIZE, binDiskGb: 0 });
  at.away.delete("a");
  at.bin.add("a");
  assert.deepEqual(at.projects.usageOf("p"), { vms: 0, cpus: 0, memoryMb: 0, diskGb: 10, binDiskGb: 10 });
  at.bin.delete("a");
  assert.equal(at.projects.usageOf("p").diskGb, 0);
  assert.deepEqual(at.projects.vmsOf("p"), []);
  // Defined again by virsh, it is in its project still
  at.vms.set("a", machine("a"));
  assert.equal(at.projects.usageOf("p").vms, 1);
});

Deno.test("Projects: killed while a VM is made, its share is free once it is known that there is none", async () => {
  await using at = await world();
  at.put("p", { vms: 1 });
  const admission = at.projects.admit({ vmId: "a", name: "a", project: "p" }, SIZE);
  const again = at.open();
  assert.equal(again.usageOf("p").vms, 0);
  assert.equal(again.get("a")?.project, "p", "a VM that was made after all is in it");
  again.sweep(() => false);
  assert.equal(again.get("a"), undefined);
  admission[Symbol.dispose]();
});

Deno.test("Projects: moved, deleted and renamed, VMs stay, and who lists them is told", async () => {
  await using at = await world();
  at.put("p");
  at.put("q", { memoryMb: 1000 });
  at.make("a");
  assert.equal(refusal(() => at.projects.move(at.vms.get("a")!, "q")).code, "QuotaExceeded");
  assert.equal(at.projects.projectOf("a"), "p");
  at.put("q");
  assert.deepEqual(at.projects.move(at.vms.get("a")!, "name of q"), { id: "q", name: "name of q" });
  assert.deepEqual(at.projects.membershipOf("a"), { project: { id: "q", name: "name of q" } });
  at.projects.setEnd(at.vms.get("a")!, 5000);
  at.told.length = 0;
  at.projects.delete("q");
  assert.deepEqual([at.told, at.projects.membershipOf("a"), at.projects.projectOf("a")], [["a"], {
    endsAt: 5000,
  }, undefined]);
  assert.equal(refusal(() => at.projects.idOf("q")).code, "ProjectNotFound");
  assert.equal(at.projects.forget("a"), "its end date");
  assert.deepEqual(at.projects.membershipOf("a"), {});
});
