import assert from "node:assert/strict";
import { hyperVm } from "../../../lib/formats/foreign/vm/hyperv.ts";
import { skippedUnless } from "../../../tests/testbed/skipped_unless.ts";
import { hasQemuImg } from "../../storage/qemu_img.ts";
import { uncleanWarnings } from "./inspect.ts";
import type { ForeignSource } from "./model.ts";
import { localReader } from "./windows.ts";

Deno.test({
  name: "a preview does without what cannot be looked at in time",
  ignore: skippedUnless(await hasQemuImg(), "qemu-img is not installed"),
  fn: async () => {
    const path = await Deno.makeTempFile({ prefix: "kvmm-test-", suffix: ".vhdx" });
    try {
      await Deno.truncate(path, 1024 * 1024);
      const image = { path, type: "file", format: "raw", backing: [] } as const;
      const disk = { file: "web.vhdx", readGuest: localReader({ virtualBytes: 1024 * 1024, image }) };
      const source = {
        vm: hyperVm({ name: "web", generation: 1, osType: "windows", files: ["web.vhdx"] }),
        disks: [disk, disk],
      } as unknown as ForeignSource;
      assert.deepEqual(await uncleanWarnings(source), []);
      assert.deepEqual(await uncleanWarnings(source, 0), []);
    } finally {
      await Deno.remove(path);
    }
  },
});
