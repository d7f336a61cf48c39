import assert from "node:assert/strict";
import { editHardware } from "./hardware_edit.ts";
import { notTaken } from "./hardware_outcome.ts";

const PLAIN = `<domain type='qemu'><name>a</name><memory unit='KiB'>262144</memory>
  <currentMemory unit='KiB'>262144</currentMemory><vcpu>1</vcpu><os><type>hvm</type></os><devices/></domain>`;
const CELLS = PLAIN.replace(
  "<devices/>",
  "<cpu><numa><cell id='0' cpus='0' memory='262144' unit='KiB'/></numa></cpu><devices/>",
);
const change = { memory: { maxMb: 512 } };

Deno.test("notTaken() is nothing where libvirt stored what was asked for", () => {
  assert.equal(notTaken(change, editHardware(PLAIN, change), editHardware(PLAIN, change), 4), undefined);
});

Deno.test("notTaken() names what libvirt left as it was, and why where that is known", () => {
  assert.equal(
    notTaken(change, editHardware(PLAIN, change), PLAIN, 4),
    "libvirt leaves memory.maxMb at 256 MiB, not 512 MiB",
  );
  assert.match(
    notTaken(change, editHardware(CELLS, change), CELLS, 4)!,
    /^libvirt leaves memory.maxMb at 256 MiB, not 512 MiB. The VM's NUMA cells determine it/,
  );
  assert.equal(
    notTaken({ title: "x" }, editHardware(CELLS, change), CELLS, 4),
    undefined,
    "other fields are not compared",
  );
});
