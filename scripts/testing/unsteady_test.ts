import assert from "node:assert/strict";
import { wasUnsteady } from "./unsteady.ts";

Deno.test("wasUnsteady() is told by the file's content, from the second time on", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const file = `${folder}/x_test.ts`, notes = `${folder}/notes`;
    await Deno.writeTextFile(file, "1");
    assert.equal(await wasUnsteady(file, notes), false);
    assert.equal(await wasUnsteady(file, notes), true);
    await Deno.writeTextFile(file, "2");
    assert.equal(await wasUnsteady(file, notes), false);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
