/** Volumes through libvirt's volume API, with virsh and qemu-img as witnesses. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  cloneVolume,
  createVolume,
  defaultPool,
  findVolumeAt,
  findVolumeNamed,
  keepsFiles,
  linkVolume,
  removeVolume,
  resizeVolume,
  uploadVolume,
  volumesOf,
} from "../../agent/storage/volumes.ts";
import { LibvirtError, VIR_ERR } from "../../ffi/error.ts";
import { WorkerPool } from "../../ffi/worker_pool.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { requirement } from "../testbed/skip.ts";
import { URI, virsh } from "../testbed/libvirt.ts";

const ignore = await requirement("guest") !== null;
const MIB = 1024 * 1024;

/** Report of qemu-img on an image. */
async function imageInfo(path: string): Promise<Record<string, unknown>> {
  return JSON.parse(await run(["qemu-img", "info", "--output=json", path]));
}

Deno.test({
  name: "volumes are made, copied, linked, filled, grown and deleted",
  ignore,
  async fn(t) {
    await using pool = await testPool("volumes");
    const link = new WorkerPool({ uri: URI });
    try {
      const made = await createVolume(link, pool.name, {
        name: "a.qcow2",
        capacity: 8 * MIB,
        format: "qcow2",
      });
      await t.step("createVolume() makes what was asked for, readable by its owner alone", async () => {
        assert.deepEqual(made, {
          ...made,
          pool: pool.name,
          name: "a.qcow2",
          format: "qcow2",
          capacity: 8 * MIB,
        });
        assert.equal((await imageInfo(made.path))["virtual-size"], 8 * MIB);
        assert.equal((await Deno.stat(made.path)).mode! & 0o777, 0o600);
        assert.equal(await keepsFiles(link, pool.name), true);
      });
      await t.step("createVolume() does not touch what is there already", async () => {
        await assert.rejects(
          createVolume(link, pool.name, { name: "a.qcow2", capacity: MIB, format: "raw" }),
          (error) => error instanceof LibvirtError && error.code === VIR_ERR.STORAGE_VOL_EXIST,
        );
        assert.equal((await imageInfo(made.path))["virtual-size"], 8 * MIB);
      });
      await t.step("names and sizes go into no XML unescaped", async () => {
        const name = `<b>'"&amp;`;
        const odd = await createVolume(link, pool.name, { name, capacity: MIB, format: "raw" });
        assert.equal(odd.name, name);
        await removeVolume(link, odd.path);
      });
      await t.step("resizeVolume() grows, and refuses to shrink", async () => {
        await resizeVolume(link, made.path, 16 * MIB);
        assert.equal((await imageInfo(made.path))["virtual-size"], 16 * MIB);
        await assert.rejects(resizeVolume(link, made.path, MIB), LibvirtError);
      });
      const bytes = crypto.getRandomValues(new Uint8Array(65_536));
      const content = new Uint8Array(1_000_001).map((_, index) => bytes[index % bytes.length]! ^ index >> 16);
      const filled = await uploadVolume(link, pool.name, "filled.img", content);
      await t.step("uploadVolume() writes every byte", async () => {
        assert.ok(Buffer.compare(await Deno.readFile(filled.path), content) === 0, "other content");
      });
      await t.step("cloneVolume() copies the content in its format", async () => {
        const copy = await cloneVolume(link, filled.path, { pool: pool.name, name: "copy.img" });
        assert.ok(Buffer.compare(await Deno.readFile(copy.path), content) === 0, "other content");
        const image = await cloneVolume(link, made.path, { pool: pool.name, name: "copy.qcow2" });
        assert.equal((await imageInfo(image.path)).format, "qcow2");
      });
      await t.step("linkVolume() makes an overlay that says its backing image's format", async () => {
        const base = { path: made.path, format: "qcow2", virtualBytes: null };
        const overlay = await linkVolume(link, base, { pool: pool.name, name: "l.qcow2" });
        const info = await imageInfo(overlay.path);
        assert.equal(info["backing-filename"], made.path);
        assert.equal(info["backing-filename-format"], "qcow2");
        assert.deepEqual(overlay.backing, { path: made.path, format: "qcow2" });
      });
      await t.step("findVolumeAt(), findVolumeNamed() and volumesOf() find what virsh lists", async () => {
        assert.equal((await findVolumeAt(link, made.path))?.name, "a.qcow2");
        assert.equal((await findVolumeNamed(link, pool.name, "a.qcow2"))?.path, made.path);
        assert.equal(await findVolumeAt(link, `${pool.path}/none`), undefined);
        assert.equal(await findVolumeNamed(link, pool.name, "none"), undefined);
        assert.equal(await findVolumeNamed(link, "no-such-pool", "none"), undefined);
        const listed = (await virsh("vol-list", pool.name)).split("\n")
          .map((line) => line.trim().split(/\s+/)[0]).filter(Boolean).sort();
        assert.deepEqual((await volumesOf(link, pool.name)).map(({ name }) => name).sort(), listed);
      });
      await t.step("removeVolume() deletes it, once", async () => {
        await removeVolume(link, filled.path);
        await assert.rejects(Deno.stat(filled.path), Deno.errors.NotFound);
        await assert.rejects(removeVolume(link, filled.path), LibvirtError);
      });
      await t.step("defaultPool() is a started pool of files", async () => {
        assert.equal(await keepsFiles(link, await defaultPool(link)), true);
      });
    } finally {
      link.close();
    }
  },
});
