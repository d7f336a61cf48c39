import assert from "node:assert/strict";
import { namedPaths } from "./named_paths.ts";
import { parseXml } from "./tree.ts";

const XML = `<domain type='qemu'>
  <title>/no/path</title><description>/nor this</description>
  <metadata><x:y xmlns:x='urn:x' file='/not/meant'/></metadata>
  <os><loader type='pflash'>/fw/code.fd</loader><nvram template='/fw/vars.fd'>/nv/web.fd</nvram>
    <kernel>/k/vmlinuz</kernel><initrd>/k/initrd</initrd><cmdline>/dev/vda is the root</cmdline><dtb>/k/dtb</dtb>
    <acpi><table type='slic'>/k/slic</table></acpi></os>
  <sysinfo type='fwcfg'><entry name='opt/x' file='/k/fwcfg'/></sysinfo>
  <devices>
    <disk type='file' device='disk'><source file='/d/a.qcow2'/><backingStore type='file'><source file='/d/b.qcow2'/></backingStore></disk>
    <interface type='user'><rom file='/r/rom.bin'/></interface>
    <serial type='file'><source path='/s/serial.log'/></serial>
    <memory model='nvdimm'><source><path>/m/nvdimm</path></source></memory>
    <filesystem type='mount'><source dir='/share'/></filesystem>
  </devices>
  <qemu:commandline><qemu:arg value='-drive'/><qemu:arg value='file=/q/a.img,if=none,format=raw'/>
    <qemu:arg value='{"driver":"file","filename":"/q/b.img"}'/><qemu:env name='X' value='/q/env'/></qemu:commandline>
</domain>`;

Deno.test("namedPaths() finds every file that a definition names, and no words of people", () => {
  assert.deepEqual(namedPaths(parseXml(XML)), [
    "/fw/code.fd",
    "/nv/web.fd",
    "/fw/vars.fd",
    "/k/vmlinuz",
    "/k/initrd",
    "/k/dtb",
    "/k/slic",
    "/k/fwcfg",
    ...["/d/a.qcow2", "/d/b.qcow2", "/r/rom.bin", "/s/serial.log", "/m/nvdimm", "/share"],
    ...["/q/a.img", "/q/b.img", "/q/env"],
  ]);
});

Deno.test("namedPaths() knows where libvirt keeps what a definition does not name", () => {
  const xml = `<domain type='kvm'><name>web</name><uuid>u-1</uuid><os firmware='efi'><type>hvm</type></os>
    <devices><tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm></devices></domain>`;
  assert.deepEqual(namedPaths(parseXml(xml)), [
    "/var/lib/libvirt/qemu/save/web.save",
    "/var/lib/libvirt/qemu/nvram/web_VARS.fd",
    "/var/lib/libvirt/swtpm/u-1",
  ]);
});

Deno.test("namedPaths() leaves disks out where they do not count", () => {
  const found = namedPaths(parseXml(XML), { disks: false });
  assert.ok(!found.some((path) => path.startsWith("/d/")));
  assert.ok(found.includes("/k/vmlinuz"));
});
