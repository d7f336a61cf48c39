/** A VM without USB: what goes by USB says so, and the guest tools come by another bus. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;

Deno.test({
  name: "guest tools reach a running VM without USB at its next start, and a USB disk is refused in words",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "no-usb", guest: false, disks: [{}] });
    const usb =
      /<(controller type='usb'|input type='tablet' bus='usb')[^>]*(\/>|>[\s\S]*?<\/(controller|input)>)/g;
    const xml = (await virsh("dumpxml", "--inactive", vm.name)).replace(usb, "")
      .replace("</devices>", "<controller type='usb' model='none'/></devices>");
    const file = await Deno.makeTempFile({ suffix: ".xml" });
    try {
      await Deno.writeTextFile(file, xml);
      await virsh("define", file);
    } finally {
      await Deno.remove(file);
    }
    await using server = await readyServer();
    await known(server, vm.uuid);
    await vm.start();
    const vmId = vm.uuid;
    const create = { sizeGb: 1 };
    await refused(
      call(server, "attach_disk", { vmId, create, bus: "usb" }),
      "NoUsbController",
      /has no USB controller, so it takes no USB disk\. Add a controller/,
    );
    const tools = await call(server, "insert_guest_tools", { vmId });
    assert.equal(tools.applies, "next start");
    assert.match(
      await virsh("dumpxml", "--inactive", vm.name),
      new RegExp(`target dev='${tools.target}' bus='(ide|sata)'`),
    );
  },
});
