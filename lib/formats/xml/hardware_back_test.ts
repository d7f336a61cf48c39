import assert from "node:assert/strict";
import type { HardwareChange } from "../../contract/hardware.ts";
import { readHardware } from "./hardware.ts";
import { changeBack } from "./hardware_back.ts";
import { editHardware } from "./hardware_edit.ts";

const XML = `<domain type='qemu'>
  <name>web</name>
  <title>before</title>
  <memory unit='KiB'>1048576</memory>
  <currentMemory unit='KiB'>524288</currentMemory>
  <vcpu placement='static' current='1'>2</vcpu>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type><boot dev='hd'/><boot dev='cdrom'/></os>
  <cpu mode='custom'><model>qemu64</model></cpu>
  <devices>
    <video><model type='virtio'/></video>
    <tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>
  </devices>
</domain>`;
const OWN = { autostart: true, tags: ["a"] };

Deno.test("changeBack() names what the change names, and nothing else", () => {
  assert.deepEqual(changeBack({ title: "after" }, readHardware(XML), OWN), { title: "before" });
  assert.deepEqual(changeBack({ autostart: false, tags: [], group: "x" }, readHardware(XML), OWN), {
    autostart: true,
    tags: ["a"],
    group: "",
  });
});

Deno.test("changeBack() gives the hardware back, whatever was changed", () => {
  const changes: HardwareChange[] = [
    { cpu: { count: 4, max: 4, topology: { sockets: 1, cores: 4, threads: 1 } } },
    { cpu: { mode: "host-passthrough" } },
    { cpu: { model: "Nehalem", pinning: [{ vcpu: 0, cpus: "0" }] } },
    { memory: { currentMb: 2048, maxMb: 2048 } },
    { boot: { devices: ["network"], menu: true } },
    { tpm: null, video: "vga", rng: true, sound: "ich9", watchdog: { model: "i6300esb", action: "reset" } },
    { title: "", description: "after" },
  ];
  const before = readHardware(XML);
  for (const change of changes) {
    const changed = editHardware(XML, change);
    assert.notDeepEqual(readHardware(changed), before);
    const back = changeBack(change, before, OWN) as HardwareChange;
    assert.deepEqual(readHardware(editHardware(changed, back)), before, JSON.stringify(change));
  }
});
