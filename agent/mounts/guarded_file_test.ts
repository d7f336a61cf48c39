import assert from "node:assert/strict";
import { guardFile } from "./guarded_file.ts";

Deno.test("guardFile() has every access of an open file go through the gate", async () => {
  const path = await Deno.makeTempFile({ prefix: "kvmm-test-" });
  let passes = 0;
  const file = guardFile(await Deno.open(path, { read: true, write: true }), async (run) => {
    passes++;
    return await run();
  });
  try {
    assert.equal(await file.write(new TextEncoder().encode("text")), 4);
    await file.seek(0, Deno.SeekMode.Start);
    const bytes = new Uint8Array(4);
    assert.equal(await file.read(bytes), 4);
    assert.equal(new TextDecoder().decode(bytes), "text");
    assert.equal((await file.stat()).size, 4);
    await file.truncate(2);
    await file.sync();
    assert.equal(await file.tryLock(true), true);
    assert.equal(passes, 6);
  } finally {
    file.close();
    await Deno.remove(path);
  }
});
