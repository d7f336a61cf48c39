/** A right to the storage is none to the disks of VMs that one may not see (threat 23), whatever command reads them. */
import assert from "node:assert/strict";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { asRoot, type Person, personWith } from "../testbed/people.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { known, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";

const ignore = await requirement("qemu") !== null;
const PERMISSIONS = ["storage.view", "storage.operate"];

Deno.test({
  name: "who keeps the storage reads no disk of a VM out of sight: downloaded, built on, copied, attached",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("unseen");
    await using theirs = await testMachine({
      purpose: "unseen-theirs",
      guest: false,
      disks: [{ pool, format: "qcow2", size: "4M" }],
    });
    await using mine = await testMachine({
      purpose: "unseen-mine",
      guest: false,
      disks: [{ pool, format: "qcow2", size: "4M" }],
    });
    await using server = await readyServer();
    await asRoot(server, "create_role", { role: "keeper", permissions: PERMISSIONS });
    const grant = { role: "keeper", on: { kind: "everything" } } as const;
    const keeper = await personWith(server, "keeper", [grant]);
    const both = await personWith(server, "both", [
      grant,
      { role: "operator", on: { kind: "vm", vmId: mine.uuid } },
    ]);
    for (const { uuid } of [theirs, mine]) {
      await known(server, uuid);
      await shows(server, uuid, ({ disks }) => disks.length === 1);
    }
    const nameOf = (path: string) => path.slice(path.lastIndexOf("/") + 1);
    const [other] = theirs.disks as [string], [own] = mine.disks as [string];
    // What a disk of theirs is built on, and what is built on a disk of theirs
    const over = `${filesOf(pool.name)}/pool/over.qcow2`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", other, "-F", "qcow2", over]);
    await pool.createVolume("free.qcow2", "1M");
    await virsh("pool-refresh", pool.name);
    const download = (who: Person, name: string) =>
      who.fetch(`/api/v1/storage/pools/${pool.name}/volumes/${name}/content`);

    let made = 0;
    const reads = (volume: string): [string, Record<string, unknown>][] => [
      ["create_volume", { pool: pool.name, name: `new${made++}.qcow2`, backing: `${pool.name}/${volume}` }],
      ["clone_volume", { pool: pool.name, volume, name: `new${made++}.qcow2` }],
      ["convert_volume", { pool: pool.name, volume, name: `new${made++}.raw`, format: "raw" }],
    ];
    for (const who of [keeper, both]) {
      for (const volume of [nameOf(other), "over.qcow2"]) {
        for (const [command, input] of reads(volume)) {
          await t.step(
            `${command} of ${volume}`,
            () => refused(who.raw(command, input), "DiskRefused", /may not see/),
          );
        }
      }
      await t.step("the download of their disk", async () => {
        const response = await download(who, nameOf(other));
        assert.equal((await response.json()).code, "DiskRefused");
      });
    }
    await t.step("one's own VM's disk, and what is no VM's, are read as ever", async () => {
      for (const [who, name] of [[both, nameOf(own)], [keeper, "free.qcow2"]] as const) {
        const response = await download(who, name);
        await response.body?.cancel();
        assert.equal(response.status, 200, name);
        for (const [command, input] of reads(name)) await who.raw(command, input);
      }
    });
    await t.step("their disk is not attached to one's own VM, nor is what is built on it", async () => {
      for (const path of [`${pool.name}/${nameOf(other)}`, `${pool.name}/over.qcow2`]) {
        await refused(
          both.raw("attach_disk", { vmId: mine.uuid, path, live: false }),
          "DiskRefused",
          /may not see/,
        );
      }
    });
    await t.step("who sees all VMs may read all of it", async () => {
      const operator = await personWith(server, "op", [{ role: "operator", on: { kind: "everything" } }]);
      const response = await download(operator, nameOf(other));
      await response.body?.cancel();
      assert.equal(response.status, 200);
    });
  },
});
