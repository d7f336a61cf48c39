import assert from "node:assert/strict";
import { setLogLevel } from "../log.ts";
import { Store } from "../store/store.ts";
import { TestClock } from "../testing.ts";
import { MEDIA_OWNER_MIGRATIONS, MediaOwners } from "./media_owners.ts";

setLogLevel("error");

const OWNER = 4711, QEMU = 4712;

Deno.test({
  name: "MediaOwners gives nothing back while a change gives it to a VM, however long that takes",
  ignore: Deno.uid() !== 0,
  fn: async () => {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" }), path = `${folder}/a.iso`;
    const store = new Store(folder, undefined, [{ name: "vms", migrations: MEDIA_OWNER_MIGRATIONS }]);
    try {
      await Deno.writeTextFile(path, "");
      await Deno.chown(path, OWNER, OWNER);
      const clock = new TestClock();
      const owners = new MediaOwners(store, clock, {
        vms: () => [],
        qemuUser: () => Promise.resolve({ uid: QEMU, gid: QEMU }),
      });
      const later = async () => {
        await clock.advance(20_000);
        await owners.putBack();
        return (await Deno.stat(path)).uid;
      };
      (await owners.hold(path))[Symbol.dispose]();
      await owners.putBack();
      {
        using _change = await owners.hold(path);
        await Deno.chown(path, QEMU, QEMU); // as libvirt does
        assert.deepEqual([await later(), await later()], [QEMU, QEMU]);
      }
      assert.deepEqual([await later(), await later()], [QEMU, OWNER]);
    } finally {
      store.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});
