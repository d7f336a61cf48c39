import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/mod.ts";
import type { BackupManifest } from "../../lib/backup/manifest.ts";
import { Repository } from "./repository.ts";
import { FolderStore } from "./store/folder.ts";
import type { LockName, StoreLock } from "./store/store.ts";

/** Some user who is not the one that the tests run as. */
const SOMEBODY = 65_534;

/** A folder with these folders of backups in it, gone afterwards. */
async function folderWith(...names: string[]): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await Deno.makeTempDir({ prefix: "kvmm-test-repository-" });
  for (const name of names) await Deno.mkdir(`${path}/kvm-manager-backups${name}`, { mode: 0o755 });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

const refuses = (folder: string, reason: RegExp) =>
  assert.rejects(Repository.make(new FolderStore(folder)), (error) => {
    assert.ok(error instanceof ContractError, String(error));
    assert.equal(error.code, "BackupFolderUnusable");
    assert.match(error.message, reason);
    return true;
  });

Deno.test("Repository.make() takes a folder of its own user, and what it has made before", async () => {
  await using folder = await folderWith();
  const { id } = await Repository.make(new FolderStore(folder.path));
  assert.equal((await Repository.make(new FolderStore(folder.path))).id, id);
  await using prepared = await folderWith("", "/chunks");
  await Repository.make(new FolderStore(prepared.path));
});

Deno.test({
  name: "Repository.make() takes no folder in which somebody else may put a link in the place of a folder",
  ignore: Deno.uid() !== 0, // root alone gives folders away
  fn: async () => {
    for (const owned of ["", "/kvm-manager-backups", "/kvm-manager-backups/spool"]) {
      await using folder = await folderWith("", "/chunks", "/copies", "/spool");
      await Deno.chown(`${folder.path}${owned}`, SOMEBODY, SOMEBODY);
      await refuses(folder.path, /belongs to another user \(65534\)/);
      await assert.rejects(Deno.lstat(`${folder.path}/kvm-manager-backups/repository.json`));
    }
    await using later = await folderWith();
    const { id } = await Repository.make(new FolderStore(later.path));
    await Deno.chown(`${later.path}/kvm-manager-backups/chunks`, SOMEBODY, SOMEBODY);
    await assert.rejects(
      Repository.open(new FolderStore(later.path), id),
      /chunks belongs to another user \(65534\)/,
    );
  },
});

Deno.test("Repository.make() takes no folder that everybody may write to, but one with the sticky bit", async () => {
  await using folder = await folderWith();
  await Deno.chmod(folder.path, 0o777);
  await refuses(folder.path, /everybody may write to/);
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder.path)), []);
  await Deno.chmod(folder.path, 0o1777);
  await Repository.make(new FolderStore(folder.path));
});

Deno.test("Repository.setAside() takes a chunk away once, and never what was written again; a copy that has it is told", async () => {
  await using folder = await folderWith();
  const repository = await Repository.make(new FolderStore(folder.path));
  const digest = "ab".repeat(32), bytes = new Uint8Array([1, 2, 3]);
  // An earlier process has written it.
  await (await Repository.make(new FolderStore(folder.path))).putChunk(digest, bytes);
  await Promise.all([repository.setAside([digest]), repository.setAside([digest])]);
  assert.equal(await repository.hasChunk(digest), false);
  assert.equal(repository.lacks([digest]), true);
  await repository.putChunk(digest, bytes);
  assert.equal(repository.lacks([digest]), false);
  await repository.setAside([digest]);
  assert.equal(await repository.hasChunk(digest), true, "what was written again was taken away");
});

Deno.test("a copy is neither begun nor finished, and nothing deleted, once the store is no longer held", async () => {
  await using folder = await folderWith();
  let isHeld = true;
  /** A store whose locks can be lost, as those of other hosts are. */
  class Losing extends FolderStore {
    override async lock(what: LockName, alone: boolean): Promise<StoreLock | undefined> {
      const lock = await super.lock(what, alone);
      return lock && { ...lock, isHeld: () => isHeld };
    }
  }
  const repository = await Repository.make(new Losing(folder.path));
  const id = "20260101-000000-00000000", other = "20260101-000000-00000001", digest = "ab".repeat(32);
  const lost = (work: Promise<unknown>) =>
    assert.rejects(work, (error) => {
      assert.ok(error instanceof ContractError, String(error));
      assert.equal(error.code, "BackupFailed");
      assert.match(error.message, /lock on the target/);
      return true;
    });
  await repository.locked("write", true, async () => {
    await repository.begin(id);
    await repository.putChunk(digest, new Uint8Array([1]));
    isHeld = false;
    await lost(repository.finish(id, [], { id } as BackupManifest));
    await lost(repository.begin(other));
    await lost(repository.remove(other));
    await lost(repository.sweep());
  });
  assert.deepEqual(await repository.store.groups(), { whole: [], partial: [id] });
  assert.ok(await repository.hasChunk(digest));
  // Without a lock, its loss is not reported.
  await repository.abandon(id);
});
