/** VMs that run although libvirt takes them for off, since it could not read again what it wrote down of them. */
import assert from "node:assert/strict";
import { commandOf } from "../testbed/pid.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { call, refused, shows } from "../testbed/product.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";

const reason = await requirement("qemu") ??
  (Deno.uid() === 0 ? null : "only root can make a private libvirtd");

Deno.test({
  name:
    "a VM that libvirt lost while it runs is named, left alone, and can be used again once its QEMU has ended",
  ignore: reason !== null,
  fn: async () => {
    await using host = await privateLibvirt("lost");
    const [lost, other] = [await host.machine({ start: true }), await host.machine({ start: true })];
    await using server = await startServer({ uri: host.uri });
    for (const { uuid } of [lost, other]) await shows(server, uuid, ({ state }) => state === "running");
    const pid = await lost.qemuPid() ?? assert.fail("there is no QEMU");

    await host.lose(lost.name);
    assert.equal(await lost.state(), "shut off");
    assert.notEqual(await commandOf(pid), null);
    await shows(
      server,
      lost.uuid,
      ({ state, attention }) =>
        state === "stopped" &&
        attention.some((text) => text.startsWith(`It still runs as process ${pid} of the host`)),
    );
    await shows(server, other.uuid, ({ state, attention }) => state === "running" && attention.length === 0);
    for (const command of ["start_vm", "delete_vm"] as const) {
      const asked = call(server, command, { vmId: lost.uuid });
      await refused(asked, "VmBusy", /process \d+ of the host, which libvirt has lost/);
    }
    assert.notEqual(await commandOf(pid), null);

    Deno.kill(pid, "SIGTERM");
    await shows(server, lost.uuid, ({ attention }) => attention.length === 0);
    await call(server, "start_vm", { vmId: lost.uuid });
    assert.equal(await lost.state(), "running");
  },
});
