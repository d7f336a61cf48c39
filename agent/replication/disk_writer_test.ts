import assert from "node:assert/strict";
import { DiskWriter } from "./disk_writer.ts";

const GIB = 1024 ** 3;

Deno.test("DiskWriter tells what it writes: zeros of a large disk take room, too", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const path = `${folder}/vda.part`;
    using writer = await DiskWriter.make(path, 64 * 1024 * GIB);
    let told = 0;
    for (let at = 0; at < 64; at++) {
      told += await writer.take({
        disk: 0,
        kind: "zeros",
        offset: at * 4 * GIB,
        length: 4 * GIB - 65_536,
        payload: new Uint8Array(),
      });
    }
    // A table of 64 KiB for each 512 MiB; the last one is written in the end
    assert.equal(told, (64 * 8 - 1) * 65_536);
    const { blocks } = await Deno.stat(path);
    assert.ok(Math.abs(blocks! * 512 - told) < 2 * 1024 ** 2, `${blocks! * 512} and ${told}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
