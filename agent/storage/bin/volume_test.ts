/** Moves into the bin and out of it, cut short before each of their steps: done or undone, and nothing is lost. */
import assert from "node:assert/strict";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { BIN_FOLDER } from "../../../lib/bin/place.ts";
import { ContractError } from "../../../lib/contract/errors.ts";
import { SYSTEM_CLOCK } from "../../clock.ts";
import { STEP_RULES } from "../../features.ts";
import type { LibvirtHost } from "../../hosts/libvirt_host.ts";
import { setLogLevel } from "../../log.ts";
import { Operation } from "../../operations/operation.ts";
import { Operations } from "../../operations/operations.ts";
import type { OperationRecord } from "../../operations/operation_record.ts";
import { Store } from "../../store/store.ts";
import { takeFound } from "../../bin/found.ts";
import type { PoolVolume } from "../volumes.ts";
import { purge } from "./purge.ts";
import { BIN_MIGRATIONS, BinRecords } from "./records.ts";
import { binVolume, planVolume, restoreVolume } from "./volume.ts";
import { FormatRecords } from "../format_records.ts";
import { StorageLocks } from "../locks.ts";
import { VolumeKeepers } from "../volume_keepers.ts";
import { localMachine } from "../../machine/machine.ts";

setLogLevel("error");

/** A promise that never settles: the process is killed meanwhile. */
const NEVER = new Promise<never>(() => {});

/** A host with one folder as its pool, and a process that can be killed at any of its steps. */
class World {
  /** One of its own: what was killed holds its locks for ever. */
  readonly name = `${crypto.randomUUID()}.qcow2`;
  readonly folder = Deno.makeTempDirSync({ prefix: "kvmm-test-" });
  readonly #data = Deno.makeTempDirSync({ prefix: "kvmm-test-" });
  /** Steps that are still done before everything stands still. */
  stepsLeft = Infinity;
  store!: Store;
  bin!: BinRecords;
  operations!: Operations;
  host!: LibvirtHost;

  constructor() {
    this.#start();
  }

  get path(): string {
    return `${this.folder}/${this.name}`;
  }

  get volume(): PoolVolume {
    const { path, name } = this;
    return { pool: "p", name, path, type: "file", capacity: 7, allocation: 7 } as PoolVolume;
  }

  /** One step goes by; after the last one nothing does. */
  async step(): Promise<void> {
    if (this.stepsLeft-- <= 0) await NEVER;
  }

  /** Another run of the process on the same database. */
  restart(): void {
    this.operations.stop();
    this.store.close();
    this.stepsLeft = Infinity;
    this.#start();
  }

  names(folder = this.folder): string[] {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  }

  [Symbol.dispose](): void {
    this.operations.stop();
    this.store.close();
    for (const folder of [this.folder, this.#data]) Deno.removeSync(folder, { recursive: true });
  }

  #start(): void {
    this.store = new Store(this.#data, () => {}, [{ name: "bin", migrations: BIN_MIGRATIONS }]);
    this.bin = new BinRecords(this.store, 7, () => {});
    const link = {
      uri: "qemu:///system",
      machine: localMachine("qemu:///system"),
      status: { connected: true },
      call: async (name: string) => {
        // A question: a process that ends there has done nothing.
        if (name === "domainsWithSnapshots") return [];
        await this.step();
        if (name === "poolXml") return `<pool type="dir"><target><path>${this.folder}</path></target></pool>`;
        if (name === "volumeNamed") {
          throw new LibvirtError({ kind: "libvirt", code: VIR_ERR.NO_STORAGE_VOL, message: "no" });
        }
        return null;
      },
    };
    this.operations = new Operations({
      store: this.store,
      jobs: { settled: () => {} },
      record: () => {},
      host: "local",
      link,
    });
    const xml = `<pool type="dir"><target><path>${this.folder}</path></target></pool>`;
    const pool = { name: "p", volumes: 1, xml };
    const storage = {
      known: () => [],
      leftOverlays: () => [],
      peek: () => [],
      refresh: () => Promise.resolve(),
      remove: () => {},
      put: () => {},
      volumes: () => Promise.resolve([]),
      record: () => pool,
      records: () => [pool],
      isKnown: true,
    };
    const host = {
      id: "local",
      bin: this.bin,
      clock: SYSTEM_CLOCK,
      link,
      machine: link.machine,
      inventory: { filled: true, vms: () => [], everyVm: () => [], active: () => [], storage },
      keepers: new VolumeKeepers(link.machine),
      formats: new FormatRecords(this.store),
      operations: this.operations,
      locks: new StorageLocks(true),
      requireFilled: () => host,
    };
    this.host = host as unknown as LibvirtHost;
    this.operations.settleWith({ vms: this.host, rules: STEP_RULES, run: () => Promise.reject(new Error()) });
  }

  /** Whether the file is at its place, or in the bin; it must be exactly one of them. */
  place(about: string): "there" | "in the bin" {
    const isThere = this.names().includes(this.name);
    const binned = this.names().includes(BIN_FOLDER)
      ? this.names(`${this.folder}/${BIN_FOLDER}`).filter((name) => /\.\d+$/.test(name))
      : [];
    assert.equal(isThere ? 1 : 0, 1 - binned.length, `${about}: ${this.names()} and ${binned}`);
    const path = isThere ? this.path : `${this.folder}/${BIN_FOLDER}/${binned[0]}`;
    assert.equal(Deno.readTextFileSync(path), "content", about);
    assert.equal(this.bin.all().length, isThere ? 0 : 1, `${about}: the bin knows of it`);
    if (isThere) assert.deepEqual(this.names(), [this.name], about);
    return isThere ? "there" : "in the bin";
  }
}

/** Has the records of the bin be a step of their own; nothing follows the removal of one. */
function steps(world: World): void {
  const { bin, step } = { bin: world.bin, step: () => world.stepsLeft-- <= 0 };
  for (const name of ["put", "remove"] as const) {
    const write = bin[name].bind(bin) as (value: never) => void;
    bin[name] = ((value: never) => {
      if (step()) throw new Killed();
      write(value);
      if (name === "put" && step()) throw new Killed();
    }) as never;
  }
}

/** Stands for the end of the process in what is not waited for. */
class Killed extends Error {}

/** Runs until the world stands still or the work is over. */
async function until(work: () => Promise<unknown>): Promise<"done" | "killed"> {
  const timer = Promise.withResolvers<"killed">();
  const limit = setTimeout(() => timer.resolve("killed"), 400);
  try {
    return await Promise.race([work().then(() => "done" as const), timer.promise]);
  } catch (error) {
    if (error instanceof Killed || (error instanceof ContractError && error.cause instanceof Killed)) {
      return "killed";
    }
    throw error;
  } finally {
    clearTimeout(limit);
  }
}

const LIMITS = { sanitizeOps: false, sanitizeResources: false };

Deno.test("a volume that goes into the bin is there or in it, wherever it is cut short", LIMITS, async () => {
  const ends = new Set<string>();
  for (let n = 0; n < 12; n++) {
    using world = new World();
    await Deno.writeTextFile(world.path, "content");
    world.store.open();
    world.stepsLeft = n;
    const outcome = await until(() => binVolume(world.host, world.volume, "ann"));
    world.restart();
    world.store.open();
    await world.operations.settle();
    const place = world.place(`cut short after ${n} steps (${outcome})`);
    if (outcome === "done") assert.equal(place, "in the bin");
    assert.equal(world.operations.unsettled, 0);
    ends.add(place);
  }
  assert.deepEqual([...ends].sort(), ["in the bin", "there"]);
});

Deno.test(
  "a volume that comes out of the bin is there or in it, wherever it is cut short",
  LIMITS,
  async () => {
    const ends = new Set<string>();
    for (let n = 0; n < 12; n++) {
      using world = new World();
      await Deno.writeTextFile(world.path, "content");
      world.store.open();
      const entry = (await binVolume(world.host, world.volume, "ann"))!;
      world.stepsLeft = n;
      steps(world);
      const outcome = await until(() =>
        restoreVolume(world.host, world.bin.get(entry.id)!, undefined, "ann")
      );
      world.restart();
      world.store.open();
      await world.operations.settle();
      const place = world.place(`cut short after ${n} steps (${outcome})`);
      if (outcome === "done") assert.equal(place, "there");
      ends.add(place);
    }
    assert.deepEqual([...ends].sort(), ["in the bin", "there"]);
  },
);

Deno.test("steps before that of a volume are written down with it: a kill leaves all of them or none", async () => {
  using world = new World();
  await Deno.writeTextFile(world.path, "content");
  world.store.open();
  const written: string[][] = [];
  const operation = new Operation(
    { steps: [] } as unknown as OperationRecord,
    ({ steps }) => written.push(steps.map(({ kind }) => kind)),
  );
  const device = { uuid: "u", name: "web", device: "disk vdb", run: null, xml: "<disk/>" };
  const move = (await planVolume(world.host, world.volume, "ann"))!;
  await move.begin(operation, [{ kind: "device-doomed", ...device }]);
  assert.deepEqual(written, [["device-doomed", "entry-binned", "file-binned"]]);
});

Deno.test("what goes for good goes whole, wherever it is cut short", LIMITS, async () => {
  for (let n = 0; n < 6; n++) {
    using world = new World();
    await Deno.writeTextFile(world.path, "content");
    world.store.open();
    const { id } = (await binVolume(world.host, world.volume, "ann"))!;
    world.stepsLeft = n;
    await until(() => purge(world.host, world.bin.get(id)!, { command: "delete_bin_entry", actor: "ann" }));
    world.restart();
    world.store.open();
    await world.operations.settle();
    assert.deepEqual([world.names(), world.bin.all()], [[], []], `after ${n} steps`);
  }
});

Deno.test("a name that is taken meanwhile is told, and the volume stays in the bin", async () => {
  using world = new World();
  await Deno.writeTextFile(world.path, "content");
  world.store.open();
  const entry = (await binVolume(world.host, world.volume, "ann"))!;
  await Deno.writeTextFile(world.path, "another");
  await assert.rejects(restoreVolume(world.host, entry, undefined, "ann"), (error) => {
    assert.ok(error instanceof ContractError);
    assert.equal(error.code, "BinNameTaken");
    assert.ok(error.message.includes(world.name.replace(".", "-restored.")), error.message);
    return true;
  });
  await restoreVolume(world.host, entry, "b.qcow2", "ann");
  assert.deepEqual(world.names(), [world.name, "b.qcow2"].sort());
  assert.equal(await Deno.readTextFile(`${world.folder}/b.qcow2`), "content");
});

Deno.test("what the database has forgotten is known by the note next to it", async () => {
  using world = new World();
  await Deno.writeTextFile(world.path, "content");
  world.store.open();
  const { id } = (await binVolume(world.host, world.volume, "ann"))!;
  assert.equal(await takeFound(world.host), 0);
  world.bin.remove(id);
  // Others' files are no entries, whatever they say.
  await Deno.writeTextFile(`${world.folder}/${BIN_FOLDER}/${crypto.randomUUID()}.json`, "{}");
  await Deno.symlink("/etc/passwd", `${world.folder}/${BIN_FOLDER}/${crypto.randomUUID()}.json`);
  assert.equal(await takeFound(world.host), 1);
  const entry = world.bin.get(id)!;
  assert.deepEqual([entry.found, entry.name, entry.deletedBy], [true, `p/${world.name}`, "ann"]);
  await restoreVolume(world.host, entry, undefined, "ann");
  assert.equal(await Deno.readTextFile(world.path), "content");
});
