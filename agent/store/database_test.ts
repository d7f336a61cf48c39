import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { DATABASE_FILE, openDatabase, StoreError } from "./database.ts";
import { MIGRATIONS } from "./migrations.ts";
import { skippedUnlessRoot } from "../../tests/testbed/skipped_unless.ts";

function withFolder(run: (folder: string, path: string) => void | Promise<void>) {
  const folder = Deno.makeTempDirSync({ prefix: "kvmm-test-" });
  const end = () => Deno.removeSync(folder, { recursive: true });
  try {
    const result = run(folder, `${folder}/${DATABASE_FILE}`);
    return result instanceof Promise ? result.finally(end) : end();
  } catch (error) {
    end();
    throw error;
  }
}
const refusal = (folder: string): string => {
  try {
    openDatabase(folder).close();
  } catch (error) {
    assert.ok(error instanceof StoreError, String(error));
    return error.message;
  }
  return assert.fail("it was opened");
};
/** A database with rows over many pages. */
function filled(folder: string, rows = 2000) {
  const database = openDatabase(folder);
  const insert = database.prepare(
    "INSERT INTO activity (timestamp, actor, door, action, vm_id, result, message) VALUES (1, 'a', 'api', 'x', ?, 'ok', ?)",
  );
  database.exec("BEGIN");
  for (let row = 0; row < rows; row++) insert.run(`vm-${row}`, "m".repeat(100));
  database.exec("COMMIT");
  return database;
}
const pragma = (database: DatabaseSync, name: string) =>
  Object.values(database.prepare(`PRAGMA ${name}`).get()!)[0];

Deno.test("openDatabase() makes a database in WAL mode with full sync, at the newest version (fault 11)", () =>
  withFolder((folder) => {
    const database = openDatabase(`${folder}/a/b`);
    assert.deepEqual(["journal_mode", "synchronous", "user_version"].map((name) => pragma(database, name)), [
      "wal",
      2,
      MIGRATIONS.length,
    ]);
    assert.ok(
      Number(pragma(database, "busy_timeout")) <= 500,
      "a lock holds the process up for a moment only",
    );
    database.close();
    const again = openDatabase(`${folder}/a/b`);
    assert.deepEqual(["journal_mode", "synchronous"].map((name) => pragma(again, name)), ["wal", 2]);
    again.close();
  }));

Deno.test("openDatabase() lets no other account read it, nor the files next to it (threat 19)", () =>
  withFolder((folder) => {
    const mode = (path: string) => Deno.statSync(path).mode! & 0o777;
    Deno.chmodSync(folder, 0o755);
    const database = filled(folder);
    const files = [...Deno.readDirSync(folder)].map(({ name }) => name);
    assert.deepEqual(files.toSorted(), ["", "-shm", "-wal"].map((end) => DATABASE_FILE + end));
    for (const file of files) assert.equal(mode(`${folder}/${file}`), 0o600, file);
    database.close();
    openDatabase(`${folder}/new`).close();
    assert.equal(mode(`${folder}/new`), 0o700);
    Deno.chmodSync(`${folder}/${DATABASE_FILE}`, 0o644);
    openDatabase(folder).close();
    assert.equal(mode(`${folder}/${DATABASE_FILE}`), 0o600);
  }));

Deno.test("openDatabase() refuses a damaged file with what to do, and leaves every byte of it (fault 12)", () => {
  const damages: Record<string, (bytes: Uint8Array) => Uint8Array> = {
    "another file": () => new TextEncoder().encode("this is no database\n".repeat(500)),
    "a broken head": (bytes) => bytes.fill(0xaa, 0, 40),
    "flipped bytes": (bytes) => {
      for (let at = 5000; at < bytes.length; at += 97) bytes[at]! ^= 0xff;
      return bytes;
    },
    "a lost end": (bytes) => bytes.slice(0, bytes.length / 2 - 100),
  };
  for (const [what, damage] of Object.entries(damages)) {
    withFolder((folder, path) => {
      filled(folder).close();
      Deno.writeFileSync(path, damage(Deno.readFileSync(path)));
      const before = Deno.readFileSync(path);
      for (let attempt = 0; attempt < 2; attempt++) {
        assert.match(
          refusal(folder),
          /kvm-manager\.db is damaged .*put a copy of it back .*Nothing was changed$/,
          what,
        );
        assert.deepEqual(Deno.readFileSync(path), before, what);
      }
    });
  }
});

Deno.test("openDatabase() leaves a damaged file alone also when there is a -wal file next to it", () =>
  withFolder((folder) => {
    const original = `${folder}/original`, copy = `${folder}/copy`;
    const database = filled(original);
    database.exec("PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO access VALUES ('kind', 'key', 'new')");
    Deno.mkdirSync(copy);
    for (const end of ["", "-wal"]) {
      Deno.copyFileSync(`${original}/${DATABASE_FILE}${end}`, `${copy}/${DATABASE_FILE}${end}`);
    }
    database.close();
    const path = `${copy}/${DATABASE_FILE}`;
    const bytes = Deno.readFileSync(path);
    for (let at = 20_000; at < bytes.length; at += 97) bytes[at]! ^= 0xff;
    Deno.writeFileSync(path, bytes);
    const wal = Deno.readFileSync(`${path}-wal`);
    assert.match(refusal(copy), /is damaged/);
    assert.deepEqual(Deno.readFileSync(path), bytes);
    assert.deepEqual(Deno.readFileSync(`${path}-wal`), wal);
  }));

Deno.test("openDatabase() opens what is whole when its -wal file was deleted", () =>
  withFolder((folder, path) => {
    const database = filled(folder);
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    const bytes = Deno.readFileSync(path);
    database.close();
    Deno.writeFileSync(path, bytes);
    for (const end of ["-wal", "-shm"]) {
      try {
        Deno.removeSync(path + end);
      } catch { /* it is gone already */ }
    }
    const again = openDatabase(folder);
    assert.equal(Number(again.prepare("SELECT count(*) AS n FROM activity").get()?.n), 2000);
    again.close();
  }));

Deno.test("openDatabase() refuses a newer program's database and leaves it", () =>
  withFolder((folder, path) => {
    const database = filled(folder, 5);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length + 1}`);
    database.close();
    const before = Deno.readFileSync(path);
    assert.match(
      refusal(folder),
      new RegExp(`written by a newer KVM Manager \\(version ${MIGRATIONS.length + 1} of the database`),
    );
    assert.deepEqual(Deno.readFileSync(path), before);
  }));

Deno.test("openDatabase() waits a bounded time for another program's lock, and says so (fault 12)", () =>
  withFolder((folder, path) => {
    filled(folder, 5).close();
    const other = new DatabaseSync(path);
    other.exec(
      "PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; INSERT INTO access VALUES ('kind', 'key', 'b')",
    );
    const started = performance.now();
    assert.match(refusal(folder), /is locked by another program/);
    assert.ok(performance.now() - started < 2000, `it waited ${performance.now() - started} ms`);
    other.exec("COMMIT");
    other.close();
    openDatabase(folder).close();
  }));

Deno.test("openDatabase() says what is wrong with a folder it cannot use", () =>
  withFolder((folder) => {
    Deno.writeTextFileSync(`${folder}/file`, "");
    assert.match(refusal(`${folder}/file`), /cannot be opened|Not a directory|exists/i);
    Deno.mkdirSync(`${folder}/odd/${DATABASE_FILE}`, { recursive: true });
    assert.match(refusal(`${folder}/odd`), /cannot be opened/);
  }));

/** Whether this process may mount: a small or read-only file system needs root. */
function mounted(folder: string, options: string): boolean {
  try {
    return new Deno.Command("mount", {
      args: ["-t", "tmpfs", "-o", options, "tmpfs", folder],
      stderr: "null",
    }).outputSync().success;
  } catch {
    return false;
  }
}
const unmount = (folder: string) => void new Deno.Command("umount", { args: ["-l", folder] }).outputSync();

Deno.test({
  name: "openDatabase() says that a file system is read-only",
  ignore: skippedUnlessRoot(),
  fn: () =>
    withFolder((folder) => {
      if (!mounted(folder, "ro")) return console.log("not tested: mount is not allowed here");
      try {
        assert.match(refusal(folder), /cannot be written .*Make its folder and file system writable/);
      } finally {
        unmount(folder);
      }
    }),
});

Deno.test({
  name: "openDatabase() says that a file system is full, and opens once there is room (fault 10)",
  ignore: skippedUnlessRoot(),
  fn: () =>
    withFolder((folder) => {
      if (!mounted(folder, "size=256k")) return console.log("not tested: mount is not allowed here");
      try {
        const full = Deno.openSync(`${folder}/filler`, { write: true, create: true });
        try {
          for (;;) full.writeSync(new Uint8Array(4096));
        } catch { /* it is full now */ }
        full.close();
        assert.match(refusal(folder), /cannot be written .*Make room on its file system/);
        Deno.removeSync(`${folder}/filler`);
        openDatabase(folder).close();
      } finally {
        unmount(folder);
      }
    }),
});

Deno.test("openDatabase() keeps every acknowledged row when the process is killed (fault 11)", () =>
  withFolder(async (folder) => {
    const program = `
      import { openDatabase } from ${JSON.stringify(new URL("./database.ts", import.meta.url).href)};
      const database = openDatabase(${JSON.stringify(folder)});
      const insert = database.prepare("INSERT INTO activity (id, timestamp, actor, door, action, result) VALUES (?, 1, 'a', 'api', 'x', 'ok')");
      const last = Number(database.prepare("SELECT max(id) AS id FROM activity").get()?.id ?? 0);
      for (let id = last + 1;; id++) {
        insert.run(id);
        Deno.stdout.writeSync(new TextEncoder().encode(id + "\\n"));
      }`;
    let acknowledged = 0;
    for (let round = 0; round < 3; round++) {
      const child = new Deno.Command(Deno.execPath(), {
        args: ["eval", program],
        stdout: "piped",
        stderr: "null",
      }).spawn();
      let text = "", killed = false;
      const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
      const enough = 20 + Math.random() * 50;
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        text += read.value;
        if (killed || text.split("\n").length < enough) continue;
        killed = true;
        child.kill("SIGKILL");
      }
      await child.status;
      acknowledged = Number(text.trim().split("\n").at(-1));
      const database = openDatabase(folder);
      const { n, last } = database.prepare("SELECT count(*) AS n, max(id) AS last FROM activity").get() as {
        n: number;
        last: number;
      };
      database.close();
      assert.ok(
        last >= acknowledged && n === last,
        `${acknowledged} acknowledged, ${n} there, the last is ${last}`,
      );
    }
    assert.ok(acknowledged > 40);
  }));

Deno.test("openDatabase() takes each noun's own steps once, and refuses a database that has more of them", () =>
  withFolder((folder) => {
    const steps = ["CREATE TABLE one (a TEXT) STRICT", "CREATE TABLE two (a TEXT) STRICT"];
    const open = (count: number, name = "notes") =>
      openDatabase(folder, [{ name, migrations: steps.slice(0, count) }]);
    const tables = (database: DatabaseSync) =>
      database.prepare("SELECT name FROM sqlite_schema WHERE name IN ('one', 'two') ORDER BY name").all()
        .map(({ name }) => name);
    const first = open(1);
    assert.deepEqual(tables(first), ["one"]);
    first.close();
    const second = open(2);
    assert.deepEqual(tables(second), ["one", "two"]);
    second.close();
    open(2).close();
    assert.deepEqual(
      [...Deno.readDirSync(folder)].filter(({ name }) => name.includes("before-upgrade")).length,
      1,
      "what was there is copied before the second step",
    );
    assert.throws(() => open(1), /version 2 of its tables of notes, this program knows 1\)/);
    open(2).close();
  }));

Deno.test("openDatabase() undoes a noun's step that fails, and takes none after it", () =>
  withFolder((folder) => {
    const broken = ["CREATE TABLE one (a TEXT) STRICT", "CREATE TABLE one (a TEXT) STRICT"];
    assert.throws(() => openDatabase(folder, [{ name: "notes", migrations: broken }]), StoreError);
    const database = openDatabase(folder, [{ name: "notes", migrations: broken.slice(0, 1) }]);
    assert.deepEqual({ ...database.prepare("SELECT * FROM noun_versions").get() }, {
      noun: "notes",
      version: 1,
    });
    database.close();
  }));
