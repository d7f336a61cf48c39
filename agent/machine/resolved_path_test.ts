import assert from "node:assert/strict";
import { resolvedByFolder, resolvedWithin } from "./resolved_path.ts";
import { localMachine } from "./machine.ts";

const HERE = localMachine("qemu:///system");

Deno.test("resolvedWithin() knows what resolvedByFolder() does where all folders answer", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    await Deno.mkdir(`${folder}/real`);
    await Deno.writeTextFile(`${folder}/real/disk`, "");
    await Deno.symlink(`${folder}/real`, `${folder}/link`);
    const paths = [`${folder}/link/disk`, `${folder}/real/disk`, `${folder}/none/disk`];
    const all = await resolvedByFolder(HERE, paths, [`${folder}/link`]);
    assert.deepEqual(paths.map(all), [paths[1], paths[1], paths[2]]);
    const soon = await resolvedWithin(10_000, HERE, paths, [`${folder}/link`]);
    assert.deepEqual(paths.map(soon), paths.map(all));
    assert.equal(soon(`${folder}/link/later`), `${folder}/real/later`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
