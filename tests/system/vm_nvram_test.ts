/** UEFI variables, which libvirt finds by the name of their VM: they follow it, and no other VM gets them. */
import assert from "node:assert/strict";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { noFirmware } from "../testbed/firmware.ts";
import { virsh, virshUnless } from "../testbed/libvirt.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { exists } from "../testbed/process.ts";
import { call, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null || await noFirmware() !== null;

const nvramOf = (name: string) => `/var/lib/libvirt/qemu/nvram/${name}_VARS.fd`;
/** Mark that a guest writes into its variables. */
const MARK = 0x5a;

Deno.test({
  name: "a UEFI VM keeps its variables under another name, and who is named as it was begins with none",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    await using pool = await testPool("nvram");
    await using first = await claimedVm("nvram-a");
    await using second = await claimedVm("nvram-b");
    const make = async (name: string) => {
      const { id } = await call(server, "create_vm", {
        name,
        memoryMb: 256,
        firmware: "uefi",
        nics: [],
        disks: [{ sizeGb: 1, pool: pool.name }],
      });
      return id;
    };
    const ran = async (vmId: string) => {
      await call(server, "start_vm", { vmId });
      await call(server, "force_stop_vm", { vmId });
      await shows(server, vmId, ({ state }) => state === "stopped");
    };
    const mark = async (name: string) => {
      const variables = await Deno.readFile(nvramOf(name));
      variables[variables.length - 1] = MARK;
      await Deno.writeFile(nvramOf(name), variables);
    };
    const isMarked = async (name: string) => (await Deno.readFile(nvramOf(name))).at(-1) === MARK;
    const remove = (vmId: string) =>
      call(server, "delete_vm", { vmId, deleteDisks: true, permanently: true });

    const vmId = await make(first.name);
    await ran(vmId);
    await mark(first.name);
    await t.step("renamed, and there and back", async () => {
      await call(server, "set_autostart", { vmId, autostart: true });
      await call(server, "rename_vm", { vmId, name: second.name });
      assert.equal(await exists(nvramOf(first.name)), false);
      await ran(vmId);
      assert.ok(await isMarked(second.name));
      assert.equal(await exists(`/etc/libvirt/qemu/autostart/${first.name}.xml`), false);
      assert.ok(await exists(`/etc/libvirt/qemu/autostart/${second.name}.xml`));
      await call(server, "set_autostart", { vmId, autostart: false });
    });
    await t.step(
      "a VM that is made under the old name has none of them, and renaming does not mix them",
      async () => {
        const other = await make(first.name);
        assert.equal(await exists(nvramOf(first.name)), false);
        await ran(other);
        assert.equal(await isMarked(first.name), false);
        await refused(call(server, "rename_vm", { vmId, name: first.name }), "VmNameExists");
        await remove(other);
        assert.equal(await exists(nvramOf(first.name)), false);
      },
    );
    await t.step("what another program has left at the place of a name is given to no VM", async () => {
      const other = await make(first.name);
      await ran(other);
      await mark(first.name);
      await virsh("undefine", first.name, "--keep-nvram");
      await shows(server, vmId, ({ name }) => name === second.name);
      await until(
        "the other one to be gone",
        async () => (await call(server, "get_vms")).every(({ id }) => id !== other),
      );
      const text = new RegExp(
        `^The UEFI variables of an earlier VM named ${first.name} are still there.+: ${
          nvramOf(first.name)
        }\\.`,
      );
      const { errors } = await call(server, "check_vm_config", { name: first.name, firmware: "uefi" });
      assert.deepEqual(errors.map(({ field, code }) => [field, code]), [["name", "NvramLeft"]]);
      await refused(make(first.name), "NvramLeft", text);
      await refused(call(server, "rename_vm", { vmId, name: first.name }), "NvramLeft", text);
      await refused(call(server, "clone_vm", { vmId, name: first.name }), "NvramLeft", text);
      assert.ok(await isMarked(first.name), "it is still there");
      assert.equal(await virsh("domname", vmId), second.name);
      assert.ok(await isMarked(second.name));
      // As the text advises
      await Deno.rename(nvramOf(first.name), `${filesOf(pool.name)}/kept.fd`);
      await call(server, "rename_vm", { vmId, name: first.name });
      await ran(vmId);
      assert.ok(await isMarked(first.name));
      assert.equal(await exists(nvramOf(second.name)), false);
    });
    await t.step("a definition that names the file is told of its new place", async () => {
      const path = `${filesOf(pool.name)}/named.xml`;
      const xml = await virsh("dumpxml", first.name, "--inactive");
      const named = xml.replace(
        /(<os firmware='efi'>\s*<type[^>]*>hvm<\/type>)/,
        `$1<nvram>${nvramOf(first.name)}</nvram>`,
      );
      assert.notEqual(named, xml);
      await Deno.writeTextFile(path, named);
      await virsh("define", path);
      await call(server, "rename_vm", { vmId, name: second.name });
      const stored = await virsh("dumpxml", second.name, "--inactive");
      assert.match(stored, new RegExp(`<nvram[^>]*>${nvramOf(second.name)}</nvram>`));
      await ran(vmId);
      assert.ok(await isMarked(second.name));
      assert.equal(await exists(nvramOf(first.name)), false);
    });
    await t.step("deleted and made again, it begins with none", async () => {
      await remove(vmId);
      assert.equal(await exists(nvramOf(second.name)), false);
      const again = await make(second.name);
      await ran(again);
      assert.equal(await isMarked(second.name), false);
      await remove(again);
    });
    await virshUnless(/failed to get domain/, "undefine", first.name, "--nvram");
  },
});
