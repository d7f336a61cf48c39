import assert from "node:assert/strict";
import { XmlDocument } from "../formats/xml/edit.ts";
import { summarizeDomain } from "../formats/xml/domain.ts";
import { makeTrial } from "./trial_definition.ts";

const UUID = "11111111-2222-4333-8444-555555555555";
const SOURCE = `<domain type='kvm'>
  <name>db1</name>
  <uuid>7e5f7a1c-1b60-4a52-9d3c-5f6a2d3b4c5d</uuid>
  <genid>7e5f7a1c-1b60-4a52-9d3c-5f6a2d3b4c5e</genid>
  <metadata>
    <kvmm:vm xmlns:kvmm="https://kvm-manager.example/xmlns/vm/1"><tag>prod</tag><group>db</group></kvmm:vm>
  </metadata>
  <maxMemory slots='4' unit='GiB'>64</maxMemory>
  <memory unit='GiB'>32</memory>
  <currentMemory unit='GiB'>16</currentMemory>
  <memoryBacking><hugepages/></memoryBacking>
  <vcpu cpuset='2-9' current='4'>8</vcpu>
  <cputune><vcpupin vcpu='0' cpuset='2'/></cputune>
  <numatune><memory mode='strict' nodeset='1'/></numatune>
  <os><type arch='x86_64' machine='q35'>hvm</type><bootmenu enable='yes' timeout='60000'/></os>
  <features><acpi/></features>
  <cpu mode='host-passthrough'>
    <topology sockets='1' dies='1' cores='8' threads='1'/>
    <numa><cell id='0' cpus='0-7' memory='32' unit='GiB'/></numa>
  </cpu>
  <on_poweroff>restart</on_poweroff>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' cache='none'/>
      <source file='/vm/db1.qcow2'/>
      <target dev='vda' bus='virtio'/>
      <iotune><total_iops_sec>10</total_iops_sec></iotune>
    </disk>
    <disk type='block' device='disk'><source dev='/dev/sdb'/><target dev='vdb' bus='virtio'/></disk>
    <disk type='file' device='cdrom'><source file='/iso/x.iso'/><target dev='sda' bus='sata'/><readonly/></disk>
    <controller type='virtio-serial' index='0'/>
    <interface type='bridge'>
      <mac address='52:54:00:aa:bb:cc'/>
      <source bridge='br0'/>
      <model type='virtio'/>
      <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>
    </interface>
    <serial type='tcp'><source mode='bind' host='0.0.0.0' service='7000'/><target port='0'/></serial>
    <console type='pty'/>
    <channel type='unix'><source mode='bind' path='/x'/><target type='virtio' name='org.qemu.guest_agent.0'/></channel>
    <channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>
    <graphics type='vnc' port='5900' listen='0.0.0.0' passwd='secret'/>
    <video><model type='virtio' heads='4'><acceleration accel3d='yes'/></model></video>
    <hostdev mode='subsystem' type='pci'><source><address domain='0' bus='1' slot='0' function='0'/></source></hostdev>
    <filesystem type='mount'><source dir='/home'/><target dir='home'/></filesystem>
    <tpm model='tpm-crb'><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>
    <watchdog model='itco' action='reset'/>
    <vsock><cid auto='no' address='7'/></vsock>
    <memory model='dimm'><target><size unit='GiB'>1</size></target></memory>
  </devices>
</domain>`;

function trial(change: Partial<Parameters<typeof makeTrial>[1]> = {}) {
  const document = new XmlDocument(SOURCE);
  makeTrial(document, {
    name: "trial",
    uuid: UUID,
    description: "A test <&>",
    memoryMb: 2048,
    cpuCount: 2,
    nvram: undefined,
    disks: new Map([["vda", { path: "/pool/t.qcow2", format: "qcow2", type: "file", backing: [] }]]),
    ...change,
  });
  return document.toString();
}

Deno.test("makeTrial() leaves a VM that reaches nothing of the host and of the network", () => {
  const text = trial();
  for (
    const gone of [
      ...["bridge", "52:54:00", "br0", "hostdev", "filesystem", "/home", "graphics", "secret", "7000", "tcp"],
      ...["/x'", "spice", "tpm", "watchdog", "vsock", "/iso/", "/dev/sdb", "accel3d", "hugepages", "cpuset"],
      "numa",
      "dimm",
      "maxMemory",
      "iotune",
      "bootmenu",
      "on_poweroff",
      "prod",
      "7e5f7a1c",
      "db1",
      "<console",
    ]
  ) assert.ok(!text.includes(gone), `${gone}:\n${text}`);
  assert.match(
    text,
    /<interface type='ethernet'>\s*<model type='virtio'\/>\s*<link state='down'\/>\s*<address /,
  );
  assert.match(text, /<serial type='pty'>\s*<target port='0'\/>/);
  assert.match(text, /<channel type='unix'>\s*<target type='virtio' name='org.qemu.guest_agent.0'\/>/);
  assert.match(text, /<source file='\/pool\/t.qcow2'\/>/);
  assert.match(text, /<description>A test &#60;&#38;&#62;<\/description>/);
  const { memoryMb, cpuCount, disks, interfaces, throwAway } = summarizeDomain(text);
  assert.deepEqual([memoryMb, cpuCount, interfaces.length, throwAway], [2048, 2, 1, true]);
  assert.equal(summarizeDomain(SOURCE).throwAway, false);
  assert.deepEqual(disks.map(({ source }) => source), ["/pool/t.qcow2", undefined]);
});

Deno.test("makeTrial() leaves CPUs that fit as they are, and gives a VM without a screen one", () => {
  const document = new XmlDocument(
    SOURCE.replace(" cpuset='2-9' current='4'", "").replace(/<video>.*<\/video>/, ""),
  );
  const disks = new Map();
  makeTrial(document, {
    name: "t",
    uuid: UUID,
    description: "",
    memoryMb: 1,
    cpuCount: 8,
    disks,
    nvram: undefined,
  });
  assert.match(document.toString(), /<topology sockets='1'/);
  assert.match(document.toString(), /<video>\s*<model type='vga'\/>/);
});

Deno.test("makeTrial() keeps an emulated TPM, of which nothing stays behind, wherever its state was", () => {
  const document = new XmlDocument(
    SOURCE.replace(
      /<tpm.*<\/tpm>/,
      "<tpm model='tpm-crb'><backend type='emulator' version='2.0' persistent_state='yes' debug='9'>" +
        "<source type='file' path='/srv/tpm'/><encryption secret='a'/></backend></tpm>",
    ),
  );
  const plan = { name: "t", uuid: UUID, description: "", memoryMb: 1, cpuCount: 8, nvram: undefined };
  makeTrial(document, { ...plan, disks: new Map() });
  assert.match(
    document.toString(),
    /<tpm model='tpm-crb'>\s*<backend type='emulator' version='2.0'>\s*<encryption secret='a'\/>\s*<\/backend>\s*<\/tpm>/,
  );
});
