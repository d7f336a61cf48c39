/** A VM with several serial lines: each can be opened, and the first that can be reached when none is named. */
import assert from "node:assert/strict";
import { CONSOLE_CLOSE } from "../../lib/contract/console_close.ts";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { virsh } from "../testbed/libvirt.ts";
import { filesOf } from "../testbed/names.ts";
import { call, readyServer, refused, shows } from "../testbed/product.ts";
import { openSocket } from "../testbed/rfb.ts";
import { requirement } from "../testbed/skip.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import { markup } from "../testbed/xml.ts";

const ignore = await requirement("qemu") !== null;

Deno.test({
  name: "open_console() opens the serial line that is named",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    await using claim = await claimedVm("lines");
    const folder = filesOf(claim.name);
    await Deno.mkdir(folder, { recursive: true });
    await Deno.chmod(folder, 0o777);
    const domain =
      markup`<domain type='qemu'><name>${claim.name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>
<os><type arch='x86_64' machine='q35'>hvm</type></os><devices>
<serial type='file'><source path='${folder}/ser0.log'/><target port='0'/></serial>
<serial type='pty'><target port='1'/></serial>
<console type='pty'><target type='virtio' port='1'/></console>
</devices></domain>`;
    await Deno.writeTextFile(`${folder}/domain.xml`, String(domain));
    await virsh("define", `${folder}/domain.xml`);
    const vmId = (await virsh("domuuid", claim.name)).trim();
    await virsh("start", claim.name);
    await shows(server, vmId, ({ state }) => state === "running");
    const ask = (line?: number, force = false) =>
      call(server, "open_console", { vmId, kind: "serial", force, ...(line !== undefined && { line }) });
    await refused(ask(0), "SerialElsewhere");
    await refused(ask(3), "NoSuchSerialLine", /no serial line 3: the last one is 2/);
    // Two lines are two consoles; the first that can be reached is line 1.
    const sockets: Awaited<ReturnType<typeof openSocket>>[] = [];
    try {
      for (const line of [1, 2]) sockets.push(await openSocket(server, await ask(line)));
      const third = await openSocket(server, await ask());
      const code = await new Promise<number>((resolve) => third.once("close", resolve));
      assert.equal(code, CONSOLE_CLOSE.inUse);
      assert(sockets.every(({ readyState, OPEN }) => readyState === OPEN), "the others go on");
    } finally {
      await Promise.all(sockets.map(async (socket) => {
        const closed = new Promise((resolve) => socket.once("close", resolve));
        socket.close();
        await closed;
      }));
    }
    const page = await fetch(`${server.url}/vms/${vmId}/serial?line=2`, {
      headers: testerHeaders(server.url),
    });
    assert.match(await page.text(), /line=2"[^>]*aria-current="page"/);
    await virsh("destroy", claim.name);
  },
});
