import assert from "node:assert/strict";
import { DATABASE_FILE, KNOWN_VERSION, openDatabase, savedCopies } from "./database.ts";
import { databaseCopyName } from "../../lib/system/install/record.ts";
import { readTar, writeTar } from "../../lib/formats/tar/tar.ts";
import { inspectState, lastBackup, saveState, StateError } from "./state.ts";
import { putBack } from "./state_restore.ts";
import { inOwnProcess } from "../../tests/testbed/own_process.ts";
import { KeyFile, newKeyBytes } from "../sealing/key_file.ts";
import { Secrets } from "../sealing/secrets.ts";
import { SEALED } from "../sealing/places.ts";
import { skippedUnlessRoot } from "../../tests/testbed/skipped_unless.ts";

interface Bed {
  readonly folder: string;
  readonly place: { dataDir: string; config: string };
  readonly file: string;
}

async function withState(run: (bed: Bed) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const place = { dataDir: `${folder}/data`, config: `${folder}/etc/config.toml` };
    openDatabase(place.dataDir).close();
    mark(place.dataDir, "first");
    await Deno.mkdir(`${folder}/etc`);
    await Deno.writeTextFile(place.config, 'log-level = "warn"\n');
    await Deno.writeTextFile(`${place.dataDir}/tls.pem`, "a key", { mode: 0o600 });
    await run({ folder, place, file: `${folder}/saved.state` });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
function mark(dataDir: string, value: string): void {
  using database = openDatabase(dataDir);
  database.prepare("INSERT OR REPLACE INTO access VALUES ('test', 'mark', ?)").run(value);
}
function marked(dataDir: string): unknown {
  using database = openDatabase(dataDir);
  return Object.values(database.prepare("SELECT record FROM access WHERE kind = 'test'").get() ?? {})[0];
}
async function everything(folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile) found[name] = (await Deno.readFile(`${folder}/${name}`)).toBase64();
  }
  return found;
}

Deno.test("saveState() and putBack() bring back database, keys and settings, and keep the present ones aside", () =>
  withState(async ({ place, file }) => {
    using writer = openDatabase(place.dataDir); // it is in use, with a -wal file
    writer.exec("BEGIN");
    writer.exec("INSERT INTO access VALUES ('test', 'uncommitted', 'x')");
    const summary = await saveState(place, file);
    writer.exec("ROLLBACK");
    writer.close();
    assert.equal(summary.database, KNOWN_VERSION);
    assert.equal((await Deno.stat(file)).mode! & 0o777, 0o600);
    assert.equal((await lastBackup(place.dataDir))?.file, file);
    mark(place.dataDir, "second");
    await Deno.writeTextFile(`${place.dataDir}/tls.pem`, "another key");
    await Deno.writeTextFile(place.config, "");
    assert.equal((await inspectState(place, file)).createdAt, summary.createdAt);
    const { aside } = await putBack(place, file);
    assert.equal(marked(place.dataDir), "first");
    assert.equal(await Deno.readTextFile(`${place.dataDir}/tls.pem`), "a key");
    assert.equal(await Deno.readTextFile(place.config), 'log-level = "warn"\n');
    assert.equal(await Deno.readTextFile(`${aside}/tls.pem`), "another key");
    assert.equal(marked(aside), "second");
    for (const name of [DATABASE_FILE, "tls.pem"]) {
      assert.equal((await Deno.stat(`${place.dataDir}/${name}`)).mode! & 0o777, 0o600, name);
    }
  }));

Deno.test("putBack() forgets the operations that were under way when the state was saved", () =>
  withState(async ({ place, file }) => {
    const count = () => {
      using database = openDatabase(place.dataDir);
      return database.prepare("SELECT count(*) AS n FROM operations").get()?.n;
    };
    const begin = (id: string) => {
      using database = openDatabase(place.dataDir);
      database.prepare(
        "INSERT INTO operations (id, host, started_at, record) VALUES (?, 'qemu:///system', 1, '{}')",
      )
        .run(id);
    };
    begin("when-saved");
    await saveState(place, file);
    begin("since");
    assert.equal(count(), 2);
    await putBack(place, file);
    assert.equal(count(), 0);
    assert.equal(marked(place.dataDir), "first", "the rest is there");
  }));

Deno.test("saveState() writes nothing over, and leaves nothing behind where it fails", () =>
  withState(async ({ place, file }) => {
    await Deno.writeTextFile(file, "mine");
    await assert.rejects(saveState(place, file), /exists already/);
    assert.equal(await Deno.readTextFile(file), "mine");
    await assert.rejects(saveState(place, `${file}/no/folder`), StateError);
    await assert.rejects(saveState({ ...place, dataDir: `${place.dataDir}/none` }, `${file}2`), StateError);
    assert.deepEqual(
      (await Array.fromAsync(Deno.readDir(place.dataDir))).filter(({ name }) => /^\./.test(name)),
      [],
    );
  }));

Deno.test("putBack() refuses what is damaged, foreign or newer, and changes nothing then", () =>
  withState(async ({ place, file, folder }) => {
    await saveState(place, file);
    const whole = await Deno.readFile(file);
    const parts = readTar(whole);
    const entries = (change: (name: string, text: string) => string) =>
      [...parts].map(([name, content]) => ({
        name,
        mode: 0o600,
        content: name === "manifest.json"
          ? new TextEncoder().encode(change(name, new TextDecoder().decode(content)))
          : content,
      }));
    const flipped = whole.slice();
    flipped[5000]! ^= 0xff;
    const before = await everything(place.dataDir);
    const bad: Record<string, [Uint8Array, RegExp]> = {
      "flipped": [flipped, /damaged/],
      "cut": [whole.slice(0, whole.length / 2), /cut off/],
      "no state": [new TextEncoder().encode("hello ".repeat(200)), /cannot be put back/],
      "no manifest": [writeTar([{ name: "a", mode: 0o600, content: new Uint8Array(3) }]), /no manifest/],
      "newer": [
        writeTar(entries((_, text) => text.replace(/"database": \d+/, '"database": 999'))),
        /saved by a newer KVM Manager .*999/,
      ],
      "another sum": [
        writeTar(entries((_, text) => text.replace(/[0-9a-f]{64}/, "0".repeat(64)))),
        /is damaged/,
      ],
    };
    for (const [what, [bytes, says]] of Object.entries(bad)) {
      const path = `${folder}/${what}`;
      await Deno.writeFile(path, bytes);
      await assert.rejects(putBack(place, path), (error: Error) => {
        assert.ok(error instanceof StateError, what);
        assert.match(error.message, says);
        assert.match(error.message, /Nothing was changed/);
        return true;
      });
    }
    assert.deepEqual(await everything(place.dataDir), before);
  }));

Deno.test("openDatabase() copies a database before it brings it up to date, and putBack() takes that copy", () =>
  withState(async ({ place }) => {
    {
      using database = openDatabase(place.dataDir);
      // As a version before the last step left it; the last step's tables would be in the way
      const tables = database.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
      )
        .all().map(({ name }) => String(name)).filter((name) => name !== "access");
      for (const name of tables) database.exec(`DROP TABLE IF EXISTS ${name}`);
      database.exec("PRAGMA user_version = 1");
    }
    assert.throws(() => openDatabase(place.dataDir)); // the steps do not fit what was left: it says so
    assert.deepEqual(await savedCopies(place.dataDir), [databaseCopyName(1)]);
    const copy = `${place.dataDir}/${databaseCopyName(1)}`;
    assert.equal((await Deno.stat(copy)).mode! & 0o777, 0o600);
    assert.equal((await inspectState(place, copy)).database, 1);
    await putBack(place, copy);
    assert.ok((await savedCopies(place.dataDir)).includes(databaseCopyName(1)));
  }));

const AS_ROOT =
  "saveState() and putBack() as root follow no link that the service's user put into its folder (threat 4)";

Deno.test({
  name: AS_ROOT,
  ignore: skippedUnlessRoot(),
  fn: inOwnProcess(import.meta.url, AS_ROOT, () =>
    withState(async ({ place, file, folder }) => {
      const { dataDir } = place;
      const service = 65534;
      const target = `${folder}/root`;
      await Deno.chmod(folder, 0o711);
      await Deno.mkdir(target, { mode: 0o700 });
      await Deno.writeTextFile(`${target}/secret`, "root's own", { mode: 0o600 });
      await Deno.chown(dataDir, service, service);
      for await (const { name } of Deno.readDir(dataDir)) {
        await Deno.chown(`${dataDir}/${name}`, service, service);
      }
      const untouched = async () => {
        const { uid, mode } = await Deno.stat(`${target}/secret`);
        assert.deepEqual([uid, mode! & 0o777], [0, 0o600]);
        assert.equal(await Deno.readTextFile(`${target}/secret`), "root's own");
        assert.equal((await Deno.stat(target)).uid, 0);
      };
      const plant = (name: string, to: string) => Deno.symlink(to, `${dataDir}/${name}`);

      // The note of the last backup leads to a file of root's.
      await plant("last-backup.json", `${target}/secret`);
      await saveState(place, file);
      await untouched();
      await Deno.remove(`${dataDir}/last-backup.json`);

      // What is put back belongs to the service; nothing of root's is given to it.
      const { aside } = await putBack(place, file);
      for (const path of [aside, `${dataDir}/${DATABASE_FILE}`, `${dataDir}/tls.pem`]) {
        assert.equal((await Deno.stat(path)).uid, service, path);
      }

      // The database, or a copy of it, is a link to one of root's.
      openDatabase(target).close();
      await Deno.remove(`${dataDir}/${DATABASE_FILE}`);
      await plant(DATABASE_FILE, `${target}/${DATABASE_FILE}`);
      await assert.rejects(saveState(place, `${file}2`), StateError);
      await plant("copy.db", `${target}/${DATABASE_FILE}`);
      await assert.rejects(inspectState(place, `${dataDir}/copy.db`), StateError);
      await assert.rejects(putBack(place, `${dataDir}/copy.db`), StateError);
      await untouched();

      // The folder itself is a link.
      await Deno.symlink(target, `${folder}/link`);
      await new Deno.Command("chown", { args: ["-h", `${service}`, `${folder}/link`] }).output();
      await assert.rejects(saveState({ ...place, dataDir: `${folder}/link` }, `${file}3`), /symbolic link/);
      assert.equal(Deno.uid(), 0);
    })),
});

/** The names of users, tokens and forwards, and how many sessions there are. */
function access(dataDir: string) {
  using database = openDatabase(dataDir);
  const keys = (kind: string) =>
    database.prepare("SELECT key FROM access WHERE kind = ? ORDER BY key").all(kind).map(({ key }) => key);
  const forwards = database.prepare("SELECT id, enabled FROM port_forwards ORDER BY id").all();
  return {
    users: keys("user"),
    tokens: keys("token"),
    sessions: keys("session"),
    forwards: forwards.map(({ id, enabled }) => `${id} ${enabled}`),
  };
}

/** A state with accesses, and what a year of use has written. */
function fill(dataDir: string): void {
  using database = openDatabase(dataDir);
  database.exec(
    `INSERT INTO activity (timestamp, actor, door, action, result) VALUES (1, 'ann', 'page', 'create_user', 'ok');
     INSERT INTO access VALUES ('user', 'u1', '{"name":"ann","disabled":false,"password":"old"}'),
       ('user', 'u2', '{"name":"eve","disabled":false}'), ('token', 't1', '{"name":"ci"}'),
       ('token', 't2', '{"name":"lost"}'), ('session', 's1', '{}');
     INSERT INTO port_forwards (id, network, protocol, host_port, host_port_end, target_port, enabled, created_at)
       VALUES ('f1', 'default', 'tcp', 22, 22, 22, 1, 1), ('f2', 'default', 'tcp', 80, 80, 80, 1, 1);`,
  );
}

/** Revokes access after a state was saved. */
function revoke(dataDir: string): void {
  using database = openDatabase(dataDir);
  database.exec(
    `INSERT INTO activity (timestamp, actor, door, action, result) VALUES (2, 'ann', 'page', 'delete_user', 'ok');
     UPDATE access SET record = '{"name":"ann","disabled":true,"password":"new"}' WHERE key = 'u1';
     DELETE FROM access WHERE key IN ('u2', 't2');
     DELETE FROM port_forwards WHERE id = 'f2';
     UPDATE port_forwards SET enabled = 0 WHERE id = 'f1';`,
  );
}

const recordOf = (dataDir: string, key: string) => {
  using database = openDatabase(dataDir);
  return String(database.prepare("SELECT record FROM access WHERE key = ?").get(key)?.record);
};

Deno.test("putBack() keeps revoked what was revoked since, and ends every session", () =>
  withState(async ({ place, file }) => {
    fill(place.dataDir);
    await saveState(place, file);
    revoke(place.dataDir);
    const { revoked } = await putBack(place, file);
    assert.deepEqual(revoked, {
      isKnown: true,
      users: ["eve"],
      tokens: ["lost"],
      forwards: ["tcp 80 of default"],
    });
    assert.deepEqual(access(place.dataDir), {
      users: ["u1"],
      tokens: ["t1"],
      sessions: [],
      forwards: ["f1 0"],
    });
    assert.match(recordOf(place.dataDir, "u1"), /"disabled":true,"password":"new"/);
  }));

Deno.test("putBack() brings all of it back where that is wanted, or nothing tells what was revoked", () =>
  withState(async ({ place, file }) => {
    fill(place.dataDir);
    await saveState(place, file);
    revoke(place.dataDir);
    const all = { users: ["u1", "u2"], tokens: ["t1", "t2"], forwards: ["f1 1", "f2 1"] };
    assert.equal((await putBack(place, file, true)).revoked, undefined);
    assert.deepEqual(access(place.dataDir), { ...all, sessions: ["s1"] });
    // A new setup in its place: nothing of it was revoked there
    await Deno.remove(place.dataDir, { recursive: true });
    openDatabase(place.dataDir).close();
    const { revoked } = await putBack(place, file);
    assert.equal(revoked?.isKnown, false);
    assert.deepEqual(access(place.dataDir), { ...all, sessions: [] });
    await Deno.writeTextFile(`${place.dataDir}/${DATABASE_FILE}`, "no database");
    assert.equal((await putBack(place, file)).revoked?.isKnown, false);
  }));

const PASSPHRASE = "a passphrase that is long enough", COST = { logN: 14, r: 8, p: 1 };

Deno.test("putBack() that fails leaves the key as it was: one that can be read, one that cannot, and none", () =>
  withState(async ({ folder, place, file }) => {
    const keys = new KeyFile(place.dataDir, () => undefined), path = `${place.dataDir}/key/encryption.keys`;
    keys.write([newKeyBytes()]);
    await saveState(place, file, { passphrase: PASSPHRASE, cost: COST });
    // A state that is whole by its checksums, and its database is none
    const parts = readTar(await Deno.readFile(file)),
      manifest = JSON.parse(
        new TextDecoder().decode(parts.get("manifest.json")),
      );
    const broken = new TextEncoder().encode("SQLite format 3\0 and nothing else".repeat(100));
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", broken)).toHex();
    manifest.parts[`data/${DATABASE_FILE}`] = hash;
    parts.set(`data/${DATABASE_FILE}`, broken);
    parts.set("manifest.json", new TextEncoder().encode(JSON.stringify(manifest)));
    const bad = `${folder}/bad.state`;
    await Deno.writeFile(
      bad,
      writeTar([...parts].map(([name, content]) => ({ name, mode: 0o600, content }))),
    );
    const other = JSON.stringify({
      kind: "kvm-manager-encryption-keys",
      version: 1,
      keys: ["ab".repeat(32)],
    });
    const before: Record<string, () => Promise<void>> = {
      "one that can be read": () => Deno.writeTextFile(path, other),
      "one that cannot": () => Deno.writeTextFile(path, "damaged"),
      none: () => Deno.remove(path),
    };
    for (const [what, make] of Object.entries(before)) {
      await make();
      const was = await everything(`${place.dataDir}/key`);
      await assert.rejects(putBack(place, bad, false, { passphrase: PASSPHRASE }), StateError, what);
      const is = await everything(`${place.dataDir}/key`);
      if (what === "one that can be read") {
        assert.deepEqual(keys.read(), [Uint8Array.fromHex("ab".repeat(32))]);
      } else assert.deepEqual(is, was, what);
      assert.equal(marked(place.dataDir), "first");
    }
  }));

Deno.test("saveState() while its key is replaced has one key for all of it", () =>
  withState(async ({ folder, place, file }) => {
    const secrets = new Secrets(place.dataDir, () => undefined), id = "u1";
    using database = openDatabase(place.dataDir);
    const record = { id, name: "ann", totp: { secret: "planted" } };
    database.prepare("INSERT INTO access VALUES ('user', ?, ?)").run(
      id,
      JSON.stringify(secrets.closed(SEALED.users, id, record)),
    );
    // Between the copy of the database and the look at the key
    const read = Deno.readFile;
    let rotations = 0;
    Deno.readFile = (path, options) => {
      if (String(path) === place.config && rotations++ === 0) secrets.rotate(database);
      return read(path, options);
    };
    try {
      await saveState(place, file, { passphrase: PASSPHRASE, cost: COST });
    } finally {
      Deno.readFile = read;
    }
    assert.equal(rotations, 2);
    const there = { dataDir: `${folder}/there`, config: `${folder}/there.toml` };
    assert.deepEqual((await putBack(there, file, false, { passphrase: PASSPHRASE })).unread, []);
  }));
