import assert from "node:assert/strict";
import { FolderInUse, holderIn, lockDataFolder } from "./folder_lock.ts";

Deno.test("a data folder is one process's alone, by whichever path it is reached", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const data = `${folder}/data`;
    const lock = await lockDataFolder(data);
    assert.equal((await Deno.stat(data)).mode! & 0o777, 0o700);
    await Deno.symlink(data, `${folder}/link`);
    for (const path of [data, `${folder}/link`, `${data}/../data`]) {
      await assert.rejects(lockDataFolder(path), (error) => {
        assert.ok(error instanceof FolderInUse, String(error));
        assert.match(
          error.message,
          new RegExp(`in use by process ${Deno.pid} \\(.+\\).*Nothing was changed$`),
        );
        return true;
      });
    }
    lock[Symbol.dispose]();
    (await lockDataFolder(data))[Symbol.dispose]();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("holderIn() takes the exclusive flock of the file, and no other", () => {
  const locks = "1: POSIX  ADVISORY  WRITE 11 fe:00:77 0 EOF\n2: FLOCK  ADVISORY  READ 12 fe:00:77 0 EOF\n" +
    "2: -> FLOCK  ADVISORY  WRITE 14 fe:00:77 0 EOF\n3: FLOCK  ADVISORY  WRITE 13 00:35:77 0 EOF\n";
  assert.equal(holderIn(locks, 77), 13);
  assert.equal(holderIn(locks, 78), undefined);
  assert.equal(holderIn("3: FLOCK  ADVISORY  WRITE 0 00:35:77 0 EOF", 77), undefined);
});
