/** Disks of other hypervisors as they are uploaded: real ones, written by qemu-img, and such that lie. */
import assert from "node:assert/strict";
import { testPool } from "../testbed/pool.ts";
import { call, readyServer, refused } from "../testbed/product.ts";
import { run } from "../testbed/process.ts";
import type { TestServer } from "../testbed/server.ts";
import { CallError } from "../testbed/server.ts";
import { virsh } from "../testbed/libvirt.ts";

/** Makes the disks' content: text, data that cannot be compressed, and holes. @returns its path */
async function content(folder: string): Promise<string> {
  const path = `${folder}/content.raw`;
  await run(["dd", "if=/dev/urandom", `of=${path}`, "bs=1M", "count=5", "seek=3", "status=none"]);
  await run(["truncate", "-s", "48M", path]);
  return path;
}

/** Sends a file as a new volume. */
async function send(server: TestServer, pool: string, name: string, file: string): Promise<unknown> {
  const response = await fetch(`${server.url}/api/v1/storage/pools/${pool}/volumes/${name}/content`, {
    method: "PUT",
    body: await Deno.readFile(file),
  });
  const body = await response.json();
  if (!response.ok) throw new CallError("upload_volume", response.status, body);
  return body;
}

Deno.test("a VMDK, VDI, VHD or VHDX that is uploaded becomes a qcow2 volume with the same content", async (t) => {
  await using pool = await testPool("upload");
  await using server = await readyServer();
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const names = async () => (await call(server, "get_volumes", { pool: pool.name })).map(({ name }) => name);
  try {
    const raw = await content(folder);
    for (
      const [name, format, options] of [
        ["sparse.vmdk", "vmdk", "subformat=monolithicSparse"],
        ["stream.vmdk", "vmdk", "subformat=streamOptimized"],
        ["box.VDI", "vdi", "static=off"],
        ["hyper.vhdx", "vhdx", "subformat=dynamic"],
        ["old.vhd", "vpc", "subformat=dynamic,force_size=on"],
        ["without-ending", "vdi", "static=on"],
      ] as const
    ) {
      await t.step(name, async () => {
        const file = `${folder}/${name}`;
        await run(["qemu-img", "convert", "-f", "raw", "-O", format, "-o", options, raw, file]);
        const answer = await send(server, pool.name, name, file) as Record<string, unknown>;
        const becomes = `${name.replace(/\.[A-Za-z]+$/, "")}.qcow2`, path = `${pool.path}/${becomes}`;
        assert.deepEqual([answer.name, answer.path, answer.format], [becomes, path, "qcow2"]);
        await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, path]);
        assert.deepEqual(await names(), [becomes], "nothing else stays");
        const [job] = await call(server, "list_jobs", { limit: 1 });
        assert.deepEqual([job!.state, job!.progress], ["done", 1]);
        // It is one like any other, and its name is taken.
        await refused(send(server, pool.name, name, file), "VolumeExists");
        assert.deepEqual(await names(), [becomes]);
        await call(server, "delete_volume", { pool: pool.name, volume: becomes });
      });
    }
    await t.step(
      "what lies, leads elsewhere or is cut short is refused, and nothing of it stays",
      async () => {
        const canary = `${folder}/canary`;
        await Deno.writeTextFile(canary, "nobody reads this\n".repeat(10_000));
        const base = `${folder}/base.vmdk`, child = `${folder}/child.vmdk`, flat = `${folder}/flat.vmdk`;
        await run(["qemu-img", "convert", "-f", "raw", "-O", "vmdk", raw, base]);
        await run(["qemu-img", "create", "-q", "-f", "vmdk", "-b", base, "-F", "vmdk", child]);
        await run(["qemu-img", "create", "-q", "-f", "vmdk", "-o", "subformat=monolithicFlat", flat, "48M"]);
        const leading = `${folder}/leading.vmdk`, bytes = await Deno.readFile(base);
        const said = new TextDecoder("latin1").decode(bytes.subarray(512, 512 + 10_240));
        const lied = said.replace(/SPARSE "[^"]*"/, `FLAT "${canary}" 0`);
        assert.notEqual(lied, said);
        bytes.set(new TextEncoder().encode(lied.slice(0, 10_240)), 512);
        await Deno.writeFile(leading, bytes);
        const cut = `${folder}/cut.vhdx`;
        await Deno.writeFile(cut, (await Deno.readFile(`${folder}/hyper.vhdx`)).subarray(0, 70_000));
        for (const file of [child, flat, leading, cut]) {
          await refused(send(server, pool.name, "lies.vmdk", file), "DiskRefused");
          await virsh("pool-refresh", pool.name);
          assert.deepEqual(await names(), [], file);
          assert.deepEqual(await Array.fromAsync(Deno.readDir(pool.path)), [], file);
        }
      },
    );
    await t.step("a disk that is larger than the rules allow is not converted", async () => {
      const policy = await call(server, "get_image_policy");
      await call(server, "set_image_policy", { ...policy, maxVirtualGb: 1 });
      const large = `${folder}/large.vdi`;
      await run(["qemu-img", "create", "-q", "-f", "vdi", large, "2G"]);
      await refused(send(server, pool.name, "large.vdi", large), "ImageTooLarge");
      assert.deepEqual(await Array.fromAsync(Deno.readDir(pool.path)), []);
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
