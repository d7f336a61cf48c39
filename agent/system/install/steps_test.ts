import assert from "node:assert/strict";
import { forgetSaved, InstallError, makeFolder, putFile, runSteps } from "./steps.ts";

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
const names = async (folder: string) =>
  (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name).sort();

Deno.test("runSteps() undoes what was done, last first, and says what could not be", async () => {
  const events: string[] = [];
  const step = (what: string, undo: () => Promise<void>) => ({
    what,
    run: () => {
      events.push(what);
      return Promise.resolve(undo);
    },
  });
  const undone = (what: string) => step(what, () => Promise.resolve(void events.push(`undo ${what}`)));
  const failing = { what: "third", run: () => Promise.reject(new Error("no")) };
  await assert.rejects(runSteps([undone("first"), undone("second"), failing], () => {}), (error: Error) => {
    assert.ok(error instanceof InstallError);
    assert.equal(error.message, "third: no. What was done before it was undone");
    return true;
  });
  assert.deepEqual(events, ["first", "second", "undo second", "undo first"]);
  const stuck = step("stuck", () => Promise.reject(new Error("busy")));
  await assert.rejects(runSteps([stuck, failing], () => {}), /Not undone: stuck \(busy\)/);
});

Deno.test("putFile() replaces whole, puts back what was there, and leaves no folder of its own", () =>
  withFolder(async (folder) => {
    const path = `${folder}/a/b/file`;
    const write = (text: string) => (to: string) => Deno.writeTextFile(to, text);
    const undoFirst = await putFile(path, 0o640, write("one"));
    assert.equal((await Deno.stat(path)).mode! & 0o777, 0o640);
    const undoSecond = await putFile(path, 0o600, write("two"));
    assert.equal(await Deno.readTextFile(path), "two");
    await undoSecond();
    assert.equal(await Deno.readTextFile(path), "one");
    await undoFirst();
    assert.deepEqual(await names(folder), []);
    await putFile(path, 0o600, write("three"));
    await putFile(path, 0o600, write("four"));
    await forgetSaved(path);
    assert.deepEqual(await names(`${folder}/a/b`), ["file"]);
  }));

Deno.test("putFile() leaves what is there when the new one cannot be written", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/file`, "old");
    await assert.rejects(
      putFile(`${folder}/file`, 0o600, () => Promise.reject(new Error("disk full"))),
      /disk full/,
    );
    assert.deepEqual(await names(folder), ["file"]);
    await assert.rejects(putFile(`${folder}/x/file`, 0o600, () => Promise.reject(new Error("disk full"))));
    assert.deepEqual(await names(folder), ["file"]);
  }));

Deno.test("makeFolder() undone removes what it made, but nothing that somebody filled", () =>
  withFolder(async (folder) => {
    const undo = await makeFolder(`${folder}/a/b`, 0o700);
    assert.equal((await Deno.stat(`${folder}/a/b`)).mode! & 0o777, 0o700);
    await Deno.writeTextFile(`${folder}/a/mine`, "");
    await undo();
    assert.deepEqual(await names(`${folder}/a`), ["mine"]);
  }));
