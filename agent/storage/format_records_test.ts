import assert from "node:assert/strict";
import type { VM } from "../../lib/contract/mod.ts";
import { Store } from "../store/store.ts";
import { FormatRecords } from "./format_records.ts";

Deno.test("the format of an image is known under every name that its file has or gets", async () => {
  const data = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  try {
    const at = (name: string) => `${folder}/${name}`;
    await Deno.writeTextFile(at("a.img"), "QFI\xfb");
    const { birthtime } = await Deno.stat(at("a.img"));
    const tellsBirth = birthtime !== null && birthtime.getTime() !== 0;
    {
      const store = new Store(data);
      store.open();
      const records = new FormatRecords(store);
      await records.set(at("a.img"), "raw");
      await Deno.symlink(at("a.img"), at("link.img"));
      await Deno.link(at("a.img"), at("hard.img"));
      await Deno.writeTextFile(at("other.img"), "x");
      if (tellsBirth) {
        for (const name of ["link.img", "hard.img"]) {
          assert.equal(await records.formatAt(at(name)), "raw", name);
        }
      }
      assert.equal(await records.formatAt(at("other.img")), undefined);
      store.close();
    }
    await Deno.rename(at("a.img"), at("moved.img"));
    const store = new Store(data);
    const records = new FormatRecords(store);
    store.open();
    if (tellsBirth) assert.equal(await records.formatAt(at("moved.img")), "raw");
    // Who overrules it does so for the file, under all its names
    await records.set(at("hard.img"), "qcow2");
    if (tellsBirth) assert.equal(await records.formatAt(at("moved.img")), "qcow2");
    // Another file that takes the name is nothing of that
    await Deno.writeTextFile(at("a.img"), "x");
    assert.equal(await records.formatAt(at("a.img")), undefined);
    store.close();
  } finally {
    for (const each of [data, folder]) await Deno.remove(each, { recursive: true });
  }
});

Deno.test("FormatRecords writes what is seen at many VMs as one transaction, and later what a full disk kept from it", async () => {
  const folder = await Deno.makeTempDir({ prefix: "kvmm-test-" }), store = new Store(folder);
  try {
    const records = new FormatRecords(store), write = store.write.bind(store);
    let writes = 0;
    store.write = (run) => ++writes > 1 && write(run);
    const vms = await Promise.all(Array.from({ length: 50 }, async (_, index) => {
      const source = `${folder}/disk-${index}`;
      await Deno.writeTextFile(source, "");
      return {
        disks: [{ target: "vda", device: "disk", type: "file", source, format: "raw" }],
      } as unknown as VM;
    }));
    const link = { call: () => Promise.reject(new Error("libvirt is not asked")) };
    await records.observe(link, vms);
    assert.equal(writes, 1);
    const rows = () => store.database!.prepare("SELECT path FROM image_formats").all().length;
    assert.equal(rows(), 0);
    store.check();
    assert.deepEqual([writes, rows()], [2, 50]);
    await records.observe(link, vms, true);
    assert.equal(writes, 2, "all of it is known");
  } finally {
    store.close();
    await Deno.remove(folder, { recursive: true });
  }
});
