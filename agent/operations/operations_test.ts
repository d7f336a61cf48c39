import { render } from "../../lib/i18n/message.ts";
import assert from "node:assert/strict";
import { LibvirtError } from "../../ffi/error.ts";
import { ContractError } from "../../lib/contract/errors.ts";
import { DatabaseSync } from "node:sqlite";
import { DATABASE_FILE, openDatabase } from "../store/database.ts";
import { MIGRATIONS } from "../store/migrations.ts";
import type { ActivityEntry } from "../store/activity.ts";
import { Store } from "../store/store.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { STEP_RULES } from "../features.ts";
import { Operations } from "./operations.ts";
import type { SettlementServices } from "./settlement.ts";
import { keyOf, type OperationRecord, type OperationSpec } from "./operation_record.ts";

const SPEC: OperationSpec = {
  command: "create_vm",
  subject: "web",
  vmId: "11111111-1111-4111-8111-111111111111",
  actor: "ann",
  keys: [keyOf.vmName("web")],
};
const DOMAIN = { kind: "domain-made", uuid: SPEC.vmId!, name: "web", at: Date.now() } as const;
const LOST = new LibvirtError({ kind: "lost", message: "client socket is closed" });

/** A libvirt that has domains and nothing else. */
class World {
  readonly domains = new Set<string>();
  readonly told: ActivityEntry[] = [];
  readonly jobs: [id: string, text: string][] = [];
  readonly status = { connected: true };
  host = "local";
  uri = "test:///default";
  /** Changes that were made again; one that names `refused` is refused. */
  readonly again: unknown[] = [];
  readonly folder = Deno.makeTempDirSync({ prefix: "kvmm-test-" });
  store = new Store(this.folder);
  operations = this.#operations();

  /** Another run of the process on the same database. */
  restart(): void {
    this.operations.stop();
    this.store.close();
    this.store = new Store(this.folder);
    this.operations = this.#operations();
  }

  stored(): OperationRecord[] {
    const database = openDatabase(this.folder);
    try {
      return database.prepare("SELECT record FROM operations").all().map(({ record }) =>
        JSON.parse(String(record)) as OperationRecord
      );
    } finally {
      database.close();
    }
  }

  [Symbol.dispose](): void {
    this.operations.stop();
    this.store.close();
    Deno.removeSync(this.folder, { recursive: true });
  }

  #operations(): Operations {
    const operations = new Operations({
      store: this.store,
      jobs: { settled: (id, text) => void this.jobs.push([id, render(text)]) },
      record: (entry) => void this.told.push(entry),
      host: this.host,
      link: { uri: this.uri, status: this.status },
    });
    const call = (name: string, { uuid }: { uuid: string }) => {
      if (!this.status.connected) {
        return Promise.reject(new LibvirtError({ kind: "unavailable", message: "x" }));
      }
      if (name === "domainRead") {
        const record = { state: 5, persistent: true, autostart: false, summary: { disks: [] } };
        return Promise.resolve(this.domains.has(uuid) ? record : null);
      }
      if (name === "domainXml") return Promise.resolve("<domain/>");
      assert.equal(name, "domainUndefine");
      this.domains.delete(uuid);
      return Promise.resolve(null);
    };
    const again = (input: object) => {
      if (!this.status.connected) return Promise.reject(LOST);
      if ("refused" in input) return Promise.reject(new ContractError("UpdateFailed", { error: "no" }));
      this.again.push(input);
      return Promise.resolve();
    };
    const inventory = { filled: true, refresh: () => Promise.resolve() };
    operations.settleWith(
      {
        vms: { link: { uri: "test:///default", call }, inventory } as unknown as LibvirtHost,
        rules: STEP_RULES,
        run: (_command, input) => again(input),
      } satisfies SettlementServices,
    );
    return operations;
  }
}

Deno.test("what is found out about a step after the end does not bring the operation back", async () => {
  using world = new World();
  const noted = await world.operations.run(SPEC, (operation) => Promise.resolve(operation.add(DOMAIN)));
  noted.know({ at: 1 }, true);
  noted.drop();
  assert.deepEqual(world.stored(), []);
  const failing = world.operations.begin(SPEC), late = failing.add(DOMAIN);
  await world.operations.failed(failing, new ContractError("UpdateFailed", { error: "no" }));
  late.know({ at: 1 }, true);
  assert.deepEqual(world.stored(), []);
});

Deno.test("Operations.run() writes each step down before it is run, and forgets it when it is done", async () => {
  using world = new World();
  await world.operations.run(SPEC, (operation) => {
    assert.deepEqual(world.stored(), []);
    operation.add(DOMAIN);
    const [record] = world.stored();
    assert.deepEqual([record?.command, record?.host, record?.steps], ["create_vm", "local", [
      DOMAIN,
    ]]);
    return Promise.resolve();
  });
  assert.deepEqual(world.stored(), []);
  assert.deepEqual(world.told, []);
});

Deno.test("Operations.run() takes back what was made when a step is refused, before it says so", async () => {
  using world = new World();
  const refused = new ContractError("StartFailed", { error: "no" });
  await assert.rejects(
    world.operations.run(SPEC, (operation) => {
      operation.add(DOMAIN);
      world.domains.add(DOMAIN.uuid);
      return Promise.reject(refused);
    }),
    refused,
  );
  assert.deepEqual([...world.domains], []);
  assert.deepEqual(world.stored(), []);
});

Deno.test("Operations.runAndUndo() takes everything back, also of work that succeeds", async () => {
  using world = new World();
  const made = await world.operations.runAndUndo(SPEC, (operation) => {
    operation.add(DOMAIN);
    world.domains.add(DOMAIN.uuid);
    return Promise.resolve("seen");
  });
  assert.equal(made, "seen");
  assert.deepEqual([[...world.domains], world.stored()], [[], []]);
});

Deno.test("Noted.drop() leaves nothing behind for another run to take back", async () => {
  using world = new World();
  const refused = new ContractError("VmNameExists", { name: "web" });
  await assert.rejects(
    world.operations.run(SPEC, (operation) => {
      operation.add(DOMAIN).drop();
      assert.deepEqual(world.stored().map(({ steps }) => steps), [[]]);
      world.domains.add(DOMAIN.uuid); // somebody else's
      return Promise.reject(refused);
    }),
    refused,
  );
  assert.deepEqual(world.stored(), []);
  world.restart();
  assert.equal(world.operations.unsettled, 0);
  assert.deepEqual([...world.domains], [DOMAIN.uuid]);
});

Deno.test("Operations settle what a lost connection cut short when it is back, and tell it once", async () => {
  using world = new World();
  await assert.rejects(
    world.operations.run(SPEC, (operation) => {
      operation.add(DOMAIN);
      operation.showsAs("job-1");
      world.domains.add(DOMAIN.uuid);
      world.status.connected = false;
      return Promise.reject(LOST);
    }),
    LOST,
  );
  assert.equal(world.operations.unsettled, 1);
  await assert.rejects(world.operations.ready(SPEC.keys), { code: "OperationUnsettled" });
  await world.operations.ready([keyOf.vmName("other")]);
  await world.operations.settle();
  assert.deepEqual([...world.domains], [DOMAIN.uuid], "nothing can be done without a connection");
  world.status.connected = true;
  const waiting = world.operations.ready(SPEC.keys);
  await world.operations.settle();
  await waiting;
  await world.operations.settle();
  assert.deepEqual([...world.domains], []);
  assert.deepEqual(world.stored(), []);
  assert.deepEqual(world.told.map(({ actor, action, result, vmName }) => [actor, action, result, vmName]), [
    ["ann", "create_vm", "error", "web"],
  ]);
  assert.match(render(world.told[0]!.message), /^web: The connection to libvirt was lost.*Removed: web\.$/);
  assert.equal(world.jobs.length, 1);
});

Deno.test("Operations of an earlier run of the process are settled by the next one", async () => {
  using world = new World();
  const never = Promise.withResolvers<void>();
  void world.operations.run(SPEC, (operation) => {
    operation.add(DOMAIN);
    world.domains.add(DOMAIN.uuid);
    return never.promise;
  });
  await Promise.resolve();
  world.restart();
  assert.equal(world.operations.unsettled, 1);
  await world.operations.settle();
  assert.deepEqual([...world.domains], []);
  assert.match(render(world.told[0]!.message), /KVM Manager ended in the middle/);
  world.restart();
  assert.equal(world.operations.unsettled, 0);
});

Deno.test("Operations are taken up by the host they were begun on alone, and by the libvirt that it had then", async () => {
  using world = new World();
  void world.operations.run(SPEC, (operation) => {
    operation.add(DOMAIN);
    world.domains.add(DOMAIN.uuid);
    return Promise.withResolvers<void>().promise;
  });
  await Promise.resolve();
  const [stored] = world.stored();
  assert.deepEqual([stored?.host, stored?.uri], ["local", "test:///default"]);
  for (
    const other of [{ host: "lab" }, { uri: "qemu:///session" }, { host: "lab", uri: "qemu:///session" }]
  ) {
    Object.assign(world, other);
    world.restart();
    assert.equal(world.operations.unsettled, 0, JSON.stringify(other));
    Object.assign(world, { host: "local", uri: "test:///default" });
  }
  world.restart();
  assert.equal(world.operations.unsettled, 1);
});

Deno.test("Operations that an earlier version has left by libvirt's URI are the local host's", async () => {
  using world = new World();
  world.domains.add(DOMAIN.uuid);
  world.store.close();
  const old = new DatabaseSync(`${world.folder}/${DATABASE_FILE}`);
  const record = { ...SPEC, id: "x", host: world.uri, startedAt: 1, steps: [DOMAIN] };
  old.prepare("INSERT INTO operations VALUES ('x', ?, 1, ?)").run(world.uri, JSON.stringify(record));
  old.exec(MIGRATIONS.find((each) => each.startsWith("UPDATE operations"))!);
  old.close();
  world.restart();
  assert.equal(world.operations.unsettled, 1);
  await world.operations.settle();
  assert.deepEqual([...world.domains], []);
});

Deno.test("Operations that are over stay so where that cannot be written, across a kill", async () => {
  using world = new World();
  await world.operations.run(SPEC, (operation) => {
    operation.add(DOMAIN);
    world.domains.add(DOMAIN.uuid);
    world.store.database!.exec("PRAGMA query_only = ON"); // as on a full disk
    return Promise.resolve();
  });
  world.store.close();
  assert.equal(world.stored().length, 1, "the row is there still");
  world.restart();
  assert.equal(world.operations.unsettled, 0);
  await world.operations.settle();
  assert.deepEqual([...world.domains], [DOMAIN.uuid], "what was told as done stays");
  assert.deepEqual(world.stored(), []);
});

Deno.test("Operations of an earlier run without a file of their own are settled, too", async () => {
  using world = new World();
  world.domains.add(DOMAIN.uuid);
  const record: OperationRecord = {
    ...SPEC,
    id: "x",
    host: "local",
    uri: "test:///default",
    startedAt: 1,
    steps: [DOMAIN],
  };
  world.store.write(() =>
    world.store.database!.prepare("INSERT INTO operations VALUES ('x', 'test:///default', 1, ?)")
      .run(JSON.stringify(record))
  );
  world.restart();
  await world.operations.settle();
  assert.deepEqual([...world.domains], []);
});

Deno.test("Operations finish what was only to be looked at: a machine that is still there is left whole", async () => {
  using world = new World();
  world.domains.add(DOMAIN.uuid);
  await assert.rejects(world.operations.run({ ...SPEC, command: "delete_vm" }, (operation) => {
    operation.addAll([
      { kind: "domain-doomed", uuid: DOMAIN.uuid, name: "web" },
      { kind: "disk-doomed", path: `${world.folder}/kvm-manager.db`, file: null },
    ]);
    world.status.connected = false;
    return Promise.reject(LOST);
  }));
  world.status.connected = true;
  await world.operations.settle();
  assert.deepEqual([...world.domains], [DOMAIN.uuid]);
  assert.match(render(world.told[0]!.message), /Nothing was changed/);
});

const CHANGE = { kind: "change-wanted", command: "update_vm", input: { title: "new" } } as const;
const UPDATE: OperationSpec = { ...SPEC, command: "update_vm" };

Deno.test("Operations take a change back that was refused while libvirt was lost", async () => {
  using world = new World();
  const refused = new ContractError("UpdateFailed", { error: "no" });
  await assert.rejects(
    world.operations.run(UPDATE, (operation) => {
      operation.add({ ...CHANGE, back: { title: "old" } });
      world.status.connected = false; // so that what was stored could not be taken back
      return Promise.reject(refused);
    }),
    refused,
  );
  assert.equal(world.operations.unsettled, 1);
  world.status.connected = true;
  await world.operations.settle();
  assert.deepEqual(world.again, [{ title: "old" }]);
  assert.equal(world.operations.unsettled, 0);
});

Deno.test("Operations take a change back that is refused when it is to be finished, and tell why", async () => {
  using world = new World();
  await assert.rejects(world.operations.run(UPDATE, (operation) => {
    operation.add({ ...CHANGE, input: { refused: true }, back: { title: "old" } });
    world.status.connected = false;
    return Promise.reject(LOST);
  }));
  world.status.connected = true;
  await world.operations.settle();
  assert.deepEqual(world.again, [{ title: "old" }]);
  assert.match(render(world.told[0]!.message), /it can be done again.*no/);
});
