/** Block devices that are mounted, under whatever name they are asked for. */
import assert from "node:assert/strict";
import { hostUseOf } from "../../agent/storage/block_devices.ts";
import { loopDevice } from "../testbed/loop.ts";
import { run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("loopDevices") !== null;

const isUsed = async (device: string) => await hostUseOf(device) !== undefined;

Deno.test({
  name: "hostUseOf() knows a device by every name of it, and no other one by the start of its name",
  ignore,
  fn: async () => {
    await using undo = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    undo.defer(() => Deno.remove(folder, { recursive: true }));
    const device = undo.use(await loopDevice(`${folder}/disk`, 8));
    await run(["mkfs.ext4", "-q", device.path]);
    const link = `${folder}/link`;
    await Deno.symlink(device.path, link);
    assert.deepEqual([await isUsed(device.path), await isUsed(link)], [false, false]);
    await Deno.mkdir(`${folder}/at`);
    await run(["mount", link, `${folder}/at`]);
    undo.defer(async () => void await run(["umount", `${folder}/at`]));
    assert.deepEqual([await isUsed(device.path), await isUsed(link)], [true, true]);
    assert.equal(
      await isUsed(device.path.slice(0, -1)),
      false,
      "another device whose name it begins with",
    );
  },
});
