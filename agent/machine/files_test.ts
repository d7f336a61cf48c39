import assert from "node:assert/strict";
import { ContractError } from "../../lib/contract/errors.ts";
import { isSystemError, isThere, lookAt, pathFault, readRegular } from "./files.ts";

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

Deno.test("isSystemError() tells what the kernel said from mistakes of ours", async () => {
  const thrown = async (run: () => unknown): Promise<unknown> => {
    try {
      await run();
    } catch (error) {
      return error;
    }
    assert.fail("nothing was thrown");
  };
  const file = await Deno.makeTempFile({ prefix: "kvmm-test-" });
  try {
    for (const path of [`${file}/inside`, `${file}-none`, "/proc/self/mem", "/"]) {
      const error = await thrown(() => Deno.readTextFile(path));
      assert.ok(isSystemError(error), `${path}: ${error}`);
    }
    const closed = await Deno.open(file);
    closed.close();
    const mistakes: unknown[] = [
      await thrown(() => closed.stat()),
      await thrown(() => (undefined as unknown as string).length),
      await thrown(() => new Uint8Array(-1)),
      await thrown(() => JSON.parse("{")),
      Object.assign(new TypeError("of Node"), { code: "ERR_INVALID_ARG_TYPE" }),
      new Error("of anybody"),
      "a text",
      undefined,
    ];
    for (const mistake of mistakes) assert.equal(isSystemError(mistake), false, String(mistake));
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("readRegular() reads a file that is replaced as a whole meanwhile", async () => {
  const folder = await Deno.makeTempDir(), path = `${folder}/state.json`;
  let isOver = false, count = 0;
  const replace = async () => {
    await Deno.writeTextFile(`${path}.new`, `{"count":${++count}}`);
    await Deno.rename(`${path}.new`, path);
  };
  await replace();
  const replacing = (async () => {
    while (!isOver) {
      await replace();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  try {
    for (let time = 0; time < 1000; time++) {
      JSON.parse(new TextDecoder().decode(await readRegular(path, 100)));
    }
  } finally {
    isOver = true;
    await replacing;
    await Deno.remove(folder, { recursive: true });
  }
  assert.ok(count > 10, `it was replaced ${count} times alone`);
});
