import assert from "node:assert/strict";
import { DATABASE_FILE, openDatabase, StoreError } from "./database.ts";
import { Store } from "./store.ts";

function withFolder(run: (folder: string, path: string) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "kvmm-test-" });
  try {
    run(folder, `${folder}/${DATABASE_FILE}`);
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}
const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
const removeDatabase = (folder: string) => {
  for (const name of namesIn(folder)) {
    if (name.startsWith(DATABASE_FILE)) Deno.removeSync(`${folder}/${name}`);
  }
};

/** Remains of earlier runs, each alone. */
const LEFT: Readonly<Record<string, (folder: string) => void>> = {
  "metrics": (folder) => Deno.writeTextFileSync(`${folder}/metrics.db`, "x"),
  "metrics that were damaged": (folder) => Deno.writeTextFileSync(`${folder}/metrics.db.damaged`, "x"),
  "operations": (folder) => Deno.mkdirSync(`${folder}/operations`),
  "a copy of before an upgrade": (folder) =>
    Deno.writeTextFileSync(`${folder}/kvm-manager.before-upgrade-9.db`, "x"),
  "a state that was replaced": (folder) => Deno.mkdirSync(`${folder}/replaced-2026-01-01`),
  "the note of a saved state": (folder) => Deno.writeTextFileSync(`${folder}/last-backup.json`, "{}"),
  "what was written lately": (folder) => Deno.writeTextFileSync(`${folder}/${DATABASE_FILE}-wal`, "x"),
};
/** Databases that hold nothing. */
const GONE: Readonly<Record<string, { make: (path: string) => void; told: RegExp }>> = {
  "missing": { make: () => {}, told: /kvm-manager\.db is missing, and .* is not new/ },
  "of no bytes": {
    make: (path) => Deno.writeTextFileSync(path, ""),
    told: /kvm-manager\.db is empty, and .* is not new/,
  },
};

Deno.test("a lost database is refused wherever an earlier run has left anything, and nothing is changed", () => {
  for (const [what, leave] of Object.entries(LEFT)) {
    for (const [how, { make, told }] of Object.entries(GONE)) {
      withFolder((folder, path) => {
        openDatabase(folder).close();
        removeDatabase(folder);
        leave(folder);
        make(path);
        const before = namesIn(folder);
        for (let attempt = 0; attempt < 2; attempt++) {
          assert.throws(() => openDatabase(folder), (error) => {
            assert.ok(error instanceof StoreError, String(error));
            assert.match(error.message, told, `${what}, ${how}`);
            assert.match(error.message, /restore-state .*Nothing was changed$/);
            return true;
          });
          assert.deepEqual(namesIn(folder), before, `${what}, ${how}`);
        }
      });
    }
  }
});

Deno.test("a database without a table is a lost one as well", () =>
  withFolder((folder, path) => {
    openDatabase(folder).close();
    removeDatabase(folder);
    LEFT["metrics"]!(folder);
    // SQLite's own empty database: a head, and not one table
    Deno.writeFileSync(path, emptyDatabase());
    assert.throws(() => openDatabase(folder), /kvm-manager\.db is empty/);
  }));

Deno.test("the newest copy in the folder is what is to be put back", () =>
  withFolder((folder) => {
    for (const version of [9, 10]) {
      Deno.writeTextFileSync(`${folder}/kvm-manager.before-upgrade-${version}.db`, "x");
    }
    assert.throws(
      () => openDatabase(folder),
      /restore-state \S+kvm-manager\.before-upgrade-10\.db\)/,
    );
  }));

Deno.test("a first start that was cut short is one still, and foreign files do not matter", () =>
  withFolder((folder, path) => {
    Deno.mkdirSync(`${folder}/lost+found`);
    Deno.writeTextFileSync(`${folder}/.first-start`, "");
    Deno.writeTextFileSync(path, "");
    Deno.writeTextFileSync(`${folder}/metrics.db`, "made by the worker meanwhile");
    openDatabase(folder).close();
    assert.ok(!namesIn(folder).includes(".first-start"));
    removeDatabase(folder);
    assert.throws(() => openDatabase(folder), /is missing/, "from then on the folder is not new");
  }));

Deno.test("a database whose file is removed or replaced under the open one: told, saved, not written", () => {
  for (
    const [how, act] of Object.entries({
      removed: (path: string) => Deno.removeSync(path),
      replaced: (path: string) => {
        Deno.copyFileSync(path, `${path}.new`);
        Deno.renameSync(`${path}.new`, path);
      },
      "removed: its -wal": (path: string) => Deno.removeSync(`${path}-wal`),
    })
  ) {
    withFolder((folder, path) => {
      const troubles: string[] = [];
      const store = new Store(folder, (trouble) => troubles.push(trouble));
      store.attach(() => {});
      const add = (key: string) =>
        store.write(() => store.database!.exec(`INSERT INTO access VALUES ('kind', '${key}', '"x"')`));
      assert.ok(add("before"));
      store.check();
      assert.deepEqual(troubles, []);
      act(path);
      store.check();
      store.check();
      assert.equal(troubles.length, 1, how);
      assert.match(troubles[0]!, new RegExp(`was ${how.split(":")[0]} while .*restore-state \\S+rescued-`));
      assert.equal(add("after"), false, "nothing is said to be written that would be gone");
      const rescued = /restore-state (\S+)\)/.exec(troubles[0]!)![1]!;
      const saved = `${folder}/saved`;
      Deno.mkdirSync(saved);
      Deno.copyFileSync(rescued, `${saved}/${DATABASE_FILE}`);
      const database = openDatabase(saved);
      assert.deepEqual(database.prepare("SELECT key FROM access").all().map(({ key }) => key), ["before"]);
      database.close();
      store.close();
    });
  }
});

/** An SQLite database of one page without any table: what `VACUUM` makes of nothing. */
function emptyDatabase(): Uint8Array {
  const bytes = new Uint8Array(4096), view = new DataView(bytes.buffer);
  bytes.set(new TextEncoder().encode("SQLite format 3\0"));
  view.setUint16(16, 4096);
  bytes.set([1, 1, 0, 64, 32, 32], 18);
  view.setUint32(28, 1);
  view.setUint32(44, 4);
  view.setUint32(56, 1);
  bytes.set([13, 0, 0, 0, 0, 16, 0, 0], 100);
  return bytes;
}
