import assert from "node:assert/strict";
import { identityAt, isMadeBy } from "./file_identity.ts";

/** A file that was just made, as it is now. */
async function fresh(run: (path: string, info: Deno.FileInfo) => Promise<void> | void): Promise<void> {
  const path = await Deno.makeTempFile({ prefix: "kvmm-test-" });
  try {
    await run(path, await Deno.lstat(path));
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("isMadeBy() knows the file that was noted, whatever lies there by now", () =>
  fresh(async (path, info) => {
    const file = await identityAt(path);
    assert.ok(file !== null);
    assert.equal(isMadeBy(info, { file, at: 0 }, {}), true);
    assert.equal(isMadeBy(info, { file: { ...file, ino: file.ino + 1 }, at: 0 }, {}), false);
  }));

Deno.test("isMadeBy() takes an unknown file for the step's only when it was born while that ran", () =>
  fresh((_path, info) => {
    const born = (info.birthtime ?? info.ctime)!.getTime();
    const step = (at: number) => ({ file: null, at });
    const cut = (at: number) => ({ cut: { at, cause: "link" as const } });
    assert.equal(isMadeBy(info, step(born - 1000), cut(born + 1000)), true);
    assert.equal(isMadeBy(info, step(born + 5000), cut(born + 6000)), false, "it was there before");
    assert.equal(
      isMadeBy(info, step(born - 90_000), cut(born - 60_000)),
      false,
      "somebody made it afterwards",
    );
  }));

Deno.test("identityAt() has none for what is no regular file", async () => {
  assert.equal(await identityAt("/"), null);
  assert.equal(await identityAt("/nowhere/at/all"), null);
});
