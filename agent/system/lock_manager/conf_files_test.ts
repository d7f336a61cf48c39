import assert from "node:assert/strict";
import { changingAlone } from "./change.ts";
import { changeFile, ConfFileError, lockConfFiles } from "./conf_files.ts";

const NOW = Date.UTC(2026, 10, 27, 19, 20, 0);
const TEXT = '# ours\n#lock_manager = "lockd"\nuser = "root"\n';

/** A folder with a file of libvirt's. */
async function place(text: string | Uint8Array = TEXT) {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" }), path = `${folder}/qemu.conf`;
  await (typeof text === "string" ? Deno.writeTextFile(path, text) : Deno.writeFile(path, text));
  await Deno.chmod(path, 0o640);
  return {
    path,
    names: async () => (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).toSorted(),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
const ON = { lock_manager: "lockd" } as const;

Deno.test("changeFile() keeps what was there next to it, and can put it back", async () => {
  await using at = await place();
  const changed = await changeFile(at.path, ON, NOW);
  assert.equal(await Deno.readTextFile(at.path), TEXT.replace("#lock_manager", "lock_manager"));
  assert.equal((await Deno.stat(at.path)).mode! & 0o777, 0o640);
  assert.equal(changed?.backup, `${at.path}.kvm-manager-2026-11-27T19-20-00`);
  assert.equal(await Deno.readTextFile(changed.backup), TEXT);
  assert.equal((await Deno.stat(changed.backup)).mode! & 0o777, 0o640);
  await changed.restore();
  assert.equal(await Deno.readTextFile(at.path), TEXT);
  assert.deepEqual(await at.names(), ["qemu.conf"]);
});

Deno.test("changeFile() makes no copy where nothing changes, and never writes over one", async () => {
  await using at = await place();
  assert.equal(await changeFile(at.path, { lock_manager: null }, NOW), undefined);
  assert.deepEqual(await at.names(), ["qemu.conf"]);
  const first = await changeFile(at.path, ON, NOW),
    second = await changeFile(at.path, { lock_manager: null }, NOW);
  assert.equal(second?.backup, `${first!.backup}-1`);
  assert.equal((await at.names()).length, 3);
});

Deno.test("changeFile() makes a file that is not there, and takes it away again", async () => {
  await using at = await place();
  await Deno.remove(at.path);
  const changed = await changeFile(at.path, ON, NOW);
  assert.equal(await Deno.readTextFile(at.path), 'lock_manager = "lockd"\n');
  await changed!.restore();
  assert.deepEqual(await at.names(), []);
});

Deno.test("changeFile() does not undo what somebody else wrote since", async () => {
  await using at = await place();
  const changed = await changeFile(at.path, ON, NOW);
  await Deno.writeTextFile(at.path, "mine = 1\n");
  await assert.rejects(changed!.restore(), /changed by somebody else meanwhile; .*qemu\.conf\.kvm-manager-/);
  assert.equal(await Deno.readTextFile(at.path), "mine = 1\n");
  assert.equal(await Deno.readTextFile(changed!.backup), TEXT);
});

Deno.test("changeFile() leaves alone what it does not understand", async () => {
  for (
    const [text, reason] of [
      ["user = root\n", /qemu\.conf, line 1: a value is neither/],
      ['lock_manager = "lockd"\nlock_manager = "sanlock"\n', /line 2: lock_manager is set a second time/],
      [new Uint8Array([0x23, 0xff, 0x0a]), /no UTF-8 text/],
    ] as const
  ) {
    await using at = await place(text);
    const before = await Deno.readFile(at.path);
    await assert.rejects(changeFile(at.path, { lock_manager: null }, NOW), (error: Error) => {
      assert.ok(error instanceof ConfFileError);
      assert.match(error.message, reason);
      return true;
    });
    assert.deepEqual(await Deno.readFile(at.path), before);
    assert.deepEqual(await at.names(), ["qemu.conf"]);
  }
});

Deno.test("changeFile() follows no link, and takes no folder for a file", async () => {
  await using at = await place();
  await Deno.rename(at.path, `${at.path}.real`);
  await Deno.symlink(`${at.path}.real`, at.path);
  await assert.rejects(changeFile(at.path, ON, NOW), /no regular file/);
  assert.equal(await Deno.readTextFile(`${at.path}.real`), TEXT);
  await Deno.remove(at.path);
  await Deno.mkdir(at.path);
  await assert.rejects(changeFile(at.path, ON, NOW), /no regular file/);
});

Deno.test("lockConfFiles() is one process's at a time, and of none once that has ended, however it ended", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const held = await lockConfFiles(folder);
    assert.notEqual(held, null);
    assert.equal(await lockConfFiles(folder), null);
    held![Symbol.dispose]();
    const other = new Deno.Command("sh", {
      args: ["-c", 'exec 9<"$0"; flock 9; echo held; exec sleep 60', folder],
      stdout: "piped",
    }).spawn();
    const reader = other.stdout.getReader();
    await reader.read();
    assert.equal(await lockConfFiles(folder), null);
    await assert.rejects(
      changingAlone(() => Promise.resolve(), () => lockConfFiles(folder)),
      /another KVM Manager on this host/,
    );
    other.kill("SIGKILL");
    await other.status;
    await reader.cancel();
    assert.equal(await changingAlone(() => Promise.resolve(5), () => lockConfFiles(folder)), 5);
    assert.notEqual(await lockConfFiles(`${folder}/none`), null);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
