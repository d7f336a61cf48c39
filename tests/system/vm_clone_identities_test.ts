/** A clone runs at the same time as its original, whatever the original has fixed of the host. */
import assert from "node:assert/strict";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { freePort } from "../testbed/free_port.ts";
import { virsh } from "../testbed/libvirt.ts";
import { filesOf } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { call, known, readyServer } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { markup } from "../testbed/xml.ts";

const ignore = await requirement("qemu") !== null;

Deno.test({
  name:
    "clone_vm() of a VM with a fixed tap, VNC port, serial port and log gives one that starts while it runs",
  ignore,
  fn: async () => {
    await using network = await testNetwork("clone-identities");
    await using server = await readyServer();
    await using original = await claimedVm("fixed");
    await using copy = await claimedVm("fixed-copy");
    const folder = filesOf(original.name);
    await Deno.mkdir(folder, { recursive: true });
    await Deno.chmod(folder, 0o777);
    const tap = `kvmmt${crypto.randomUUID().slice(0, 6)}`;
    const domain =
      markup`<domain type='qemu'><name>${original.name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>
<interface type='network'><mac address='52:54:00:aa:bb:31'/><source network='${network.name}'/><target dev='${tap}'/><model type='virtio'/></interface>
<serial type='tcp'><source mode='bind' host='127.0.0.1' service='${freePort()}'/><protocol type='raw'/></serial>
<serial type='file'><source path='${folder}/${original.name}.log'/></serial>
<graphics type='vnc' port='${5950 + freePort() % 40}' autoport='no' listen='127.0.0.1'/>
</devices></domain>`;
    await Deno.writeTextFile(`${folder}/domain.xml`, String(domain));
    await virsh("define", `${folder}/domain.xml`);
    const vmId = (await virsh("domuuid", original.name)).trim();
    await known(server, vmId);
    const made = await call(server, "clone_vm", { vmId, name: copy.name });
    await call(server, "start_vm", { vmId });
    await call(server, "start_vm", { vmId: made.vmId });
    assert.equal((await virsh("domstate", copy.name)).trim(), "running");
    const xml = await virsh("dumpxml", "--inactive", copy.name);
    assert.doesNotMatch(xml, new RegExp(`${tap}|52:54:00:aa:bb:31|autoport='no'|type='tcp'`));
    assert.match(xml, new RegExp(`${copy.name}\\.log`));
    for (const { name } of [original, copy]) await virsh("destroy", name);
  },
});
