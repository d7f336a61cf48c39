import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { ContractError } from "../../lib/contract/errors.ts";
import { hasSecondFactor, type UserRecord } from "../access/records.ts";
import { alertFeature } from "../alerts/feature.ts";
import { AlertRecords, type AlertTargetRecord } from "../alerts/records.ts";
import { backupFeature } from "../backups/feature.ts";
import { type TargetRecord, TargetRecords } from "../backups/target_records.ts";
import { hostFeature } from "../hosts/feature.ts";
import { HostRecords } from "../hosts/records.ts";
import { setLogLevel } from "../log.ts";
import { metricsFeature } from "../metrics/feature.ts";
import { findTool, runTool } from "../network/forwards/tools.ts";
import { Records } from "../store/records.ts";
import { Store } from "../store/store.ts";
import { aesKey, decrypt, decryptNow, encrypt, encryptNow } from "./aes_gcm.ts";
import { givenCredential, hostCredential, KeyFile, KeyFileError, newKeyBytes } from "./key_file.ts";
import { SEALED } from "./places.ts";
import { fileSealing } from "./secrets.ts";
import { isSealed } from "./sealed_values.ts";

setLogLevel("error"); // what is sealed is told
const FAR = { id: "far", label: "Far", uri: "qemu+tls://far/system", added: 1, isEnabled: true };
const TARGET = {
  ...{
    id: "t1",
    name: "Ops",
    channel: "webhook",
    enabled: true,
    minSeverity: "warning",
    setBy: "ann",
  } as const,
  privateAddresses: false,
  url: "https://hooks.example/services/WEBHOOK-SECRET",
  secret: "sealed:1.not really",
};
const PUSH = {
  enabled: true,
  url: "https://otlp.example/PUSH-SECRET",
  headers: [["x-key", "HEADER-SECRET"]],
};
const USER = {
  id: "u1",
  name: "ann",
  totp: { secret: "TOTPSECRETTOTPSECRET", lastStep: 7 },
  recovery: ["hash"],
};
const BACKUP = { id: "b1", name: "offsite", kind: "s3", secretKey: "S3-SECRET", dataKey: "DATA-KEY-SECRET" };
const PASSWORD = "HOST-PASSWORD-SECRET";
const PLAIN = [
  ...["WEBHOOK-SECRET", "sealed:1.not really", "PUSH-SECRET", "HEADER-SECRET", "TOTPSECRETTOTPSECRET"],
  ...["S3-SECRET", "DATA-KEY-SECRET", PASSWORD, "PRIVATE KEY"],
];

const NOUNS = [alertFeature, metricsFeature, hostFeature, backupFeature].map(({ name, migrations = [] }) => ({
  name,
  migrations,
}));

/** A store, and what is read of it. */
function world(dataDir: string) {
  const store = new Store(dataDir, () => {}, NOUNS), alerts = new AlertRecords(store);
  alerts.attach(() => {});
  return {
    store,
    alerts,
    hosts: new HostRecords(store),
    access: new Records(store),
    backups: new TargetRecords(store),
    [Symbol.dispose]: () => store.close(),
  };
}
type World = ReturnType<typeof world>;

async function inFolder(run: (dataDir: string) => void | Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await run(`${folder}/data`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const pem = () => String(generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }));

/** Secrets as a version before this kept them: in the clear, some deleted or replaced since. */
function plant(dataDir: string): string {
  {
    using open = world(dataDir);
    const { database } = open.store;
    database!.exec("PRAGMA secure_delete = OFF");
    const put = (sql: string, ...values: string[]) => database!.prepare(sql).run(...values);
    put(
      "INSERT INTO hosts (id, label, uri, added, login) VALUES ('far', 'Far', ?, 1, ?)",
      FAR.uri,
      JSON.stringify({ username: "ann", password: PASSWORD, since: 5 }),
    );
    put("INSERT INTO alert_targets VALUES ('t1', ?)", JSON.stringify(TARGET));
    put("INSERT INTO backup_targets VALUES ('b1', ?)", JSON.stringify(BACKUP));
    put("INSERT INTO metrics_push VALUES (1, ?)", JSON.stringify(PUSH));
    put("INSERT INTO access VALUES ('user', 'u1', ?)", JSON.stringify(USER));
    // Free pages have what was deleted
    for (let at = 0; at < 200; at++) {
      put(
        "INSERT INTO alert_targets VALUES (?, ?)",
        `gone${at}`,
        JSON.stringify({ ...TARGET, id: `gone${at}` }),
      );
    }
    database!.exec("DELETE FROM alert_targets WHERE id LIKE 'gone%'");
  }
  const key = pem();
  Deno.writeTextFileSync(`${dataDir}/link.key`, key, { mode: 0o600 });
  return key;
}

/** The planted secrets that files of a folder hold, the -wal file of a database in use too. */
function found(folder: string, secrets: readonly string[] = PLAIN): string[] {
  const hits: string[] = [];
  for (const { name, isFile, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) hits.push(...found(`${folder}/${name}`, secrets));
    if (!isFile) continue;
    const text = new TextDecoder("latin1").decode(Deno.readFileSync(`${folder}/${name}`));
    hits.push(...secrets.filter((secret) => text.includes(secret)).map((secret) => `${secret} in ${name}`));
  }
  return hits;
}

/** Compares the records with the planted ones. */
function assertRead({ alerts, hosts, access, backups, store }: World): void {
  const target = alerts.targets.get("t1")!;
  assert.deepEqual([target.url, target.secret, target.unread], [TARGET.url, TARGET.secret, undefined]);
  assert.deepEqual(hosts.get("far")?.login, { username: "ann", password: PASSWORD, since: 5 });
  assert.deepEqual(access.of("user").get("u1"), USER);
  assert.deepEqual(backups.get("b1") as unknown, BACKUP);
  const push = store.database!.prepare("SELECT record FROM metrics_push").get()!.record;
  assert.deepEqual(store.secrets.opened(SEALED.metricsPush, "1", JSON.parse(String(push))), PUSH);
}
const keyFileOf = (dataDir: string) => `${dataDir}/key/encryption.keys`;

Deno.test("AES-GCM at once and by Web Crypto are one format, bound to what it is about", async () => {
  const key = newKeyBytes(), bytes = new TextEncoder().encode("a secret"), far = await aesKey(key);
  assert.deepEqual(await decrypt(far, "a", encryptNow(key, "a", bytes)), bytes);
  assert.deepEqual(decryptNow(key, "a", await encrypt(far, "a", bytes)), bytes);
  assert.deepEqual(decryptNow(key, "a", encryptNow(key, "a", new Uint8Array())), new Uint8Array());
  const closed = encryptNow(key, "a", bytes);
  assert.equal(decryptNow(key, "b", closed), undefined);
  assert.equal(decryptNow(newKeyBytes(), "a", closed), undefined);
  for (const length of [0, 5, 27, closed.length - 1]) {
    assert.equal(decryptNow(key, "a", closed.subarray(0, length)), undefined, `${length} bytes`);
  }
  closed[20]! ^= 1;
  assert.equal(decryptNow(key, "a", closed), undefined);
});

Deno.test("Store seals what is in the clear at its start, and nothing of that stays in any file", () =>
  inFolder((dataDir) => {
    const key = plant(dataDir);
    assert.ok(found(dataDir).length >= PLAIN.length, "what is looked for is found");
    using open = world(dataDir);
    assertRead(open);
    assert.deepEqual(found(dataDir), []);
    assert.equal(
      open.store.secrets.openedText("link.key", Deno.readTextFileSync(`${dataDir}/link.key`)),
      key,
    );
    for (const file of [`${dataDir}/link.key`, keyFileOf(dataDir)]) {
      assert.equal(Deno.statSync(file).mode! & 0o777, 0o600, file);
    }
    assert.equal(Deno.statSync(`${dataDir}/key`).mode! & 0o777, 0o700);
    assert.deepEqual([...Deno.readDirSync(`${dataDir}/key`)].map(({ name }) => name), ["encryption.keys"]);
    assert.deepEqual(open.store.secrets.unread(open.store.database!), []);
  }));

Deno.test("what is put is sealed, and read again after a restart", () =>
  inFolder((dataDir) => {
    {
      using open = world(dataDir);
      assert.equal(Deno.readDirSync(dataDir)[Symbol.iterator]().next().done, false);
      assert.throws(() => Deno.statSync(keyFileOf(dataDir)), Deno.errors.NotFound, "no key before a secret");
      open.hosts.put({ ...FAR, login: { username: "ann", password: PASSWORD, since: 5 } });
      open.alerts.put(open.alerts.targets, TARGET as AlertTargetRecord);
      open.backups.put(BACKUP as unknown as TargetRecord);
      open.access.commit([{ kind: "user", key: "u1", record: USER }]);
      const push = JSON.stringify(open.store.secrets.closed(SEALED.metricsPush, "1", PUSH));
      open.store.write(() =>
        open.store.database!.prepare("INSERT INTO metrics_push VALUES (1, ?)").run(push)
      );
      assert.deepEqual(found(dataDir), []);
    }
    using again = world(dataDir);
    assertRead(again);
  }));

Deno.test("a sealed value opens nothing in another row, field or table", () =>
  inFolder((dataDir) => {
    {
      using open = world(dataDir);
      for (const id of ["t1", "t2"]) {
        open.alerts.put(open.alerts.targets, { ...TARGET, id, secret: `of ${id}` } as AlertTargetRecord);
      }
      const { database } = open.store;
      const of = (id: string) =>
        JSON.parse(
          String(database!.prepare("SELECT record FROM alert_targets WHERE id = ?").get(id)!.record),
        );
      const put = (id: string, record: unknown) =>
        database!.prepare("UPDATE alert_targets SET record = ? WHERE id = ?").run(JSON.stringify(record), id);
      const [one, two] = [of("t1"), of("t2")];
      assert.ok(isSealed(one.secret));
      put("t1", { ...one, secret: two.secret });
      put("t2", { ...two, secret: two.url });
    }
    setLogLevel("error");
    using again = world(dataDir);
    const { targets } = again.alerts;
    assert.deepEqual([targets.get("t1")?.secret, targets.get("t1")?.url], [undefined, TARGET.url]);
    assert.deepEqual(targets.get("t2")?.secret, undefined);
    assert.equal(again.store.secrets.unread(again.store.database!).length, 1, "by the target's name");
  }));

Deno.test("without the key all else works: what cannot be read is named, kept, and read once the key is back", () =>
  inFolder((dataDir) => {
    plant(dataDir);
    world(dataDir)[Symbol.dispose]();
    const aside = `${dataDir}/../keys`;
    Deno.renameSync(keyFileOf(dataDir), aside);
    {
      using open = world(dataDir);
      const { alerts, hosts, access, backups, store } = open;
      assert.match(store.secrets.fault!, /encryption\.keys is missing/);
      assert.deepEqual(
        store.secrets.unread(store.database!).map(({ what }) => what).sort(),
        [
          "address and headers for sending metrics",
          "key for linked hosts",
          "one-time codes of the user ann",
          "password of the host Far",
          "secrets of the alert target Ops",
          "secrets of the backup target offsite",
        ],
      );
      assert.throws(
        () => store.secrets.openedText("link.key", Deno.readTextFileSync(`${dataDir}/link.key`)),
        (error) => error instanceof ContractError && error.code === "SecretUnreadable",
      );
      // What has nothing to do with it is changed, and the secrets stay what they are
      const target = alerts.targets.get("t1")!;
      alerts.put(alerts.targets, { ...target, name: "Ops 2" });
      hosts.put({ ...hosts.get("far")!, label: "Far 2" });
      backups.put({ ...backups.get("b1")!, name: "offsite 2" });
      access.commit([{
        kind: "user",
        key: "u1",
        record: { ...access.of<object>("user").get("u1"), name: "bob" },
      }]);
      assert.equal((access.of<UserRecord>("user").get("u1"))?.totp?.secret, undefined);
      assert.ok(
        hasSecondFactor(access.of<UserRecord>("user").get("u1")!),
        "a password alone opens nothing still",
      );
      assert.throws(
        () => alerts.put(alerts.targets, { ...target, secret: "new" }),
        (error) => error instanceof ContractError && error.code === "EncryptionKeyMissing",
      );
      assert.throws(
        () => Deno.statSync(keyFileOf(dataDir)),
        Deno.errors.NotFound,
        "no other key is made by itself",
      );
    }
    Deno.renameSync(aside, keyFileOf(dataDir));
    using again = world(dataDir);
    assert.equal(again.alerts.targets.get("t1")?.name, "Ops 2");
    assert.equal(again.alerts.targets.get("t1")?.secret, TARGET.secret);
    assert.equal(again.hosts.get("far")?.login?.password, PASSWORD);
    assert.equal(again.backups.get("b1")?.dataKey, BACKUP.dataKey);
    assert.deepEqual(again.access.of<UserRecord>("user").get("u1")?.totp, USER.totp);
  }));

Deno.test("a new key where the one before is lost: new secrets are kept, old ones stay for the key that may come back", () =>
  inFolder((dataDir) => {
    plant(dataDir);
    world(dataDir)[Symbol.dispose]();
    const before = Deno.readTextFileSync(keyFileOf(dataDir));
    Deno.writeTextFileSync(keyFileOf(dataDir), "{ damaged");
    {
      using open = world(dataDir);
      const { store, alerts } = open;
      assert.match(store.secrets.fault!, /is damaged/);
      store.secrets.rotate(store.database!);
      assert.equal(store.secrets.fault, undefined);
      assert.equal(store.secrets.unread(store.database!).length, 6);
      alerts.put(alerts.targets, { ...alerts.targets.get("t1")!, secret: "new", url: TARGET.url });
      assert.equal(alerts.targets.get("t1")?.unread, undefined);
    }
    const kept = [...Deno.readDirSync(`${dataDir}/key`)].map(({ name }) => name).sort();
    assert.match(kept.join(" "), /^encryption\.keys encryption\.keys\.unreadable-\S+$/);
    {
      using again = world(dataDir);
      assert.equal(again.alerts.targets.get("t1")?.secret, "new");
      assert.equal(again.store.secrets.unread(again.store.database!).length, 5);
    }
    // The file of before, put back next to the new key
    const [one, two] = [before, Deno.readTextFileSync(keyFileOf(dataDir))].map((text) => JSON.parse(text));
    Deno.writeTextFileSync(keyFileOf(dataDir), JSON.stringify({ ...two, keys: [...two.keys, ...one.keys] }));
    using last = world(dataDir);
    assert.deepEqual(last.store.secrets.unread(last.store.database!), []);
    assert.equal(last.backups.get("b1")?.secretKey, BACKUP.secretKey);
    assert.equal(JSON.parse(Deno.readTextFileSync(keyFileOf(dataDir))).keys.length, 1, "one key is left");
  }));

Deno.test("a rotation seals everything with another key; one that was cut short is finished by the next start", () =>
  inFolder((dataDir) => {
    plant(dataDir);
    let first: string;
    {
      using open = world(dataDir);
      const { store } = open;
      first = Deno.readTextFileSync(keyFileOf(dataDir));
      const id = store.secrets.keyId;
      assert.notEqual(store.secrets.rotate(store.database!), id);
      assertRead(open);
      assert.deepEqual(found(dataDir, [`1.${id}.`]), []);
      assert.notEqual(Deno.readTextFileSync(keyFileOf(dataDir)), first);
      open.alerts.put(open.alerts.targets, open.alerts.targets.get("t1")!);
      assert.equal(fileSealing(dataDir).keyId, store.secrets.keyId);
    }
    // Killed once the new key was written, before anything was sealed with it
    const present = JSON.parse(Deno.readTextFileSync(keyFileOf(dataDir)));
    const keys = [newKeyBytes().toHex(), ...present.keys];
    Deno.writeTextFileSync(keyFileOf(dataDir), JSON.stringify({ ...present, keys }));
    using again = world(dataDir);
    assertRead(again);
    assert.deepEqual(JSON.parse(Deno.readTextFileSync(keyFileOf(dataDir))).keys, [keys[0]]);
    assert.deepEqual(again.store.secrets.unread(again.store.database!), []);
  }));

Deno.test("a start removes the copies of keys that a killed replacement left, and nothing else", () =>
  inFolder((dataDir) => {
    plant(dataDir);
    world(dataDir)[Symbol.dispose]();
    const left = [`${keyFileOf(dataDir)}.0123abcd`, `${dataDir}/link.key.89abcdef`];
    const kept = [`${keyFileOf(dataDir)}.unreadable-2026-01-01T00-00-00-000Z`, `${dataDir}/link.key.mine`];
    Deno.mkdirSync(`${dataDir}/key/encryption.keys.aaaaaaaa`);
    for (const path of [...left, ...kept]) Deno.copyFileSync(keyFileOf(dataDir), path);
    // Whoever keeps a second name of such a file has an empty one then
    Deno.linkSync(left[0]!, `${dataDir}/other`);
    using open = world(dataDir);
    assertRead(open);
    const there = (path: string) => Deno.statSync(path).isFile;
    for (const path of left) assert.throws(() => there(path), Deno.errors.NotFound);
    assert.ok(kept.every(there));
    assert.match(Deno.readTextFileSync(`${dataDir}/other`), /^\0+$/);
  }));

Deno.test("KeyFile is sealed with the credential of systemd, and opens with no other", () =>
  inFolder((dataDir) => {
    const [one, other] = [newKeyBytes(), newKeyBytes()], keys = [newKeyBytes()] as const;
    const plain = new KeyFile(dataDir, () => undefined);
    plain.write(keys);
    assert.deepEqual([plain.isSealed, plain.read()], [false, keys]);
    const sealed = new KeyFile(dataDir, () => one);
    sealed.sealIfPlain();
    assert.equal(sealed.isSealed, true);
    assert.ok(!Deno.readTextFileSync(sealed.path).includes(keys[0].toHex()));
    assert.deepEqual(sealed.read(), keys);
    assert.throws(
      () => new KeyFile(dataDir, () => other).read(),
      /is not sealed with the systemd credential/,
    );
    assert.throws(() => plain.read(), /which this process was not given/);
    for (
      const text of ["", "null", "[]", '{"kind":"x"}', '{"kind":"kvm-manager-encryption-keys","version":1}']
    ) {
      Deno.writeTextFileSync(sealed.path, text);
      assert.throws(() => sealed.read(), KeyFileError, text);
    }
    Deno.writeTextFileSync(sealed.path, '{"kind":"kvm-manager-encryption-keys","version":2,"keys":[]}');
    assert.throws(() => sealed.read(), /newer KVM Manager/);
  }));

Deno.test("givenCredential() takes what systemd gives, and nothing that is too short", () =>
  inFolder((folder) => {
    Deno.mkdirSync(folder);
    assert.equal(givenCredential(undefined), undefined);
    assert.equal(givenCredential(folder), undefined);
    Deno.writeTextFileSync(`${folder}/kvm-manager.encryption-key`, "0123456789abcdef");
    assert.equal(givenCredential(folder)?.length, 16);
    Deno.writeTextFileSync(`${folder}/kvm-manager.encryption-key`, "short");
    assert.throws(() => givenCredential(folder), KeyFileError);
  }));

Deno.test({
  name: "hostCredential() has systemd open what it has sealed for this host",
  ignore: Deno.uid() !== 0 || await findTool("systemd-creds") === undefined,
  fn: () =>
    inFolder(async (folder) => {
      await Deno.mkdir(folder);
      const file = `${folder}/credential`, secret = newKeyBytes().toHex();
      await runTool("systemd-creds", ["encrypt", "--name=kvm-manager.encryption-key", "-", file], secret);
      assert.ok(!new TextDecoder("latin1").decode(await Deno.readFile(file)).includes(secret));
      assert.deepEqual(await hostCredential(file), new TextEncoder().encode(secret));
      assert.equal(await hostCredential(`${folder}/none`), undefined);
      await Deno.writeTextFile(file, "nonsense");
      await assert.rejects(hostCredential(file), KeyFileError);
    }),
});
