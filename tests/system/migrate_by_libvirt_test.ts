/** migrate_vm() from and to a host that is reached by its libvirt alone: a VM that is off goes with its disks, or stays whole. */
import assert from "node:assert/strict";
import { MigrationHost, randomImage } from "../testbed/migration_hosts.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { run } from "../testbed/process.ts";
import { call, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";
import { markup } from "../testbed/xml.ts";

const ignore = await requirement("qemu") !== null;
const MIB = 1024 ** 2;

Deno.test({
  name: "a VM that is off moves to a host reached by libvirt alone, and back, with its disks",
  ignore,
  fn: async (t) => {
    await using undo = new AsyncDisposableStack();
    const near = await MigrationHost.start("near", undo), far = undo.use(await privateLibvirt("far"));
    const { libvirt } = near, images = far.stateFile("images");
    await Deno.mkdir(images, { recursive: true });
    await far.virsh("pool-define-as", "images", "dir", "--target", "/var/lib/libvirt/images");
    await far.virsh("pool-start", "images");
    await call(near.server, "add_host", { name: "far", uri: far.uri });
    await until(
      "the other host",
      async () =>
        (await call(near.server, "list_hosts")).some(({ id, status }) =>
          id === "far" && status === "connected"
        ),
    );
    const names = async (virsh: (...args: string[]) => Promise<string>) =>
      (await virsh("list", "--all", "--name")).split("\n").filter((name) => name !== "");
    const vms = async () => [await near.vms(), await names((...args) => far.virsh(...args))];
    const farFiles = async () =>
      (await Array.fromAsync(Deno.readDir(images), ({ name }) => name)).filter((name) =>
        !name.startsWith(".")
      );
    const [first, second] = [await randomImage(near, "a.qcow2", 24), `${near.images}/b.raw`];
    await run(["sh", "-c", 'head -c 4M /dev/urandom > "$1"', "sh", second]);
    await run(["cp", `${near.images}/a.qcow2`, `${near.libvirt.folder}/a`]);
    await run(["cp", second, `${near.libvirt.folder}/b`]);
    await libvirt.virsh("pool-refresh", "images");
    const { name, uuid: vmId } = await libvirt.machine({
      disks: [
        { path: first, format: "qcow2", bus: "virtio" },
        { path: "/var/lib/libvirt/images/b.raw", format: "raw", bus: "virtio" },
      ],
    });
    await shows(near.server, vmId, ({ state }) => state === "stopped");
    await call(near.server, "refresh_storage_pool", { pool: "images" });
    await call(near.server, "set_tags", { vmId, tags: ["web"] });
    await call(near.server, "set_autostart", { vmId, autostart: true });
    const compare = async (a: string, b: string) => {
      await run(["qemu-img", "compare", "-q", a, `${near.libvirt.folder}/a`]);
      await run(["cmp", b, `${near.libvirt.folder}/b`]);
    };

    await t.step("the plan says so, and changes nothing", async () => {
      const plan = await call(near.server, "get_migration_plan", { vmId, toHost: "far" });
      assert.deepEqual(plan.findings, []);
      assert.deepEqual(plan.disks, [
        { target: "vda", shared: false, sizeBytes: 24 * MIB, pool: "images", volume: "a.qcow2" },
        { target: "vdb", shared: false, sizeBytes: 4 * MIB, pool: "images", volume: "b.raw" },
      ]);
      assert.deepEqual(await farFiles(), []);
    });

    await t.step("one that runs is refused, with what to do", async () => {
      await call(near.server, "start_vm", { vmId });
      await shows(near.server, vmId, ({ state }) => state === "running");
      await refused(
        call(near.server, "migrate_vm", { vmId, toHost: "far" }),
        "VmNotMovable",
        /Shut it down first, or install KVM Manager on both hosts/,
      );
      await call(near.server, "force_stop_vm", { vmId });
      await shows(near.server, vmId, ({ state }) => state === "stopped");
    });

    await t.step(
      "snapshots, a disk of no pool, a disk on another image: refused, with what to do",
      async () => {
        const other = async (path: string) => {
          const vm = await libvirt.machine({ disks: [{ path, format: "qcow2", bus: "virtio" }] });
          await shows(near.server, vm.uuid, ({ state }) => state === "stopped");
          return vm;
        };
        await run(["qemu-img", "create", "-q", "-f", "qcow2", `${libvirt.folder}/apart.qcow2`, "1M"]);
        const apart = await other(`${libvirt.folder}/apart.qcow2`);
        await refused(
          call(near.server, "migrate_vm", { vmId: apart.uuid, toHost: "far" }),
          "VmNotMovable",
          /in no started storage pool/,
        );
        await libvirt.virsh("snapshot-create-as", apart.name, "old");
        await refused(
          call(near.server, "migrate_vm", { vmId: apart.uuid, toHost: "far" }),
          "VmNotMovable",
          /snapshots.*old/,
        );
        await libvirt.virsh("snapshot-delete", apart.name, "old");
        await libvirt.inside(
          ...["qemu-img", "create", "-q", "-f", "qcow2", "-b", first, "-F", "qcow2"],
          "/var/lib/libvirt/images/over.qcow2",
        );
        await libvirt.virsh("pool-refresh", "images");
        const over = await other("/var/lib/libvirt/images/over.qcow2");
        await refused(
          call(near.server, "migrate_vm", { vmId: over.uuid, toHost: "far" }),
          "VmNotMovable",
          /built on .*a\.qcow2/,
        );
        for (const vm of [apart, over]) await libvirt.virsh("undefine", vm.name);
        await Deno.remove(`${near.images}/over.qcow2`);
        const tpm = await libvirt.machine({
          devices: markup`<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>`,
        });
        await shows(near.server, tpm.uuid, () => true);
        await refused(
          call(near.server, "migrate_vm", { vmId: tpm.uuid, toHost: "far" }),
          "VmNotMovable",
          /TPM/,
        );
        await libvirt.virsh("undefine", tpm.name);
        await until("both to be gone", async () => (await call(near.server, "get_vms")).length === 1);
        await call(near.server, "refresh_storage_pool", { pool: "images" });
      },
    );

    await t.step("a VM there has the name: refused, and nothing is left", async () => {
      const xml = (await libvirt.virsh("dumpxml", name)).replace(/<uuid>.*<\/uuid>/, "")
        .replaceAll(/<disk[\s\S]*<\/disk>/g, "").replaceAll(/<metadata>[\s\S]*<\/metadata>/g, "");
      await Deno.writeTextFile(`${far.folder}/taken.xml`, xml);
      await far.virsh("define", `${far.folder}/taken.xml`);
      await until("it to be known", async () => (await call(near.server, "get_vms")).length === 2);
      await refused(call(near.server, "migrate_vm", { vmId, toHost: "far" }), "VmNotMovable", /Rename one/);
      await far.virsh("undefine", name);
      await until("it to be gone", async () => (await call(near.server, "get_vms")).length === 1);
      assert.deepEqual(await farFiles(), []);
    });

    await t.step("it moves there, with tags and autostart, and starts", async () => {
      const moved = await call(near.server, "migrate_vm", { vmId, toHost: "far" });
      assert.deepEqual(moved.warnings, []);
      assert.deepEqual(await vms(), [[], [name]]);
      await compare(`${images}/a.qcow2`, `${images}/b.raw`);
      assert.deepEqual([await near.volumes(), near.open()], [[], []]);
      const there = await shows(
        near.server,
        vmId,
        ({ host, state }) => host === "far" && state === "stopped",
      );
      assert.deepEqual([there.tags, there.autostart], [["web"], true]);
      await call(near.server, "start_vm", { vmId });
      await shows(near.server, vmId, ({ state }) => state === "running");
      await call(near.server, "force_stop_vm", { vmId });
      await shows(near.server, vmId, ({ state }) => state === "stopped");
    });

    await t.step(
      "KVM Manager is killed in the middle of its way back: it stays, and nothing is left",
      async () => {
        const asked = call(near.server, "migrate_vm", { vmId, toHost: "local" }).catch(() => "cut");
        await until("a disk to come", async () => (await near.volumes()).length > 0, { every: 5 });
        near.killServer();
        assert.equal(await asked, "cut");
        await near.startServer();
        await until("all to be settled", () => Promise.resolve(near.open().length === 0), { seconds: 60 });
        const [here, there] = await vms();
        assert.deepEqual([here, there], [[], [name]]);
        assert.deepEqual(await near.volumes(), []);
        await compare(`${images}/a.qcow2`, `${images}/b.raw`);
        await shows(near.server, vmId, ({ host, state }) => host === "far" && state === "stopped", {
          seconds: 30,
        });
      },
    );

    await t.step("it moves back, and leaves its disks where that is wanted", async () => {
      const moved = await call(near.server, "migrate_vm", { vmId, toHost: "local", keepDisks: true });
      assert.equal(moved.toHost, "local");
      assert.deepEqual(await vms(), [[name], []]);
      const paths = (await libvirt.virsh("domblklist", name)).match(/[^/\s]+\.(qcow2|raw)/g)!;
      await compare(`${near.images}/${paths[0]}`, `${near.images}/${paths[1]}`);
      assert.equal((await farFiles()).length, 2);
      assert.deepEqual(near.open(), []);
      await libvirt.virsh("start", name);
      await libvirt.virsh("destroy", name);
    });
  },
});
