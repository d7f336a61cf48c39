/** An image that somebody has removed behind our back: the VM says so before it is started, and no longer once it is back. */
import assert from "node:assert/strict";
import { testMachine } from "../testbed/machine.ts";
import { call, known, readyServer, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

Deno.test({
  name: "a VM whose image is missing needs attention, until the image is there again",
  ignore: await requirement("qemu") !== null,
  fn: async () => {
    await using vm = await testMachine({ purpose: "missing", guest: false, disks: [{ size: "8M" }] });
    const [path = assert.fail("no disk")] = vm.disks;
    await Deno.rename(path, `${path}.away`);
    await using server = await readyServer();
    const { uuid: vmId } = vm;
    await known(server, vmId);
    const told = `The image of its disk vda is missing: ${path}. Put it back, or detach the disk.`;
    await shows(server, vmId, ({ attention }) => attention.includes(told));
    const [listed] = (await call(server, "get_vms")).filter(({ id }) => id === vmId);
    assert.deepEqual(listed?.attention, [told]);
    await Deno.rename(`${path}.away`, path);
    await shows(
      server,
      vmId,
      ({ attention, diskSizeGb }) => attention.length === 0 && diskSizeGb !== null,
      // Soon: who has put it back looks at the VM's page
      { seconds: 8 },
    );
  },
});
