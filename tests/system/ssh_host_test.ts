/** A host is added by SSH, over Debian's sshd: its key is compared, ours opens it, one connection carries libvirt, screens go through it. */
import assert from "node:assert/strict";
import { testFolder } from "../testbed/folder.ts";
import { testMachine } from "../testbed/machine.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { call, refused } from "../testbed/product.ts";
import { openSocket, Viewer } from "../testbed/rfb.ts";
import { startServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { sshServer } from "../testbed/ssh_server.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null || await requirement("ssh") !== null;

Deno.test({
  name: "add_host() by SSH: the host key is compared, and one connection carries libvirt and the screen",
  ignore,
  fn: async (t) => {
    await using local = await privateLibvirt("ssh-local");
    await using machine = await testMachine({ purpose: "ssh", start: true, guest: false, vnc: true });
    await using ssh = await sshServer();
    await using folder = await testFolder();
    await using server = await startServer({ uri: local.uri, dataDir: `${folder.path}/data` });
    const uri = `qemu+ssh://root@127.0.0.1:${ssh.port}/system`;
    const add = (more: { hostKey?: string } = {}) => call(server, "add_host", { name: "far", uri, ...more });
    const far = async () => (await call(server, "list_hosts")).find(({ id }) => id === "far");
    const vmId = machine.uuid;

    await t.step("an unknown host key is shown, and nothing is kept before it was compared", async () => {
      await refused(add(), "HostKeyUnknown", new RegExp(ssh.hostKey.replaceAll("+", "\\+")));
      await refused(add({ hostKey: `SHA256:${"A".repeat(43)}` }), "HostKeyChanged");
      assert.equal(await far(), undefined);
    });
    await t.step("without our key on the host, the list says what to do", async () => {
      const added = await add({ hostKey: ssh.hostKey });
      assert.notEqual(added.status, "connected");
      await until("why", async () => /public key/.test((await far())?.error ?? ""));
    });
    await t.step("with it, the host is connected to, over one connection", async () => {
      const { publicKey } = await call(server, "get_ssh_key");
      assert.match(publicKey, /^ssh-ed25519 /);
      await ssh.authorize(publicKey);
      // It is tried again by itself after a minute
      await call(server, "update_host", { hostId: "far", uri });

      await until("a connection", async () => (await far())?.status === "connected");
      await until("its VM", async () => (await call(server, "get_vms")).some(({ id }) => id === vmId));
      await Promise.all([1, 2, 3, 4].map(() => call(server, "get_vm_xml", { vmId })));
      assert.equal(await ssh.connections(), 1);
    });
    await t.step("commands act there", async () => {
      await call(server, "pause_vm", { vmId });
      assert.equal(await machine.state(), "paused");
      await call(server, "resume_vm", { vmId });
      assert.equal(await machine.state(), "running");
    });
    await t.step("its screen opens through a connection of its own, which ends with it", async () => {
      const ticket = await call(server, "open_console", { vmId, kind: "vnc" });
      {
        await using viewer = await Viewer.join(await openSocket(server, ticket));
        assert.ok(viewer.width > 0);
        assert.equal(await ssh.connections(), 2);
      }
      await until("its end", async () => await ssh.connections() === 1);
    });
    await t.step("where the screen is, is not told: that port here is another program's", async () => {
      await refused(call(server, "get_vnc_info", { vmId }), "ScreenElsewhere");
    });
    await t.step("a connection that breaks comes back", async () => {
      await ssh.cut();
      await until(
        "a connection",
        async () => (await far())?.status === "connected" && await ssh.connections() === 1,
      );
      await until(
        "an answer",
        async () => await call(server, "get_vm_xml", { vmId }).then(() => true, () => false),
      );
    });
    await t.step("another SSH key takes the place of the one before, there and here", async () => {
      const { publicKey: before } = await call(server, "get_ssh_key");
      const { publicKey, faults } = await call(server, "rotate_credential", { credentialId: "ssh-key" });
      assert.notEqual(publicKey, before);
      assert.deepEqual(faults, []);
      const lines = (await Deno.readTextFile(ssh.authorizedKeys)).trim().split("\n");
      assert.deepEqual([lines.includes(before), lines.includes(publicKey)], [false, true]);
      assert.deepEqual(await call(server, "get_ssh_key"), { publicKey });
      const { stdout } = await new Deno.Command("ssh-keygen", {
        args: ["-y", "-f", `${server.runtimeDir}/ssh-key`],
      }).output();
      assert.match(
        await Deno.readTextFile(`${folder.path}/data/ssh/id_ed25519`),
        /BEGIN KVM MANAGER SEALED KEY/,
      );
      assert.equal(new TextDecoder().decode(stdout).trim(), publicKey);
      await ssh.cut();
      await until("a connection", async () => await ssh.connections() > 0);
      await until("an answer", () => call(server, "get_vm_xml", { vmId }).then(() => true, () => false));
      const [used] = (await call(server, "list_credentials")).filter(({ id }) => id === "ssh-key");
      assert.deepEqual([used?.publicKey, used?.uses.map(({ name }) => name)], [publicKey, ["far"]]);
    });
    await t.step("where a host does not take it, the key stays, unless it is forced", async () => {
      const { publicKey: before } = await call(server, "get_ssh_key");
      const lines = await Deno.readTextFile(ssh.authorizedKeys);
      await Deno.writeTextFile(ssh.authorizedKeys, "");
      const rotate = (force: boolean) =>
        call(server, "rotate_credential", { credentialId: "ssh-key", force });
      await refused(rotate(false), "SshKeyNotRotated", /far \(.*[Pp]ermission denied/);
      assert.deepEqual(await call(server, "get_ssh_key"), { publicKey: before });
      // As the text advises
      const { publicKey, faults } = await call(server, "rotate_credential", {
        credentialId: "ssh-key",
        force: true,
      });
      assert.deepEqual(faults.map(({ host }) => host), ["far"]);
      // Its line is another one than ours: it is found, and said
      await Deno.writeTextFile(ssh.authorizedKeys, `${lines}no-pty ${publicKey}\n`);
      const again = await rotate(false);
      assert.match(again.faults[0]?.reason ?? "", /key before still opens it/);
      await call(server, "update_host", { hostId: "far", uri });
      await until("a connection", async () => (await far())?.status === "connected");
    });
    await t.step("a host that shows another key is not spoken to", async () => {
      await ssh.renew();
      await until("why", async () => /host key/.test((await far())?.error ?? ""));
      await refused(call(server, "update_host", { hostId: "far", uri }), "HostKeyChanged");
      await call(server, "update_host", { hostId: "far", uri, hostKey: ssh.hostKey });
      await until("a connection", async () => (await far())?.status === "connected");
    });
    await t.step("removed, it leaves no connection", async () => {
      await call(server, "remove_host", { hostId: "far" });
      await until("its end", async () => await ssh.connections() === 0);
    });
  },
});
