/** One file under two paths, by a link: whoever has it is found by either. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { poolPlace, testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";

Deno.test("an image is in use under every path that leads to it", async (t) => {
  await using pool = await testPool("linked");
  await using alias = await poolPlace("linked-alias");
  const link = `${filesOf(alias.name)}/link`;
  await Deno.symlink(pool.path, link);
  await using vm = await testMachine({ purpose: "linked", guest: false, disks: [{ pool }] });
  await using other = await testMachine({ purpose: "linked-other", guest: false, disks: [] });
  const [path] = vm.disks as [string];
  const name = path.slice(path.lastIndexOf("/") + 1);
  // The VM has its disk by the link; the pool has it by its own path.
  const definition = `${filesOf(alias.name)}/vm.xml`;
  await Deno.writeTextFile(definition, (await virsh("dumpxml", vm.name)).replaceAll(pool.path, link));
  await virsh("define", definition);
  await using server = await readyServer();
  await known(server, vm.uuid);
  await known(server, other.uuid);

  await t.step("its volume is kept, though the VM names it by a link", async () => {
    await refused(call(server, "delete_volume", { pool: pool.name, volume: name }), "VolumeInUse");
    await refused(call(server, "wipe_volume", { pool: pool.name, volume: name }), "VolumeInUse");
  });
  await t.step("no other VM gets it by its own path", async () => {
    await refused(call(server, "attach_disk", { vmId: other.uuid, path }), "DiskInUse");
  });
  await t.step("a pool at the link does not give it away, be the VM's path which it may", async () => {
    await virsh("pool-define-as", alias.name, "dir", "--target", link);
    await virsh("pool-start", alias.name);
    await Deno.writeTextFile(definition, (await virsh("dumpxml", vm.name)).replaceAll(link, pool.path));
    await virsh("define", definition);
    await shows(server, vm.uuid, ({ disks }) => disks.some(({ source }) => source === path));
    await refused(call(server, "delete_volume", { pool: alias.name, volume: name }), "VolumeInUse");
  });
  await t.step("a base is kept that its overlay names by the link", async () => {
    await run(["qemu-img", "create", "-q", "-f", "raw", `${pool.path}/base.raw`, "8M"]);
    await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", `${link}/base.raw`, "-F", "raw", path]);
    await virsh("pool-refresh", pool.name);
    await refused(call(server, "delete_volume", { pool: pool.name, volume: "base.raw" }), "VolumeInUse");
    await refused(
      call(server, "attach_disk", { vmId: other.uuid, path: `${pool.path}/base.raw` }),
      "DiskInUse",
    );
  });
  assert.equal(await exists(path), true);
});
