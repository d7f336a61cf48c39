import assert from "node:assert/strict";
import { bootOnceXml } from "./boot_once.ts";
import { readHardware } from "./hardware.ts";
import { pendingChanges } from "./pending.ts";

const disk = (target: string, device: string, inside = "") =>
  `<disk type='file' device='${device}'><target dev='${target}' bus='sata'/>${inside}</disk>`;
const MEDIUM = "<source file='/x.iso'/>";

const domain = (os: string, order: { hd?: string; nic?: string } = {}) =>
  `<domain type='qemu'>
  <name>a</name>
  <os><type arch='x86_64' machine='q35'>hvm</type>${os}</os>
  <devices>
    ${disk("vda", "disk", `<source file='/a.qcow2'/>${order.hd ?? ""}`)}
    ${disk("sda", "cdrom")}
    ${disk("sdb", "cdrom", MEDIUM)}
    <interface type='network'><mac address='52:54:00:00:00:01'/>${order.nic ?? ""}</interface>
  </devices>
</domain>`;
const NIC = "nic:52:54:00:00:00:01";

Deno.test("bootOnceXml() puts what is meant first and keeps the rest, in both forms of a boot order", () => {
  const kinds = domain("<boot dev='network'/><boot dev='hd'/>");
  const single = domain("", { hd: "<boot order='2'/>", nic: "<boot order='1'/>" });
  for (const source of [kinds, single]) {
    const orderOf = (from: "disk" | "cdrom" | "network") =>
      readHardware(bootOnceXml(source, from)).boot.order;
    assert.deepEqual(orderOf("disk"), ["disk:vda", NIC]);
    assert.deepEqual(orderOf("cdrom"), ["disk:sdb", NIC, "disk:vda"], "not the empty drive");
    assert.deepEqual(orderOf("network"), [NIC, "disk:vda"]);
    assert.deepEqual(readHardware(bootOnceXml(source, "cdrom")).boot.devices, []);
  }
});

Deno.test("bootOnceXml() shows the menu with time to choose, and leaves the order", () => {
  const edited = bootOnceXml(domain("<boot dev='hd'/><bootmenu enable='no' timeout='1'/>"), "menu");
  assert.match(edited, /<bootmenu enable='yes' timeout='30000'\/>/);
  assert.deepEqual(readHardware(edited).boot.devices, ["hd"]);
});

Deno.test("bootOnceXml() leaves a kernel out that would go first", () => {
  const edited = bootOnceXml(domain("<kernel>/k</kernel><initrd>/i</initrd><cmdline>x</cmdline>"), "disk");
  assert.doesNotMatch(edited, /kernel>|initrd|cmdline/);
});

Deno.test("pendingChanges() does not take a boot order of one start for a change that waits", () => {
  const stored = domain("<kernel>/k</kernel><boot dev='hd'/>");
  for (const from of ["disk", "cdrom", "network", "menu"] as const) {
    assert.deepEqual(pendingChanges(bootOnceXml(stored, from), stored), []);
  }
  const other = stored.replace("<name>a</name>", "<name>a</name><title>t</title>");
  assert.deepEqual(pendingChanges(bootOnceXml(stored, "cdrom"), other).map(({ what }) => what), ["title"]);
});
