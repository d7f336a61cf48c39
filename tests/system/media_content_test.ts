/** Files that are given to a VM as an ISO or a disk and are none: told of in pools, refused elsewhere unless that is said. */
import assert from "node:assert/strict";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { virsh } from "../testbed/libvirt.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";

Deno.test("a text file is no ISO, and a packed one no disk", async (t) => {
  await using pool = await testPool("media-content");
  await using server = await readyServer();
  await using claim = await claimedVm("media-content");
  const folder = filesOf(claim.name);
  await Deno.mkdir(folder, { recursive: true });
  const iso = new Uint8Array(65_536);
  iso.set(new TextEncoder().encode("\u0001CD001"), 32_768);
  for (const place of [folder, pool.path]) {
    await Deno.writeFile(`${place}/good.iso`, iso);
    await Deno.writeTextFile(`${place}/notes.iso`, "these are notes\n".repeat(100));
    await run(["sh", "-c", `xz -c ${place}/good.iso > ${place}/disk.raw.xz`]);
  }
  await virsh("pool-refresh", pool.name);
  const wish = { name: claim.name, memoryMb: 128, cpuCount: 1, nics: [] };
  const codes = (warnings: readonly { code: string; field: string }[]) =>
    warnings.filter(({ code }) => /Iso|Content/.test(code)).map(({ code, field }) => `${field} ${code}`);
  const made: string[] = [];

  await t.step(
    "create_vm warns of one in a pool, refuses one elsewhere, takes it when that is said",
    async () => {
      const checked = async (more: object) => {
        const { errors, warnings } = await call(server, "check_vm_config", { ...wish, disks: [], ...more });
        return [...errors.map(({ code }) => code), ...codes(warnings)];
      };
      assert.deepEqual(await checked({ isoPath: `${pool.name}/good.iso` }), []);
      assert.deepEqual(await checked({ isoPath: `${folder}/good.iso` }), []);
      assert.deepEqual(await checked({ isoPath: `${pool.name}/notes.iso` }), ["isoPath NoIso"]);
      assert.deepEqual(await checked({ isoPath: `${folder}/notes.iso` }), ["DiskRefused"]);
      assert.deepEqual(await checked({ isoPath: `${folder}/notes.iso`, anyMedium: true }), ["isoPath NoIso"]);
      const disk = (path: string, more = {}) => ({ disks: [{ path: `${pool.name}/${path}`, ...more }] });
      assert.deepEqual(await checked(disk("disk.raw.xz")), ["DiskRefused"]);
      assert.deepEqual(
        await checked(disk("disk.raw.xz", { copyAs: "qcow2", pool: pool.name })),
        ["DiskRefused"],
      );
      assert.deepEqual(await checked(disk("disk.raw.xz", { format: "raw" })), [
        "disks.0.path StrangeContent",
      ]);
      assert.deepEqual(await checked(disk("notes.iso")), ["disks.0.path StrangeContent"]);
      const { id } = await call(server, "create_vm", {
        ...wish,
        disks: [],
        isoPath: `${pool.name}/good.iso`,
      });
      made.push(id);
    },
  );

  await t.step("insert_media says the same", async () => {
    const vmId = made[0]!;
    const { disks } = await known(server, vmId);
    const target = disks.find(({ device }) => device === "cdrom")!.target;
    const insert = (path: string, more = {}) => call(server, "insert_media", { vmId, target, path, ...more });
    assert.deepEqual(codes((await insert(`${pool.name}/notes.iso`)).warnings ?? []), ["path NoIso"]);
    assert.equal((await insert(`${folder}/good.iso`)).warnings, undefined);
    await refused(insert(`${folder}/notes.iso`), "DiskRefused", /no volume descriptor, it is text/);
    assert.deepEqual(codes((await insert(`${folder}/notes.iso`, { anyMedium: true })).warnings ?? []), [
      "path NoIso",
    ]);
  });
});
