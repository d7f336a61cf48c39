/** get_vnc_info: where a screen is, as virsh has it. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { call, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("guest") !== null;

Deno.test({
  name: "get_vnc_info() tells port, password or socket",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    const machine = (vnc: boolean | { password?: string; socket?: boolean }) =>
      testMachine({ purpose: "vnc", guest: false, start: true, vnc });
    const running = (vmId: string) => shows(server, vmId, ({ state }) => state === "running");

    await t.step("TCP with a password", async () => {
      await using vm = await machine({ password: `a'<"&b` });
      const { vncPort } = await running(vm.uuid);
      const info = await call(server, "get_vnc_info", { vmId: vm.uuid });
      const port = 5900 + Number((await virsh("vncdisplay", vm.name)).split(":")[1]);
      assert.deepEqual(info, { host: "127.0.0.1", port, password: `a'<"&b` });
      assert.equal(vncPort, port);
      using connection = await Deno.connect({ hostname: info.host, port });
      const greeting = new Uint8Array(12);
      await connection.read(greeting);
      assert.match(new TextDecoder().decode(greeting), /^RFB 003\.\d{3}\n$/); // RFC 6143, 7.1.1
      const shown = JSON.stringify(await call(server, "get_vm", { vmId: vm.uuid }));
      assert.equal(shown.includes("a'<"), false, "the password is in get_vm");
      assert.equal((await call(server, "get_vm_xml", { vmId: vm.uuid })).xml.includes("passwd="), false);
    });
    await t.step("TCP without a password", async () => {
      await using vm = await machine(true);
      const { vncPort } = await running(vm.uuid);
      assert.deepEqual(await call(server, "get_vnc_info", { vmId: vm.uuid }), {
        host: "127.0.0.1",
        port: vncPort,
      });
      await call(server, "force_stop_vm", { vmId: vm.uuid });
      await refused(call(server, "get_vnc_info", { vmId: vm.uuid }), "VmNotRunning", "VM is not running");
    });
    await t.step("a UNIX socket", async () => {
      await using vm = await machine({ socket: true });
      await running(vm.uuid);
      const { port, socket } = await call(server, "get_vnc_info", { vmId: vm.uuid });
      assert.equal(port, null);
      assert.equal(
        socket,
        /unix:\/\/(.*\.sock)/.exec(await virsh("domdisplay", vm.name, "--type", "vnc"))?.[1] ??
          /(\/.*\.sock)/.exec(await virsh("domdisplay", vm.name, "--type", "vnc"))?.[1],
      );
    });
    await t.step("none", async () => {
      await using vm = await machine(false);
      await running(vm.uuid);
      const text = "VNC not configured for this VM";
      await refused(call(server, "get_vnc_info", { vmId: vm.uuid }), "VncNotConfigured", text);
    });
    await t.step(
      "an unknown machine",
      () => refused(call(server, "get_vnc_info", { vmId: "nobody" }), "VmNotFound", "VM not found: nobody"),
    );
  },
});
