import assert from "node:assert/strict";
import { Store } from "../../store/store.ts";
import { LEFT_DISK_MIGRATIONS, LeftDisks } from "./left_disks.ts";

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
