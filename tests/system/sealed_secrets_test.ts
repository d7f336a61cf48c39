/** Secrets at rest: sealed with a key outside the database, replaced, lost, and taken to another host with the state. */
import assert from "node:assert/strict";
import { walk } from "../../scripts/project.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { testFolder } from "../testbed/folder.ts";
import { call, refused } from "../testbed/product.ts";
import { startServer, type TestServer } from "../testbed/server.ts";

const URI = "test:///default";
const SECRETS = {
  webhook: "PLANTED-WEBHOOK-7741",
  bearer: "PLANTED-BEARER-1187",
  header: "PLANTED-HEADER-3306",
  passphrase: "planted passphrase of the copies 5528",
};
const STATE_PASSPHRASE = "planted passphrase of the state 9043";

/** Files below a folder that hold a text. */
async function holding(folder: string, text: string): Promise<string[]> {
  const found: string[] = [];
  for (const { path, isFile } of await walk(folder)) {
    if (!isFile || !(await Deno.lstat(path)).isFile) continue;
    if (new TextDecoder("latin1").decode(await Deno.readFile(path)).includes(text)) found.push(path);
  }
  return found;
}

const encryptionKey = async (server: TestServer) =>
  (await call(server, "list_credentials")).find(({ kind }) => kind === "encryption-key");

/** All that was planted is there, and can be used. */
async function assertUsable(server: TestServer): Promise<void> {
  assert.deepEqual((await encryptionKey(server))?.faults, []);
  const [target] = await call(server, "list_backup_targets");
  assert.equal(
    typeof (await call(server, "test_backup_target", { backupTargetId: target!.id })).milliseconds,
    "number",
  );
  const [alert] = await call(server, "list_alert_targets");
  assert.deepEqual([alert?.hasSecret, alert?.address], [true, "https://hooks.example.com"]);
  const push = await call(server, "get_metric_push");
  assert.deepEqual([push.address, push.headers, push.trouble], [
    "https://otlp.example.com",
    ["x-key"],
    undefined,
  ]);
}

Deno.test("secrets are sealed at rest; their key is replaced, lost and found, and goes with a state by a passphrase", async (t) => {
  await using folder = await testFolder();
  const dataDir = `${folder.path}/data`, keys = `${dataDir}/key/encryption.keys`;
  const start = (dir = dataDir) => startServer({ uri: URI, dataDir: dir, logLevel: "debug" });
  const cli = new CommandLine({});
  for (const dir of [dataDir, `${folder.path}/other`, `${folder.path}/third`]) {
    await Deno.writeTextFile(`${dir}.toml`, "");
  }
  const onState = (verb: string, file: string, { dir = dataDir, more = [] as string[], stdin = "" } = {}) =>
    cli.run([verb, `${folder.path}/${file}`, "--data-dir", dir, "--config", `${dir}.toml`, ...more], stdin);
  const plain = ["--passphrase-file", "-"];
  let publicKey = "";
  const said: string[] = [];

  await t.step("nothing of them is in any file, in the log or the audit", async () => {
    await using server = await start();
    await call(server, "create_alert_target", {
      name: "Ops",
      channel: "webhook",
      url: `https://hooks.example.com/${SECRETS.webhook}`,
      secret: SECRETS.bearer,
    });
    const copies = `${folder.path}/copies`;
    await Deno.mkdir(copies);
    await call(server, "create_backup_target", {
      name: "offsite",
      kind: "folder",
      folder: copies,
      passphrase: SECRETS.passphrase,
    });
    await call(server, "update_metric_push", {
      url: "https://otlp.example.com/in",
      headers: `x-key: ${SECRETS.header}`,
    });
    publicKey = (await call(server, "get_ssh_key")).publicKey;
    const all = await call(server, "list_credentials");
    assert.equal(all.find(({ kind }) => kind === "encryption-key")?.place, keys);
    assert.equal((await Deno.stat(keys)).mode! & 0o777, 0o600);
    await assertUsable(server);
    const audit = JSON.stringify([all, await call(server, "get_audit_log", { limit: 500 })]);
    for (const secret of [...Object.values(SECRETS), "PRIVATE KEY-----"]) {
      assert.deepEqual(await holding(dataDir, secret), [], secret);
      assert.equal(audit.includes(secret) || server.log().includes(secret), false, secret);
    }
    const page = await (await fetch(`${server.url}/settings/credentials`)).text();
    assert.match(page, /Encryption key of the secrets kept here/);
    // As ssh reads it: for root alone, and only while KVM Manager runs
    const open = await holding(server.runtimeDir, "PRIVATE KEY-----");
    assert.deepEqual(open, [`${server.runtimeDir}/ssh-key`]);
    assert.equal((await Deno.stat(open[0]!)).mode! & 0o777, 0o600);
  });

  await t.step(
    "a state without a passphrase has no key, and says what must be given again elsewhere",
    async () => {
      await using _server = await start();
      const { status, out } = await onState("backup-state", "plain.state");
      assert.equal(status, 0, out);
      assert.match(out, /on this host alone.*secrets of the alert target Ops.*backup target offsite/s);
      assert.deepEqual(await holding(folder.path, "encryption.keys"), [], "its key is not in it");
      const sealed = await onState("backup-state", "whole.state", {
        more: plain,
        stdin: `${STATE_PASSPHRASE}\n`,
      });
      assert.equal(sealed.status, 0, sealed.err);
      assert.match(sealed.out, /with the passphrase alone/);
      for (const secret of [...Object.values(SECRETS), STATE_PASSPHRASE, "PRIVATE KEY-----"]) {
        assert.deepEqual(await holding(folder.path, secret), [], secret);
      }
      const short = await onState("backup-state", "short.state", { more: plain, stdin: "short" });
      assert.deepEqual([short.status, /fewer than 12/.test(short.err)], [1, true]);
    },
  );

  await t.step(
    "another key takes its place; a state of before is read with its passphrase alone",
    async () => {
      await using server = await start();
      const before = await Deno.readTextFile(keys);
      const { publicKey: id } = await call(server, "rotate_credential", { credentialId: "encryption-key" });
      assert.match(id, /^[0-9a-f]{16}$/);
      assert.notEqual(await Deno.readTextFile(keys), before);
      await assertUsable(server);
      assert.equal((await call(server, "get_ssh_key")).publicKey, publicKey);
    },
  );

  await t.step("with another key: it starts, says what cannot be read, and VMs are managed", async () => {
    const kept = await Deno.readTextFile(keys);
    await Deno.remove(keys);
    {
      await using server = await start();
      said.push(server.log());
      assert.match(
        server.log(),
        /a secret cannot be read.*secrets of the alert target Ops.*put the key back in/,
      );
      const [vm] = (await call(server, "get_vms")).filter(({ name }) => name === "test");
      await call(server, "pause_vm", { vmId: vm!.id });
      await call(server, "resume_vm", { vmId: vm!.id });
      const { attention } = await call(server, "get_host_info");
      assert.match(attention.join("\n"), /Secrets kept here cannot be read: .*alert target Ops/);
      const { faults } = (await encryptionKey(server))!;
      assert.deepEqual(faults.map(({ host }) => host).sort(), [
        ...["SSH key for hosts", "address and headers for sending metrics", "key for linked hosts"],
        ...["secrets of the alert target Ops", "secrets of the backup target offsite"],
      ]);
      assert.match(
        faults[0]!.reason,
        /encryption\.keys is missing\. Put the key back in .*restart KVM Manager, or/,
      );
      const [target] = await call(server, "list_backup_targets");
      const test = () => call(server, "test_backup_target", { backupTargetId: target!.id });
      await refused(test(), "SecretUnreadable", /secrets of the backup target offsite cannot be read/);
      const [alert] = await call(server, "list_alert_targets");
      assert.equal(alert?.hasSecret, true);
      await refused(
        call(server, "test_alert_target", { targetId: alert!.id }),
        "AlertNotDelivered",
        /cannot be read/,
      );
      await refused(
        call(server, "create_alert_target", {
          name: "More",
          channel: "webhook",
          url: "https://hooks.example.com/more",
        }),
        "EncryptionKeyMissing",
        /encryption\.keys is missing/,
      );
      await call(server, "update_alert_target", { targetId: alert!.id, name: "Operations" });
    }
    await Deno.writeTextFile(keys, kept, { mode: 0o600 });
    await using again = await start();
    await assertUsable(again);
    assert.equal((await call(again, "list_alert_targets"))[0]?.name, "Operations");
  });

  await t.step("without it for good: a new key is made, and what is given again works", async () => {
    await Deno.rename(keys, `${folder.path}/lost.keys`);
    await using server = await start();
    await call(server, "rotate_credential", { credentialId: "encryption-key" });
    const [target] = await call(server, "list_backup_targets"), backupTargetId = target!.id;
    await refused(call(server, "test_backup_target", { backupTargetId }), "SecretUnreadable");
    await refused(
      call(server, "update_backup_target", { backupTargetId, passphrase: "not the right passphrase" }),
      "BackupPassphraseWrong",
    );
    await call(server, "update_backup_target", { backupTargetId, passphrase: SECRETS.passphrase });
    await call(server, "test_backup_target", { backupTargetId });
    const [alert] = await call(server, "list_alert_targets"), targetId = alert!.id;
    const url = `https://hooks.example.com/${SECRETS.webhook}`;
    await call(server, "update_alert_target", { targetId, url, secret: SECRETS.bearer });
    await call(server, "update_metric_push", {
      url: "https://otlp.example.com/in",
      headers: `x-key: ${SECRETS.header}`,
    });
    const { faults } = (await encryptionKey(server))!;
    assert.deepEqual(faults.map(({ host }) => host).sort(), ["SSH key for hosts", "key for linked hosts"]);
  });

  await t.step("a state goes to another host with its passphrase, and is whole there", async () => {
    const dir = `${folder.path}/other`;
    const wrong = await onState("restore-state", "whole.state", {
      dir,
      more: ["--yes", ...plain],
      stdin: "not the right passphrase",
    });
    assert.deepEqual(
      [wrong.status, /the passphrase does not open the key/.test(wrong.err)],
      [1, true],
      wrong.err,
    );
    const { status, out, err } = await onState("restore-state", "whole.state", {
      dir,
      more: ["--yes", ...plain],
      stdin: STATE_PASSPHRASE,
    });
    assert.equal(status, 0, err);
    assert.doesNotMatch(out, /cannot be read/);
    await using server = await start(dir);
    await assertUsable(server);
    assert.equal((await call(server, "get_ssh_key")).publicKey, publicKey);
    for (const secret of [...Object.values(SECRETS), STATE_PASSPHRASE, "PRIVATE KEY-----"]) {
      assert.deepEqual(await holding(dir, secret), [], secret);
    }
  });

  await t.step("one without its key goes there, too, and names what must be given again", async () => {
    const dir = `${folder.path}/third`;
    const refusedKey = await onState("restore-state", "plain.state", {
      dir,
      more: ["--yes", ...plain],
      stdin: STATE_PASSPHRASE,
    });
    assert.match(refusedKey.err, /no key that a passphrase opens/);
    const { status, out } = await onState("restore-state", "plain.state", { dir, more: ["--yes"] });
    assert.equal(status, 0);
    assert.match(
      out,
      /secrets of the alert target Ops cannot be read with the key of this host: give its address/,
    );
    await using server = await start(dir);
    assert.equal((await encryptionKey(server))?.faults.length, 5);
    assert.ok((await call(server, "get_vms")).length > 0);
  });

  await t.step("what it says of all this has no secret", () => {
    for (const secret of Object.values(SECRETS)) assert.equal(said.join("").includes(secret), false);
  });
});

Deno.test("the key's file is sealed with systemd's credential, and opens with no other", async () => {
  await using folder = await testFolder();
  const dataDir = `${folder.path}/data`, keys = `${dataDir}/key/encryption.keys`;
  const given = `${folder.path}/credentials`, credential = `${given}/kvm-manager.encryption-key`;
  const start = (env: Record<string, string> = {}) =>
    startServer({ uri: URI, dataDir, logLevel: "info", env });
  const withCredential = { CREDENTIALS_DIRECTORY: given };
  await Deno.mkdir(given);
  await Deno.writeTextFile(credential, "the credential that systemd has opened");
  const push = { url: "https://otlp.example.com/in", headers: `x-key: ${SECRETS.header}` };
  const headers = async (server: TestServer) => (await call(server, "get_metric_push")).trouble;
  // It came later than the key
  {
    await using server = await start();
    await call(server, "update_metric_push", push);
    assert.match(await Deno.readTextFile(keys), /"keys"/);
  }
  {
    await using server = await start(withCredential);
    assert.equal(await headers(server), undefined);
    assert.match(await Deno.readTextFile(keys), /"sealed"/);
    await call(server, "rotate_credential", { credentialId: "encryption-key" });
    assert.match(await Deno.readTextFile(keys), /"sealed"/);
  }
  {
    await using server = await start(withCredential);
    assert.equal(await headers(server), undefined);
  }
  {
    await using server = await start();
    assert.match(await headers(server) ?? "", /cannot be read/);
    const [fault] = (await encryptionKey(server))!.faults;
    assert.match(fault!.reason, /sealed with the systemd credential .* which this process was not given/);
  }
  const state = `${folder.path}/saved.state`;
  const args = ["backup-state", state, "--data-dir", dataDir, "--passphrase-file", "-"];
  const without = await new CommandLine({}).run(args, STATE_PASSPHRASE);
  assert.match(without.err, /the key of its secrets cannot be had: .*which this process was not given/);
  const saved = await new CommandLine(withCredential).run(args, STATE_PASSPHRASE);
  assert.equal(saved.status, 0, saved.err);
  await Deno.writeTextFile(credential, "another credential, of another host");
  {
    await using server = await start(withCredential);
    assert.match(
      (await encryptionKey(server))!.faults[0]!.reason,
      /is not sealed with the systemd credential/,
    );
  }
  // On that other host the passphrase opens it
  const restored = await new CommandLine(withCredential).run(
    ["restore-state", state, "--yes", "--data-dir", dataDir, "--passphrase-file", "-"],
    STATE_PASSPHRASE,
  );
  assert.equal(restored.status, 0, restored.err);
  await using server = await start(withCredential);
  assert.equal(await headers(server), undefined);
  assert.match(await Deno.readTextFile(keys), /"sealed"/);
});
