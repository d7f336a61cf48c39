/** migrate_vm(): a VM that is off moves with its snapshots, within its images and in images of their own. */
import assert from "node:assert/strict";
import { type MigrationHost, migrationHosts } from "../testbed/migration_hosts.ts";
import { run } from "../testbed/process.ts";
import { call, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;

/** Has QEMU read or write a pattern in an image, as a guest would. @throws {Error} where it reads something else */
async function io({ libvirt }: MigrationHost, what: "read" | "write", path: string, pattern: number) {
  const said = await libvirt.inside("qemu-io", "-f", "qcow2", "-c", `${what} -P ${pattern} 64M 4M`, path);
  assert.match(said, new RegExp(`^${what === "read" ? "read" : "wrote"} 4194304/4194304`), said);
}

Deno.test({
  name: "a VM that is off moves with its snapshots, and is reverted there",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    const { id: vmId } = await call(from.server, "create_vm", {
      name: "snapped",
      cpuCount: 1,
      memoryMb: 128,
      nics: [],
      disks: [{ sizeGb: 1, pool: "images" }],
    });
    /** The image in use. */
    const image = async (host: MigrationHost) => {
      const line = (await host.libvirt.virsh("domblklist", vmId, "--details")).split("\n")
        .find((each) => each.includes("vda"))!;
      return line.trim().split(/\s+/).at(-1)!;
    };
    const write = async (pattern: number) => await io(from, "write", await image(from), pattern);
    await write(0x11);
    await call(from.server, "create_snapshot", { vmId, name: "within" });
    await write(0x22);
    await from.libvirt.virsh("snapshot-create-as", vmId, "external", "--disk-only");
    await write(0x33);
    await from.libvirt.virsh("pool-refresh", "images");
    const snapshots = ({ libvirt }: MigrationHost) => libvirt.virsh("snapshot-list", vmId, "--tree");
    const tree = await snapshots(from);
    const current = await from.libvirt.virsh("snapshot-current", vmId, "--name");
    // Others are in the way of the names there
    await run(["qemu-img", "create", "-q", "-f", "qcow2", `${to.images}/snapped.qcow2`, "1M"]);
    await to.libvirt.virsh("pool-refresh", "images");

    await t.step("it moves: images are linked to each other there, under other names", async () => {
      const plan = await call(from.server, "get_migration_plan", { vmId, toHost: "there" });
      assert.equal(plan.possible, true, JSON.stringify(plan.findings));
      await call(from.server, "migrate_vm", { vmId, toHost: "there", keepDisks: true });
      assert.deepEqual([await from.vms(), await to.vms()], [[], ["snapped"]]);
      assert.equal(await snapshots(to), tree);
      assert.equal(await to.libvirt.virsh("snapshot-current", vmId, "--name"), current);
      const now = await image(to);
      const info = JSON.parse(
        await to.libvirt.inside("qemu-img", "info", "--output=json", "--backing-chain", now),
      );
      assert.equal(info.length, 2);
      assert.equal(info[1].snapshots[0].name, "within");
      assert.ok(info[1].filename.startsWith("/var/lib/libvirt/images/"));
      assert.deepEqual([...from.open(), ...to.open()], []);
      assert.deepEqual([await from.left(), await to.left()], ["", ""]);
    });

    await t.step("it has its data, starts, and is reverted to either", async () => {
      await io(to, "read", await image(to), 0x33);
      await call(to.server, "start_vm", { vmId });
      await call(to.server, "force_stop_vm", { vmId });
      await call(to.server, "revert_snapshot", { vmId, name: "external" });
      await io(to, "read", await image(to), 0x22);
      // What a snapshot keeps is protected there from the first moment on
      const [volume] = (await to.volumes()).filter((name) => name !== "snapped.qcow2");
      await refused(call(to.server, "delete_volume", { pool: "images", volume: volume! }), "VolumeInUse");
    });

    await t.step("back without them: what it has now goes along", async () => {
      const plan = await call(to.server, "get_migration_plan", { vmId, toHost: "there", snapshots: "drop" });
      assert.match(plan.findings.map(({ text }) => text).join(), /snapshots are not there any more.*within/);
      const { warnings } = await call(to.server, "migrate_vm", { vmId, toHost: "there", snapshots: "drop" });
      assert.equal((await snapshots(from)).trim(), "");
      await io(from, "read", await image(from), 0x22);
      const [{ "backing-filename": base } = {}] = JSON.parse(
        await from.libvirt.inside(
          ...["qemu-img", "info", "--output=json", "--backing-chain"],
          await image(from),
        ),
      );
      assert.equal(base, undefined);
      // Of the images that it left, what is in the bin needs the one below it, which stays, and that is said
      assert.deepEqual(await to.volumes(), ["snapped-2.qcow2", "snapped.qcow2"]);
      assert.match(warnings.join("\n"), /snapped-2\.qcow2 stays/);
    });
  },
});
