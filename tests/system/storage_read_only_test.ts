/** A storage pool that is mounted read-only: everything that would write to it says so, in the same words. */
import assert from "node:assert/strict";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, readyServer, refused } from "../testbed/product.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null || Deno.uid() !== 0;

Deno.test({
  name: "a pool that is mounted read-only is told as that by every command that writes, and by health",
  ignore,
  fn: async () => {
    await using undo = new AsyncDisposableStack();
    const { name: pool, path } = undo.use(await testPool("read-only"));
    const server = undo.use(await readyServer());
    const volume = "there.qcow2", capacityBytes = 1024 ** 2;
    await call(server, "create_volume", { pool, name: volume, capacityBytes });
    await run(["mount", "--bind", path, path]);
    undo.defer(async () => void await run(["umount", path]));
    await run(["mount", "-o", "remount,bind,ro", path]);
    const text = `Storage pool ${pool} is read-only: its folder ${path} is mounted read-only. ` +
      "Mount it writable, or choose another storage pool.";
    const said = (asked: Promise<unknown>) => refused(asked, "StoragePoolReadOnly", text);
    await said(call(server, "create_volume", { pool, name: "new.qcow2", capacityBytes }));
    await said(call(server, "resize_volume", { pool, volume, capacityBytes: 2 * capacityBytes }));
    await said(call(server, "clone_volume", { pool, volume, name: "copy.qcow2" }));
    await said(call(server, "convert_volume", { pool, volume, name: "copy.raw", format: "raw" }));
    await said(call(server, "wipe_volume", { pool, volume }));
    await said(call(server, "delete_volume", { pool, volume }));
    const config = {
      name: "kvmm-test-read-only",
      memoryMb: 128,
      nics: [],
      disks: [{ sizeGb: 1, pool }],
      allowOvercommit: true,
    };
    await said(call(server, "create_vm", config));
    // Foreseen: for a new image and for a copy into the pool, not for an image that is there.
    const foreseen = async (disk: Record<string, unknown>) =>
      (await call(server, "check_vm_config", { ...config, disks: [disk] })).errors
        .map(({ field, code, message }) => [field, code, message]);
    const expected = [["disks.0.pool", "StoragePoolReadOnly", text]];
    const there = `${path}/${volume}`;
    assert.deepEqual(await foreseen({ sizeGb: 1, pool }), expected);
    assert.deepEqual(await foreseen({ path: there, copyAs: "qcow2", pool }), expected);
    assert.deepEqual(await foreseen({ path: there }), []);
    const answer = await fetch(`${server.url}/api/v1/storage/pools/${pool}/volumes/sent.img/content`, {
      method: "PUT",
      body: "x",
      headers: testerHeaders(server.url),
    });
    assert.equal((await answer.json()).message, text);
    const found = (await call(server, "get_host_health")).filter(({ what }) => what.includes(pool));
    assert.deepEqual(found.map(({ level, what }) => [level, what]), [
      ["warning", `pool ${pool} is read-only: its folder ${path} is mounted read-only`],
    ]);
  },
});
