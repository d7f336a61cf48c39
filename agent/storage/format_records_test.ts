import assert from "node:assert/strict";
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
