/** Backups on another host, against Debian's own sshd; and what is said when it is another one, gone, full or cut off. */
import assert from "node:assert/strict";
import { SftpStore } from "../../agent/backups/store/sftp.ts";
import { SYSTEM_CLOCK } from "../../agent/clock.ts";
import { FileRefused } from "../../agent/machine/files.ts";
import { checkStore, refuses } from "../testbed/backup_store.ts";
import { run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { type SshServer, sshServer } from "../testbed/ssh_server.ts";

const ignore = await requirement("ssh") !== null;
const bytes = (text: string) => new Uint8Array(new TextEncoder().encode(text));
const MIB = 1024 ** 2;

function storeAt({ port, hostKey, privateKey, folder }: SshServer, place: object = {}, owner = "me") {
  const store = new SftpStore({
    host: "127.0.0.1",
    port,
    user: "root",
    password: undefined,
    privateKey,
    hostKey,
    path: folder,
    privateAddresses: true,
    ...place,
  }, { owner, clock: SYSTEM_CLOCK });
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.close() });
}

Deno.test({
  name: "a folder of another host keeps all of a store, and other users there cannot read it",
  ignore,
  fn: async (t) => {
    await using server = await sshServer();
    await using store = storeAt(server);
    await using other = storeAt(server, {}, "another");
    await checkStore(t, store, other);
    await store.write("chunks/cd/cd", bytes("x"));
    const found = await run(["find", `${server.folder}/kvm-manager-backups`, "-printf", "%y%m\n"]);
    assert.deepEqual([...new Set(found.trim().split("\n"))].sort(), ["d700", "f600"]);
  },
});

Deno.test({
  name: "the host's key is told at first, and one that changed is not spoken to",
  ignore,
  fn: async () => {
    await using server = await sshServer();
    await using unknown = storeAt(server, { hostKey: undefined });
    await refuses(unknown.make(), new RegExp(RegExp.escape(server.hostKey)), "BackupHostKeyUnknown");
    await using known = storeAt(server);
    await known.make();
    const before = server.hostKey, after = await server.renew();
    assert.notEqual(before, after);
    await using again = storeAt(server, { hostKey: before });
    await refuses(again.open(), /it is another host, or somebody is in between/, "BackupHostKeyChanged");
  },
});

Deno.test({
  name: "what is wrong with the user, the key, the folder or the address is said",
  ignore,
  fn: async () => {
    await using server = await sshServer();
    const said = async (place: object, reason: RegExp) => {
      await using store = storeAt(server, place);
      await refuses(store.make(), reason);
    };
    await said({ user: "nobody-there" }, /refuses the user name, the password or the key/);
    await said(
      { privateKey: undefined, password: "wrong" },
      /refuses the user name, the password or the key/,
    );
    await said(
      { privateKey: "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END" },
      /private key cannot be read/,
    );
    await said({ path: "/not/there" }, /there is no such folder/);
    await said({ privateAddresses: false }, /loopback.*Allow private addresses/);
    await said({ port: 1 }, /ECONNREFUSED|refused/);
  },
});

Deno.test({
  name: "a host that is full, read-only, cut off or gone: said, and it goes on once it is well again",
  ignore,
  fn: async (t) => {
    await using server = await sshServer();
    await using undo = new AsyncDisposableStack();
    await run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", server.folder]);
    undo.defer(async () => void await run(["umount", "-l", server.folder]));
    await using store = storeAt(server);
    await store.make();
    const content = crypto.getRandomValues(new Uint8Array(65_536));
    await t.step("full", async () => {
      await refuses(store.write("chunks/ab/large", new Uint8Array(4 * MIB)), /full or read-only|space/i);
      assert.deepEqual(await Array.fromAsync(store.list("chunks")), [], "nothing half is left");
      await store.write("chunks/ab/small", content);
    });
    await t.step("read-only", async () => {
      await run(["mount", "-o", "remount,ro", server.folder]);
      await refuses(store.write("chunks/ab/other", content), /may not do that|full or read-only/);
      assert.deepEqual(await store.read("chunks/ab/small", MIB), content);
      await run(["mount", "-o", "remount,rw", server.folder]);
    });
    await t.step("cut off in the middle", async () => {
      await server.cut();
      assert.deepEqual(await store.read("chunks/ab/small", MIB), content);
      const writing = store.write("chunks/ab/again", new Uint8Array(2 * MIB));
      await server.cut();
      await writing;
      assert.equal(await store.sizeOf("chunks/ab/again"), 2 * MIB);
    });
    await t.step("links lead nowhere", async () => {
      const root = `${server.folder}/kvm-manager-backups`;
      await Deno.symlink("/etc/passwd", `${root}/chunks/ab/link`);
      await Deno.symlink("/etc", `${root}/chunks/cd`);
      await assert.rejects(store.read("chunks/ab/link", MIB), FileRefused);
      const names = (await Array.fromAsync(store.list("chunks"))).map(({ name }) => name).sort();
      assert.deepEqual(names, ["chunks/ab/again", "chunks/ab/small"]);
      await refuses(store.write("chunks/cd/x", content), /is no folder/);
    });
    await t.step("gone", async () => {
      await server.stop();
      await refuses(store.read("chunks/ab/small", MIB), /refused|closed|ended/i);
    });
  },
});
