import assert from "node:assert/strict";
import { fileAt } from "./file_id.ts";
import { localMachine } from "../machine/machine.ts";

const HERE = localMachine("qemu:///system")!;

Deno.test("fileAt() tells a file from another one that got its name and its number", async () => {
  const folder = await Deno.makeTempDir({ dir: "/var/tmp" }), path = `${folder}/a`;
  try {
    const seen = new Set<string | null | undefined>();
    for (let at = 0; at < 3; at++) {
      await Deno.writeTextFile(path, "x");
      const file = await fileAt(HERE, path);
      assert.equal(await fileAt(HERE, path), file);
      seen.add(file);
      await Deno.remove(path);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(seen.size, 3);
    assert.equal(await fileAt(HERE, path), null);
    assert.equal(await fileAt(HERE, `${path}/b`), null);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
