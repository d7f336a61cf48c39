import assert from "node:assert/strict";
import { Store } from "../../store/store.ts";
import { fileAt, LEFT_DISK_MIGRATIONS, LeftDisks } from "./left_disks.ts";

Deno.test("LeftDisks are there after a restart", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const start = () => {
      const store = new Store(folder, undefined, [{ name: "images", migrations: LEFT_DISK_MIGRATIONS }]);
      store.open();
      return { store, disks: new LeftDisks(store) };
    };
    const first = start();
    first.disks.add({ host: "local", path: "/a.qcow2", file: "7 8", vm: "web" });
    first.disks.add({ host: "local", path: "/b.qcow2", file: null, vm: "web" });
    first.store.close();
    const again = start();
    assert.equal(again.store.trouble, null);
    assert.equal(again.disks.at("local", "/a.qcow2")?.file, "7 8");
    assert.equal(again.disks.at("local", "/b.qcow2")?.file, null);
    again.store.close();
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("fileAt() tells a file from another one that got its name and its number", async () => {
  const folder = await Deno.makeTempDir({ dir: "/var/tmp" }), path = `${folder}/a`;
  try {
    const seen = new Set<string | null | undefined>();
    for (let at = 0; at < 3; at++) {
      await Deno.writeTextFile(path, "x");
      const file = await fileAt(path);
      assert.equal(await fileAt(path), file);
      seen.add(file);
      await Deno.remove(path);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    assert.equal(seen.size, 3);
    assert.equal(await fileAt(path), null);
    assert.equal(await fileAt(`${path}/b`), null);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
