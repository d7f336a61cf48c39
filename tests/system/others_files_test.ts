/** Definitions from outside that name another VM's files as their own: nothing of them is taken. */
import assert from "node:assert/strict";
import { noFirmware } from "../testbed/firmware.ts";
import { testFolder } from "../testbed/folder.ts";
import { virsh, virshUnless } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { testName } from "../testbed/names.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null || Deno.uid() !== 0 || await noFirmware() !== null;

Deno.test({
  name:
    "set_vm_xml, check_vm_xml and import_vm take no file that is another VM's, or libvirt's, for a VM's own",
  ignore,
  fn: async (t) => {
    await using undo = new AsyncDisposableStack();
    const other = undo.use(
      await testMachine({ purpose: "files-other", guest: false, agent: true, disks: [{ size: "4M" }] }),
    );
    const { path: folder } = undo.use(await testFolder());
    await Deno.writeTextFile(
      `${folder}/uefi.xml`,
      (await other.xml("--inactive")).replace("<os>", "<os firmware='efi'>"),
    );
    await virsh("define", `${folder}/uefi.xml`);
    await other.start();
    undo.defer(async () => {
      await virshUnless(/not running/, "destroy", other.name);
      await virshUnless(/failed to get domain/i, "undefine", other.name, "--nvram");
    });
    const vm = undo.use(await testMachine({ purpose: "files-own", guest: false }));
    const server = undo.use(await readyServer());
    const vmId = vm.uuid, name = await testName("files-brought");
    undo.defer(() => removeDomain(name));
    for (const { uuid } of [vm, other]) await known(server, uuid);
    await Deno.symlink("/run/libvirt/qemu", `${folder}/link`);
    const load = async () => (await call(server, "get_vm_xml", { vmId, secure: true, inactive: true })).xml;
    // It gets another id; its log is the VM's that has it now
    const withoutId = (xml: string) =>
      xml.replace(/<uuid>.*?<\/uuid>/, "").replace(new RegExp(`<log file='${vm.serialLog}'[^>]*/>`, "g"), "");
    const serial = (path: string, type = "file") =>
      type === "log"
        ? `<serial type='pty'><log file='${path}' append='off'/></serial>`
        : `<serial type='${type}'><source ${type === "unix" ? "mode='bind' " : ""}path='${path}'/></serial>`;
    const variables = `/var/lib/libvirt/qemu/nvram/${other.name}_VARS.fd`;
    assert.ok((await Deno.stat(variables)).isFile);
    const [disk] = other.disks as [string];
    const status = await Deno.readTextFile(`/run/libvirt/qemu/${other.name}.xml`);
    const cases: readonly (readonly [what: string, device: string, reason: RegExp])[] = [
      ["a running VM's status", serial(`/run/libvirt/qemu/${other.name}.xml`, "unix"), /libvirt keeps/],
      ["by /var/run", serial(`/var/run/libvirt/qemu/${other.name}.xml`, "unix"), /libvirt keeps/],
      ["by a link", serial(`${folder}/link/${other.name}.xml`, "unix"), /libvirt keeps/],
      ["by ..", serial(`/var/log/../../run/libvirt/qemu/none.xml`, "unix"), /libvirt keeps/],
      ["a stored definition", serial(`/etc/libvirt/qemu/${other.name}.xml`), /libvirt keeps/],
      [
        "its log",
        serial(`/var/log/libvirt/qemu/${other.name}.log`, "log"),
        /is the log of the VM kvmm-test-files-other/,
      ],
      ["its serial line's file", serial(other.serialLog, "log"), /is a file of kvmm-test-files-other/],
      ["its disk", serial(disk), /is a file of kvmm-test-files-other/],
      ["its saved memory", serial(`/var/lib/libvirt/qemu/save/${other.name}.save`), /libvirt keeps/],
    ];
    for (const [what, device, reason] of cases) {
      await t.step(what, async () => {
        const xml = (await load()).replace("</devices>", `${device}</devices>`);
        const { problem } = await call(server, "check_vm_xml", { vmId, xml });
        assert.match(problem?.message ?? "", reason);
        await refused(call(server, "set_vm_xml", { vmId, xml }), "PathRefused", reason);
        await refused(call(server, "import_vm", { xml: withoutId(xml), name }), "PathRefused", reason);
        assert.doesNotMatch(await load(), /files-other/);
      });
    }
    const uefi = async () =>
      (await load()).replace(
        /<os>([^]*?)<\/os>/,
        `<os firmware='efi'>$1<nvram>${variables}</nvram></os>`,
      );
    await t.step("its UEFI variables", async () => {
      const xml = await uefi(), reason = /is a file of kvmm-test-files-other/;
      assert.ok(xml.includes(variables));
      assert.match((await call(server, "check_vm_xml", { vmId, xml })).problem?.message ?? "", reason);
      await refused(call(server, "set_vm_xml", { vmId, xml }), "PathRefused", reason);
      await refused(call(server, "import_vm", { xml: withoutId(xml), name }), "PathRefused", reason);
    });
    await t.step("a copy of what runs gets sockets and variables of its own", async () => {
      const running = (await virsh("dumpxml", other.name)).replace(/<seclabel[^]*?<\/seclabel>/g, "");
      assert.match(running, /<channel type='unix'>\s*<source mode='bind' path='[^']*\d+-kvmm-test/);
      assert.match(running, new RegExp(`<nvram[^>]*>${variables}<`));
      const xml = running.replace(/<disk [^]*?<\/disk>/g, "");
      const { warnings } = await call(server, "import_vm", { xml, name, newId: true, newMacs: true });
      const stored = await virsh("dumpxml", name, "--inactive");
      for (const path of [variables, "/channel/", other.serialLog]) {
        assert.ok(!stored.includes(`${path}<`), path);
      }
      assert.doesNotMatch(stored, /<source mode='bind' path=/);
      assert.match(warnings.join("\n"), /UEFI variables of its own/);
      await virsh("undefine", name, "--nvram");
    });
    await t.step("a file of its own is taken, and stays its own", async () => {
      const xml = (await load()).replace("</devices>", `${serial(`${folder}/own.log`)}</devices>`);
      await call(server, "set_vm_xml", { vmId, xml });
      const next = (await load()).replace("</name>", "</name><title>changed</title>");
      assert.deepEqual(await call(server, "check_vm_xml", { vmId, xml: next }), { problem: null });
      await call(server, "set_vm_xml", { vmId, xml: next });
      assert.match(await load(), /<title>changed<\/title>/);
    });
    assert.equal(await other.state(), "running");
    assert.equal(await Deno.readTextFile(`/run/libvirt/qemu/${other.name}.xml`), status);
  },
});
