import assert from "node:assert/strict";
import { ContractError } from "../lib/contract/errors.ts";
import { isThere, lookAt, pathFault } from "./files.ts";

Deno.test("lookAt() says why the kernel takes no path, and nothing of what is merely not there", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await Deno.symlink(`${folder}/b`, `${folder}/a`);
    await Deno.symlink(`${folder}/a`, `${folder}/b`);
    await Deno.writeTextFile(`${folder}/file`, "");
    assert.equal((await lookAt(`${folder}/file`, Deno.stat))?.isFile, true);
    for (const missing of [`${folder}/none`, `${folder}/file/inside`]) {
      assert.equal(await lookAt(missing, Deno.stat), undefined);
      assert.equal(await isThere(missing), false);
    }
    const cases: [path: string, reason: RegExp][] = [
      [`${folder}/${"n".repeat(300)}`, /longer than this host allows/],
      [`${folder}/a`, /lead back to themselves/],
      [`${folder}/a/inside`, /lead back to themselves/],
      [`${folder}/\0`, /no path has/],
    ];
    for (const [path, reason] of cases) {
      for (const look of [Deno.stat, Deno.realPath]) {
        await assert.rejects(lookAt<unknown>(path, look), (error) => {
          assert.ok(error instanceof ContractError && error.code === "PathRefused", String(error));
          assert.equal(error.details?.path, path);
          assert.match(error.message, reason);
          return true;
        });
      }
    }
    assert.equal(pathFault(new Deno.errors.NotFound()), undefined);
    assert.equal(pathFault(new Error("disk full")), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
