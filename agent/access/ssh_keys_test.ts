import assert from "node:assert/strict";
import type { CloudInit } from "../../lib/contract/mod.ts";
import { Store } from "../store/store.ts";
import { AccountSshKeys, SSH_KEY_MIGRATIONS } from "./ssh_keys.ts";

const KEY = (name: string) =>
  `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHUfyjxZ8Ks0rSVX1WUBg7vYqnJ3LTHfaRx5Q5n0Q3bK ${name}`;
const given = (key: string): CloudInit => ({ form: { users: [{ name: "debian", sshKeys: [key] }] } });

Deno.test("SshKeys: a token changes nothing for its account, and what was set is not replaced by what a VM was given", async () => {
  const folder = await Deno.makeTempDir();
  const store = new Store(folder, undefined, [{ name: "access", migrations: SSH_KEY_MIGRATIONS }]);
  store.open();
  try {
    const keys = new AccountSshKeys(store), ann = { userId: "1", name: "ann" };
    const token = { ...ann, via: "token" } as const, session = { ...ann, via: "session" } as const;
    assert.throws(() => keys.set(token, [KEY("evil")]), { code: "NotByToken" });
    keys.remember(token, given(KEY("evil")));
    assert.deepEqual(keys.of(ann), []);
    keys.remember(session, given(KEY("first")));
    keys.remember(session, given(KEY("contractor")));
    assert.deepEqual(keys.of(ann), [KEY("first")]);
    keys.set(session, [KEY("mine")]);
    assert.deepEqual(keys.of(token), [KEY("mine")]);
    keys.set(session, []);
    keys.remember(session, given(KEY("contractor")));
    assert.deepEqual(keys.of(ann), [], "cleared is a choice");
    const bob = { userId: "2", name: "bob", via: "session" } as const;
    keys.set(bob, []);
    keys.remember(bob, given(KEY("one VM")));
    assert.deepEqual(new AccountSshKeys(store).of(bob), [], "also in another run");
    const again = new AccountSshKeys(store);
    again.remember(bob, given(KEY("one VM")));
    assert.deepEqual(again.of(bob), []);
    again.forget("2");
    again.remember(bob, given(KEY("another account")));
    assert.deepEqual(again.of(bob), [KEY("another account")]);
  } finally {
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("SshKeys on a full disk: what was not written is not had, and an account that is gone has none later", async () => {
  const folder = await Deno.makeTempDir();
  const store = new Store(folder, undefined, [{ name: "access", migrations: SSH_KEY_MIGRATIONS }]);
  store.open();
  try {
    const keys = new AccountSshKeys(store), ann = { userId: "1", name: "ann", via: "session" } as const;
    const bob = { userId: "2", name: "bob", via: "session" } as const;
    for (const each of [ann, bob]) keys.set(each, [KEY("before")]);
    const write = store.write.bind(store);
    // Statements are carried out, and undone at the end
    store.write = (run) => {
      store.database!.exec("BEGIN");
      run();
      store.database!.exec("ROLLBACK");
      return false;
    };
    assert.throws(() => keys.set(ann, [KEY("after")]), { code: "StoreUnavailable" });
    assert.deepEqual(keys.of(ann), [KEY("before")]);
    keys.forget("2");
    assert.deepEqual(keys.of(bob), []);
    store.write = write;
    store.check();
    const again = new AccountSshKeys(store);
    assert.deepEqual([again.of(ann), again.of(bob)], [[KEY("before")], []]);
  } finally {
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
});
