import assert from "node:assert/strict";
import { FileHoles } from "./file_holes.ts";

const MIB = 1024 ** 2;

Deno.test("holes of a file are found, and content is never taken for one", async () => {
  const path = await Deno.makeTempFile();
  try {
    {
      using file = await Deno.open(path, { write: true });
      await file.truncate(1024 ** 4);
      for (const at of [8 * MIB, 9 * MIB, 512 * 1024 * MIB + 5000]) {
        await file.seek(at, Deno.SeekMode.Start);
        await file.write(new Uint8Array(10).fill(1));
      }
    }
    using holes = await FileHoles.open(path);
    const found: number[] = [];
    for (let at = 0; at < 1024 ** 4; at += 2 * MIB) {
      if (!await holes.isHole(at, 2 * MIB)) found.push(at / MIB);
    }
    assert.deepEqual(found, [8, 512 * 1024]);
    assert.ok(await holes.isHole(0, 2 * MIB), "asked again from the start");
    assert.ok(!await holes.isHole(7 * MIB, 2 * MIB), "content begins within it");
    assert.ok(!await holes.isHole(9 * MIB, 1), "content");
    assert.ok(await holes.isHole(1024 ** 4 - 512, 512), "the end");
    assert.equal((await Deno.stat(holes.path)).size, 1024 ** 4);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("what cannot tell where it has content is no hole; what is not there is said", async () => {
  for (const path of ["/proc/self/status", "/dev/zero"]) {
    using holes = await FileHoles.open(path);
    assert.ok(!await holes.isHole(0, MIB), path);
  }
  await assert.rejects(FileHoles.open("/nowhere/at/all"), Deno.errors.NotFound);
});
