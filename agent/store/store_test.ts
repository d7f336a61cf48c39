import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { DATABASE_FILE } from "./database.ts";
import { Store } from "./store.ts";

/** A store whose database another program holds until it is let go: nothing can be written. */
function withLockedStore(run: (world: { store: Store; path: string; letGo: () => void }) => void): void {
  const folder = Deno.makeTempDirSync({ prefix: "kvmm-test-" }), path = `${folder}/${DATABASE_FILE}`;
  const store = new Store(folder);
  try {
    store.open();
    const other = new DatabaseSync(path);
    other.exec("BEGIN EXCLUSIVE");
    run({
      store,
      path,
      letGo: () => {
        other.exec("ROLLBACK");
        other.close();
      },
    });
  } finally {
    store.close();
    Deno.removeSync(folder, { recursive: true });
  }
}
const put = (store: Store, key: string, value: number) => () =>
  void store.database!.prepare("INSERT OR REPLACE INTO access VALUES ('kind', ?, ?)").run(key, String(value));
const stored = (store: Store) =>
  store.database!.prepare("SELECT key, record FROM access ORDER BY key").all().map((
    { key, record },
  ) => [key, record]);

Deno.test("Store.keep() writes what could not be written as soon as it can be, the newest of each key", () =>
  withLockedStore(({ store, letGo }) => {
    store.keep("a", put(store, "a", 1));
    store.keep("b", put(store, "b", 1));
    store.keep("a", put(store, "a", 2));
    store.check();
    letGo();
    assert.deepEqual(stored(store), []);
    store.check();
    assert.deepEqual(stored(store), [["a", "2"], ["b", "1"]]);
    assert.equal(store.trouble, null);
  }));

Deno.test("Store.again() calls once it may work, until it does or is forgotten", () =>
  withLockedStore(({ store, letGo }) => {
    let calls = 0;
    const attempt = () => {
      calls++;
      if (!store.write(put(store, "x", 1))) store.again("x", attempt);
    };
    attempt();
    store.again("y", () => assert.fail("it was forgotten"));
    store.forget("y");
    store.check();
    letGo();
    store.check();
    store.check();
    assert.deepEqual([calls, stored(store)], [3, [["x", "1"]]]);
  }));

Deno.test("Store.close() writes what still waits", () =>
  withLockedStore(({ store, path, letGo }) => {
    store.keep("a", put(store, "a", 1));
    letGo();
    store.close();
    const database = new DatabaseSync(path, { readOnly: true });
    assert.equal(database.prepare("SELECT count(*) AS n FROM access").get()!.n, 1);
    database.close();
  }));
