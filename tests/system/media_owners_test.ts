/** Tests the owners of media files: libvirt leaves an ISO with QEMU's user, and here it gets its former owner back. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, known, readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null || Deno.uid() !== 0;
/** A user and group id that is not assigned on this machine. */
const OWNER = 4711;

Deno.test({
  name: "an ISO comes back to its owner once no running VM has it: ejected, forced off, deleted",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "owners", guest: false, disks: [{}] });
    await using server = await readyServer();
    await known(server, vm.uuid);
    const folder = await Deno.makeTempDir({ dir: "/var/lib/libvirt", prefix: "kvmm-test-" });
    const path = `${folder}/notes.iso`, vmId = vm.uuid;
    const owner = async () => (await Deno.stat(path)).uid;
    const given = () => until("QEMU to have it", async () => (await owner()) !== OWNER);
    const back = () =>
      until("its owner to have it again", async () => (await owner()) === OWNER, { seconds: 40 });
    try {
      await Deno.chmod(folder, 0o755);
      await Deno.writeTextFile(path, "a text, and no ISO\n".repeat(200));
      await Deno.chown(path, OWNER, OWNER);
      const drive = await call(server, "attach_disk", {
        vmId,
        device: "cdrom",
        path,
        bus: "sata",
      });
      await vm.start();
      await given();
      await call(server, "eject_media", { vmId, target: drive.target, force: true });
      await back();
      assert.equal((await Deno.stat(path)).gid, OWNER);

      await call(server, "insert_media", { vmId, target: drive.target, path, anyMedium: true });
      await given();
      await virsh("destroy", vm.name);
      await shows(server, vmId, ({ state }) => state === "stopped");
      await call(server, "eject_media", { vmId, target: drive.target });
      await back();

      await call(server, "insert_media", { vmId, target: drive.target, path, anyMedium: true });
      await call(server, "start_vm", { vmId });
      await given();
      await call(server, "force_stop_vm", { vmId });
      await call(server, "delete_vm", { vmId });
      await back();
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
