/** That our lock on an image is QEMU's own: no QEMU opens what we hold, and what one has open is seen. */
import assert from "node:assert/strict";
import { ImageLock } from "../../ffi/image_lock.ts";
import { run } from "../testbed/process.ts";
import { openedByQemu } from "../testbed/qemu_io.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

Deno.test({
  name: "QEMU does not open an image that is locked, and one that it has open is not locked",
  ignore,
  fn: async () => {
    const path = await Deno.makeTempFile({ suffix: ".qcow2" });
    try {
      await run(["qemu-img", "create", "-q", "-f", "qcow2", path, "1M"]);
      const write = () => run(["qemu-io", "-f", "qcow2", "-c", "write 0 64k", path]);
      {
        using lock = await ImageLock.take(path);
        assert.equal(lock.state, "taken");
        await assert.rejects(write(), /Failed to get .*lock/);
      }
      await write();
      const stateOf = async () => {
        using lock = await ImageLock.take(path);
        return lock.state;
      };
      for (const readOnly of [false, true]) {
        {
          await using _open = await openedByQemu(path, { format: "qcow2", readOnly });
          await until("it to be open", async () => await stateOf() === "open");
        }
        assert.equal(await stateOf(), "taken");
      }
    } finally {
      await Deno.remove(path);
    }
  },
});
