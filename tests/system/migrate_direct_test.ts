/** migrate_vm() past the link: memory and disks go from QEMU to QEMU, by TCP with QEMU's TLS. */
import assert from "node:assert/strict";
import { ADDRESS, certificatesOf, certify, connectDirectly, receivedBytes } from "../testbed/cable.ts";
import { testFolder } from "../testbed/folder.ts";
import { migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { call, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu", "sasl") !== null;
const DISK_MIB = 24;

Deno.test({
  name: "a VM moves past the link, from QEMU to QEMU, with QEMU's own TLS",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    await using folder = await testFolder();
    await connectDirectly(hosts, folder.path);
    const path = await randomImage(from, "disk.qcow2", DISK_MIB);
    const { name, uuid: vmId } = await from.libvirt.machine({
      start: true,
      disks: [{ path, format: "qcow2", bus: "virtio" }],
    });
    await shows(from.server, vmId, ({ state }) => state === "running");
    const move = (directTo: string) => call(from.server, "migrate_vm", { vmId, toHost: "there", directTo });
    /** It runs here as before, and nothing of it is there. */
    const stayed = async () => {
      assert.deepEqual([await from.vms("--state-running"), await to.vms()], [[name], []]);
      await until("what was made there to go", async () => (await to.volumes()).length === 0);
      assert.equal(await from.left() + await to.left(), "");
    };

    await t.step("the plan says what that needs", async () => {
      const { possible, findings } = await call(from.server, "get_migration_plan", {
        vmId,
        toHost: "there",
        directTo: ADDRESS.to,
      });
      assert.equal(possible, true);
      assert.deepEqual(findings.map(({ check, level }) => [check, level]), [["direct", "warning"]]);
      assert.match(findings[0]!.text, /198\.18\.250\.2 itself.*\/etc\/pki\/qemu/);
    });
    await t.step("what is no name or address is refused", async () => {
      for (const directTo of ["", "-x", "kvm2/../x", "kvm2:49152?x=y", "kvm2 kvm3"]) {
        await refused(move(directTo), "InvalidInput");
      }
    });
    await t.step("an address at which there is none: it stays, with the reason", async () => {
      await refused(move(ADDRESS.nobody), "MigrationFailed", /198\.18\.250\.3/);
      await stayed();
    });
    await t.step("a certificate for another name: it stays, with the reason", async () => {
      await certify(to, folder.path, ADDRESS.nobody);
      await refused(move(ADDRESS.to), "MigrationFailed", /[Cc]ertificate/);
      await stayed();
      await certify(to, folder.path, ADDRESS.to);
    });
    await t.step("no certificate there: it stays, with the reason", async () => {
      const certificate = `${certificatesOf(to)}/server-cert.pem`;
      await Deno.rename(certificate, `${certificate}.away`);
      await refused(move(ADDRESS.to), "MigrationFailed", /server-cert\.pem/);
      await stayed();
      await Deno.rename(`${certificate}.away`, certificate);
    });
    await t.step("it moves, by the cable and not by the link", async () => {
      const before = await receivedBytes(to);
      const { disks } = await move(ADDRESS.to);
      assert.deepEqual(disks.map(({ shared }) => shared), [false]);
      assert.deepEqual([await from.vms(), await to.vms("--state-running")], [[], [name]]);
      assert.ok(await receivedBytes(to) - before > DISK_MIB * 2 ** 20, "its disk came by the cable");
    });
    await t.step("and back", async () => {
      await shows(to.server, vmId, ({ state }) => state === "running");
      await call(to.server, "migrate_vm", { vmId, toHost: "there", directTo: ADDRESS.from });
      assert.deepEqual([await from.vms("--state-running"), await to.vms()], [[name], []]);
    });
  },
});
