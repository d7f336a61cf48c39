import assert from "node:assert/strict";
import { ImageError } from "../qcow2/qcow2_header.ts";
import { VMDK_DESCRIPTOR } from "./vm/testing.ts";
import { isVmdkDescriptor, readVmdkDescriptor } from "./vmdk_descriptor.ts";

const withExtents = (...lines: string[]) =>
  VMDK_DESCRIPTOR.replace(/^RW .*$/gm, "").replace(
    "# Extent description",
    `# Extent description\n${lines.join("\n")}`,
  );

Deno.test("readVmdkDescriptor() reads split, flat and VMFS images, and stretches of zeros", () => {
  assert.ok(isVmdkDescriptor(new TextEncoder().encode(VMDK_DESCRIPTOR)));
  assert.ok(!isVmdkDescriptor(new TextEncoder().encode("KDMV")));
  assert.deepEqual(readVmdkDescriptor(VMDK_DESCRIPTOR), {
    createType: "twoGbMaxExtentSparse",
    virtualBytes: 10240 * 512,
    extents: [
      { kind: "sparse", file: "web-s001.vmdk", bytes: 8192 * 512, offset: 0 },
      { kind: "sparse", file: "web-s002.vmdk", bytes: 2048 * 512, offset: 0 },
    ],
  });
  assert.deepEqual(
    readVmdkDescriptor(withExtents('RW 100 VMFS "web-flat.vmdk"', 'RW 8 FLAT "b.vmdk" 16', "RW 4 ZERO"))
      .extents,
    [
      { kind: "flat", file: "web-flat.vmdk", bytes: 51200, offset: 0 },
      { kind: "flat", file: "b.vmdk", bytes: 4096, offset: 8192 },
      { kind: "zero", bytes: 2048 },
    ],
  );
});

Deno.test("readVmdkDescriptor() refuses what leads out of the folder, is built on another image or is elsewhere", () => {
  const refused = (text: string, why: RegExp) =>
    assert.throws(
      () => readVmdkDescriptor(text),
      (error) => error instanceof ImageError && why.test(error.message),
      text,
    );
  for (const path of ["/etc/shadow", "../x", "..", "a/b", "a\\\\b", "C:\\\\a"]) {
    refused(withExtents(`RW 100 FLAT "${path}" 0`), /own folder/);
  }
  refused(withExtents('RW 100 VMFSRDM "a.vmdk"'), /raw device mapping/);
  refused(withExtents('RW 100 VMFSSPARSE "a.vmdk"'), /snapshot/);
  refused(withExtents('RW 100 SESPARSE "a.vmdk"'), /snapshot/);
  refused(withExtents('RW 100 NEW "a.vmdk"'), /kind NEW/);
  refused(withExtents('NOACCESS 100 FLAT "a.vmdk" 0'), /not understood/);
  refused(withExtents('RW 0 FLAT "a.vmdk" 0'), /not understood/);
  refused(withExtents(), /no content/);
  refused(withExtents(...Array.from({ length: 513 }, () => "RW 1 ZERO")), /more than 512/);
  refused(withExtents("RW 9999999999999 ZERO", "RW 9999999999999 ZERO"), /more than any disk/);
  refused(VMDK_DESCRIPTOR.replace("parentCID=ffffffff", "parentCID=12345678"), /built on another/);
  refused(VMDK_DESCRIPTOR.replace("CID=fffffffe", 'parentFileNameHint="/etc/shadow"'), /built on another/);
  refused(VMDK_DESCRIPTOR.replace("CID=fffffffe", "parentCID=ffffffff"), /twice/);
  refused(VMDK_DESCRIPTOR.replace("twoGbMaxExtentSparse", "vmfsRaw"), /raw device mapping/);
});
