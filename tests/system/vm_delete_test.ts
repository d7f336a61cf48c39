/** delete_vm on real machines and disks. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testPool } from "../testbed/pool.ts";
import { exists } from "../testbed/process.ts";
import { call, known, refused } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const reason = await requirement("qemu");
const systemTest = (name: string, fn: (t: Deno.TestContext) => Promise<void>) =>
  Deno.test({ name, ignore: reason !== null, fn });

const names = () => virsh("list", "--all", "--name");

systemTest("delete_vm() forgets the machine and leaves its disks", async () => {
  await using vm = await testMachine({ purpose: "delete", guest: false, disks: [{}] });
  await using server = await startServer();
  await known(server, vm.uuid);
  assert.deepEqual(await call(server, "delete_vm", { vmId: vm.uuid }), { deletedDisks: [] });
  assert.ok(!(await names()).includes(vm.name));
  assert.ok(await exists(vm.disks[0]!));
  await refused(call(server, "get_vm", { vmId: vm.uuid }), "VmNotFound");
});

systemTest(
  "delete_vm() takes the disks along: a file and a volume, with snapshots and saved memory",
  async () => {
    await using pool = await testPool("delete");
    await using vm = await testMachine({ purpose: "delete", guest: false, disks: [{}, { pool }] });
    await using server = await startServer();
    await known(server, vm.uuid);
    await virsh("snapshot-create-as", vm.name, "before");
    await virsh("start", vm.name);
    await virsh("managedsave", vm.name);
    const { deletedDisks } = await call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true });
    assert.deepEqual(deletedDisks, vm.disks);
    for (const path of vm.disks) assert.ok(!await exists(path), path);
    assert.ok(!(await names()).includes(vm.name));
  },
);

systemTest("delete_vm() refuses a disk that another machine uses, before anything is touched", async () => {
  await using one = await testMachine({ purpose: "shared", guest: false, disks: [{}] });
  await using two = await testMachine({ purpose: "shared", guest: false });
  await using server = await startServer();
  const path = one.disks[0]!;
  await virsh("attach-disk", two.name, path, "vdb", "--config", "--subdriver", "qcow2");
  await known(server, one.uuid);
  await refused(
    call(server, "delete_vm", { vmId: one.uuid, deleteDisks: true }),
    "DiskDeleteFailed",
    `Failed to delete disk: ${path} - it is also used by ${two.name}`,
  );
  assert.ok((await names()).includes(one.name));
  assert.ok(await exists(path));
});

systemTest("delete_vm() puts the machine back when its disk cannot be deleted", async () => {
  await using vm = await testMachine({ purpose: "undo", guest: false, disks: [{}] });
  await using server = await startServer();
  await known(server, vm.uuid);
  const path = vm.disks[0]!;
  await Deno.remove(path);
  await Deno.mkdir(path);
  await refused(
    call(server, "delete_vm", { vmId: vm.uuid, deleteDisks: true }),
    "DiskDeleteFailed",
    new RegExp(`^Failed to delete disk: ${path} - `),
  );
  assert.ok((await names()).includes(vm.name), "nothing is lost");
  await known(server, vm.uuid);
});
