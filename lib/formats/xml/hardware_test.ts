import assert from "node:assert/strict";
import fc from "fast-check";
import type { HardwareChange } from "../../contract/hardware.ts";
import { changedFields, fieldText, formatCpus, parseCpus, readHardware } from "./hardware.ts";
import { DOMAIN } from "./hardware_fixture_test.ts";
import { editHardware } from "./hardware_edit.ts";

Deno.test("readHardware() reads what libvirt writes", () => {
  const hardware = readHardware(DOMAIN);
  assert.deepEqual(hardware.cpu, {
    count: 2,
    max: 4,
    mode: "custom",
    model: "qemu64",
    topology: null,
    pinning: [],
  });
  assert.deepEqual(hardware.memory, { currentMb: 512, maxMb: 1024 });
  assert.deepEqual(hardware.boot.candidates, [
    { id: "disk:vda", what: "/a.qcow2" },
    { id: "nic:52:54:00:00:00:01", what: "default" },
  ]);
  assert.deepEqual([hardware.firmware, hardware.tpm, hardware.video, hardware.rng], [
    "bios",
    null,
    "vga",
    false,
  ]);
  assert.doesNotMatch(JSON.stringify(hardware), /s3cret/);
});

Deno.test("readHardware() takes a vCPU bound to every host CPU for one that is not bound", () => {
  const xml = DOMAIN.replace("<os>", "<cputune><vcpupin vcpu='0' cpuset='0-1'/></cputune><os>");
  assert.deepEqual(readHardware(xml, 2).cpu.pinning, []);
  assert.deepEqual(readHardware(xml, 4).cpu.pinning, [{ vcpu: 0, cpus: "0-1" }]);
});

Deno.test("parseCpus() and formatCpus() are each other's inverse", () => {
  assert.deepEqual(parseCpus("0-3,^2,8,1"), [0, 1, 3, 8]);
  assert.equal(formatCpus([0, 1, 3, 8, 9, 10]), "0-1,3,8-10");
  assert.deepEqual(parseCpus("3-1"), []);
  fc.assert(fc.property(fc.uniqueArray(fc.nat(300), { minLength: 1 }), (cpus) => {
    const sorted = [...cpus].sort((a, b) => a - b);
    assert.deepEqual(parseCpus(formatCpus(sorted)), sorted);
  }));
});

/** Change → what it makes of fields, and the lines it may touch. */
const CHANGES: readonly [HardwareChange, Record<string, string | null>][] = [
  [{ cpu: { count: 1 } }, { "cpu.count": "1", "cpu.max": "4" }],
  [{ cpu: { count: 8, max: 8 } }, { "cpu.count": "8", "cpu.max": "8" }],
  [{ cpu: { max: 1 } }, { "cpu.count": "1", "cpu.max": "1" }],
  [{ cpu: { mode: "host-passthrough" } }, { "cpu.mode": "host-passthrough", "cpu.model": null }],
  [{ cpu: { mode: "default" } }, { "cpu.mode": "default" }],
  [{ cpu: { model: "EPYC" } }, { "cpu.mode": "custom", "cpu.model": "EPYC" }],
  [{ cpu: { topology: { sockets: 1, cores: 2, threads: 2 } } }, { "cpu.topology": "1 × 2 × 2" }],
  [{ cpu: { pinning: [{ vcpu: 1, cpus: "1,0" }] } }, { "cpu.pinning": "1: 0-1" }],
  [{ memory: { currentMb: 1024 } }, { "memory.currentMb": "1024 MiB" }],
  [{ boot: { order: ["nic:52:54:00:00:00:01", "disk:vda"] } }, {
    "boot.order": "nic:52:54:00:00:00:01, disk:vda",
    "boot.devices": null,
  }],
  [{ boot: { devices: ["cdrom", "hd"], menu: true } }, { "boot.devices": "cdrom, hd", "boot.menu": "yes" }],
  [{ firmware: "uefi-secure" }, { firmware: "uefi-secure" }],
  [{ tpm: { model: "tpm-crb", version: "2.0" } }, { tpm: "tpm-crb 2.0" }],
  [{ video: "virtio" }, { video: "virtio" }],
  [{ video: "none" }, { video: "none" }],
  [{ watchdog: { model: "i6300esb", action: "pause" } }, { watchdog: "i6300esb, pause" }],
  [{ rng: true, sound: "ich9" }, { rng: "yes", sound: "ich9" }],
  [{ title: "</title>'\"&" }, { title: "</title>'\"&" }],
  [{ description: "a\n<b>" }, { description: "a\n<b>" }],
];

Deno.test("editHardware() makes the fields what was asked, and what it does not name stays", () => {
  const before = readHardware(DOMAIN);
  for (const [change, expected] of CHANGES) {
    const edited = editHardware(DOMAIN, change);
    const after = readHardware(edited);
    for (const [field, text] of Object.entries(expected)) {
      assert.equal(fieldText(after, field as "title"), text, JSON.stringify(change));
    }
    for (
      const kept of [
        "passwd='s3cret'",
        '<o:other xmlns:o="http://example.org/o">kept</o:other>',
        "<qemu:arg value='-x'/>",
      ]
    ) {
      assert.ok(edited.includes(kept), kept);
    }
    const untouched = ["title", "video", "memory.maxMb", "firmware"] as const;
    for (const field of untouched.filter((each) => !(each in expected))) {
      assert.equal(fieldText(after, field), fieldText(before, field), field);
    }
    assert.equal(editHardware(edited, change), edited, `twice is once: ${JSON.stringify(change)}`);
  }
});

Deno.test("editHardware() leaves a document alone that nothing is asked of", () => {
  assert.equal(editHardware(DOMAIN, {}), DOMAIN);
  assert.equal(editHardware(DOMAIN, { cpu: {}, memory: {}, boot: {} }), DOMAIN);
});

Deno.test("editHardware() takes back what it added", () => {
  const pairs: [HardwareChange, HardwareChange][] = [
    [{ cpu: { pinning: [{ vcpu: 0, cpus: "0" }] } }, { cpu: { pinning: [] } }],
    [{ cpu: { topology: { sockets: 2, cores: 2, threads: 1 } } }, { cpu: { topology: null } }],
    [{ title: "T", description: "D" }, { title: "", description: "" }],
    [{ firmware: "uefi" }, { firmware: "bios" }],
    [{ tpm: { model: "tpm-tis", version: "1.2" } }, { tpm: null }],
    [{ rng: true, sound: "ac97" }, { rng: false, sound: null }],
  ];
  for (const [there, back] of pairs) {
    const made = editHardware(DOMAIN, there);
    assert.notEqual(made, DOMAIN);
    assert.equal(editHardware(made, back), DOMAIN, JSON.stringify(there));
  }
});

Deno.test("changedFields() names the fields of a change", () => {
  assert.deepEqual(changedFields({ memory: { maxMb: 512 }, title: "", cpu: { count: 1 }, tags: [] }), [
    "cpu.count",
    "memory.maxMb",
    "title",
  ]);
});
