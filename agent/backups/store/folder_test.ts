import assert from "node:assert/strict";
import { FolderStore } from "./folder.ts";

const ID = "20260101-000000-00000000", OTHER = "20260101-000000-00000001";

Deno.test("a copy is abandoned once the chunks that it leaves last: they are not checked again", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-folder-" });
  const copies = `${folder}/kvm-manager-backups/copies`, said = `${folder}/said`;
  try {
    const store = new FolderStore(folder, `${folder}/sync`);
    await store.make();
    // In the place of the host's: notes what is there when it is asked.
    await Deno.writeTextFile(`${folder}/sync`, `#!/bin/sh\nls ${copies} >> ${said}\n`, { mode: 0o755 });
    await store.beginGroup(ID);
    await store.abandonGroup(OTHER); // it has left nothing
    await assert.rejects(Deno.lstat(said));
    await store.abandonGroup(ID);
    assert.equal(await Deno.readTextFile(said), `partial-${ID}\n`);
    assert.deepEqual(await store.groups(), { whole: [], partial: [] });
    // Where it cannot be made to last, it stays in doubt.
    await store.beginGroup(ID);
    await Deno.writeTextFile(`${folder}/sync`, "#!/bin/sh\necho 'Input/output error' >&2; exit 1\n");
    await assert.rejects(store.abandonGroup(ID), /Input\/output error/);
    assert.deepEqual(await store.groups(), { whole: [], partial: [ID] });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
