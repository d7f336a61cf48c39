import assert from "node:assert/strict";
import { XmlDocument } from "../formats/xml/edit.ts";
import { parseXml } from "../formats/xml/tree.ts";
import { confineDefinition, confineDisk, hasMedium, mediumIn, takeGroupOf } from "./confine.ts";

const domain = (devices: string, rest = "", os = "<type>hvm</type>") =>
  new XmlDocument(
    `<domain type='kvm'><name>web</name><metadata/><os>${os}</os>${rest}<devices>${devices}</devices></domain>`,
  );

/** Devices that a VM may have wherever it comes from. */
const OWN = [
  "<emulator>/usr/bin/qemu-system-x86_64</emulator>",
  "<disk type='file' device='disk'><source file='/x'/><target dev='vda'/></disk>",
  "<interface type='network'><source network='default'/><filterref filter='clean-traffic'>" +
  "<parameter name='IP' value='10.0.0.2'/></filterref></interface>",
  "<interface type='bridge'><source bridge='br0'/></interface>",
  "<serial type='pty'><source path='/var/run/libvirt/qemu/x'/><log file='/var/log/libvirt/qemu/x.log'/></serial>",
  "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
  "<graphics type='vnc' port='-1' autoport='yes'><listen type='address' address='0.0.0.0'/></graphics>",
  "<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>",
  "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>",
  "<input type='tablet' bus='usb'><alias name='ua-/x'/></input>",
];

/** Devices by which a definition would reach into the host. */
const REACHING = [
  "<emulator>/tmp/evil</emulator>",
  "<emulator>/usr/bin/../../tmp/qemu-system-x86_64</emulator>",
  "<hostdev mode='subsystem' type='pci'/>",
  "<filesystem type='mount'><source dir='/'/><target dir='x'/></filesystem>",
  "<shmem name='x'/>",
  "<lease/>",
  "<interface type='ethernet'><script path='/tmp/evil'/></interface>",
  "<interface type='bridge'><source bridge='br0'/><script path='evil'/></interface>",
  "<interface type='user'><backend type='passt' logFile='/etc/cron.d/x'/></interface>",
  "<interface type='network'><source network='x'/><backend tap='/dev/sda'/></interface>",
  "<interface type='hostdev'/>",
  "<serial type='file'><source path='/etc/cron.d/x'/></serial>",
  "<serial type='dev'><source path='/dev/sda'/></serial>",
  "<serial type='tcp'><source mode='connect' host='10.0.0.1' service='1'/></serial>",
  "<serial type='pty'><log file='/etc/cron.d/x'/></serial>",
  "<serial type='pty'><log file='/var/log/libvirt/qemu/../../../../etc/cron.d/x'/></serial>",
  "<channel type='unix'><source mode='bind' path='/etc/passwd'/></channel>",
  "<channel type='unix'><source mode='bind' path='etc'/></channel>",
  "<graphics type='vnc' socket='/etc/passwd'/>",
  "<graphics type='spice'><gl rendernode='/dev/sda'/></graphics>",
  "<graphics type='sdl' xauth='/root/.Xauthority'/>",
  "<rng model='virtio'><backend model='random'>/dev/sda</backend></rng>",
  "<rng model='virtio'><backend model='egd' type='tcp'/></rng>",
  "<tpm><backend type='passthrough'><device path='/dev/tpm0'/></backend></tpm>",
  "<input type='evdev'><source dev='/dev/input/event0'/></input>",
  "<memory model='nvdimm'><source><path>/etc/shadow</path></source></memory>",
  "<audio id='1' type='file' path='/etc/x'/>",
  "<redirdev type='tcp'/>",
  "<x:hostdev xmlns:x='y'/>",
];

Deno.test("what is a VM's own stays byte for byte", () => {
  const document = domain(OWN.join(""), "<memory>1</memory><cpu mode='host-passthrough'/>");
  const before = document.toString();
  assert.deepEqual(confineDefinition(document, undefined), []);
  assert.equal(document.toString(), before);
});

Deno.test("what reaches into the host is taken out, and said", () => {
  for (const device of REACHING) {
    const document = domain(`${OWN[1]}${device}`);
    const told = confineDefinition(document, undefined);
    assert.equal(told.length, 1, device);
    assert.match(told[0]!, /was taken out: it (reaches into the host|names .*, a file of the host)\. /);
    assert.equal(document.find("devices")!.children.length, 1, device);
  }
  for (
    const part of [
      "<qemu:commandline xmlns:qemu='u'><qemu:arg value='-x'/></qemu:commandline>",
      "<commandline xmlns='http://libvirt.org/schemas/domain/qemu/1.0'><arg value='-x'/></commandline>",
      "<seclabel type='none'/>",
      "<bootloader>/tmp/evil</bootloader>",
      "<sysinfo type='fwcfg'><entry name='opt/x' file='/etc/shadow'/></sysinfo>",
      "<devices><hostdev/></devices>",
    ]
  ) {
    const document = domain("", part);
    assert.ok(confineDefinition(document, undefined).length > 0, part);
    assert.ok(!/x'|evil|none|shadow|hostdev/.test(document.toString()), document.toString());
  }
});

Deno.test("firmware and its variables lie where libvirt has them, or are taken out", () => {
  const told = (os: string) => confineDefinition(domain("", "", os), undefined).length;
  const loader = "<loader readonly='yes' type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader>";
  const folder = "/var/lib/libvirt/qemu/nvram";
  assert.equal(told(`${loader}<nvram template='/usr/share/OVMF/V.fd'>${folder}/web_VARS.fd</nvram>`), 0);
  assert.equal(told(`${loader}<nvram/>`), 0);
  for (
    const part of [
      "<nvram>/etc/cron.d/web</nvram>",
      `<nvram>${folder}/../../../../../etc/cron.d/web</nvram>`,
      `<nvram>${folder}/..</nvram>`,
      "<nvram><source file='/etc/cron.d/web'/></nvram>",
      "<nvram type='file'><source file='/etc/cron.d/web'/></nvram>",
      "<nvram type='block'><source dev='/dev/sda'/></nvram>",
      `<nvram template='/etc/shadow'>${folder}/web_VARS.fd</nvram>`,
      "<loader readonly='no' type='pflash'>/usr/share/OVMF/OVMF_CODE.fd</loader>",
      "<loader readonly='yes' type='pflash'>/etc/shadow</loader>",
      "<loader readonly='yes' type='pflash'>/usr/share/../../etc/shadow</loader>",
      "<kernel>/boot/vmlinuz</kernel>",
      "<initrd>/etc/shadow</initrd>",
      "<acpi><table type='slic'>/etc/shadow</table></acpi>",
    ]
  ) assert.equal(told(part), 1, part);
});

Deno.test("what the VM has on this host just so, stays", () => {
  const hostdev = "<hostdev mode='subsystem' type='pci'><source><address bus='0x01'/></source></hostdev>";
  const part = "<seclabel type='none'/>", os = "<kernel>/boot/k</kernel>";
  const now = domain(hostdev.replaceAll("'", '"'), part, os);
  const document = domain(hostdev, part, os), before = document.toString();
  assert.deepEqual(confineDefinition(document, now), []);
  assert.equal(document.toString(), before);
  const other = domain(hostdev.replace("0x01", "0x02"));
  assert.equal(confineDefinition(other, now).length, 1);
});

Deno.test("a restored disk keeps what the guest sees, and nothing that would be opened beside it", () => {
  const document = domain(
    "<disk type='network' device='disk' rawio='yes'><driver name='qemu' type='raw'/><auth username='x'/>" +
      "<source protocol='rbd' name='a'><host name='b'/><reservations managed='no'/></source>" +
      "<backingStore type='file'><source file='/etc/shadow'/></backingStore><mirror type='file' file='/etc/x'/>" +
      "<target dev='vda' bus='virtio'/><serial>a/b</serial></disk>",
  );
  confineDisk(document, () => document.find("devices")!.children[0]);
  const disk = document.find("devices")!.children[0]!;
  assert.deepEqual(disk.children.map(({ name }) => name), ["driver", "source", "target", "serial"]);
  assert.deepEqual(disk.children[1]!.attributes, {});
  assert.deepEqual(Object.keys(disk.attributes), ["type", "device"]);
});

Deno.test("media are files, volumes, or of elsewhere; the same one is known", () => {
  const drive = (type: string, source: string) =>
    parseXml(`<disk type='${type}' device='cdrom'>${source}<target dev='sda'/></disk>`);
  const iso = mediumIn(drive("file", "<source file='/iso/a.iso' index='2'/>"));
  assert.deepEqual(iso, { path: "/iso/a.iso" });
  assert.deepEqual(mediumIn(drive("volume", "<source pool='p' volume='v'/>")), {
    volume: { pool: "p", name: "v" },
  });
  assert.equal(mediumIn(drive("block", "<source dev='/dev/sda'/>")), "elsewhere");
  assert.equal(mediumIn(drive("network", "<source protocol='http' name='x'/>")), "elsewhere");
  assert.equal(mediumIn(drive("file", "")), undefined);
  const now = domain("<disk type='file' device='cdrom'><source file='/iso/a.iso'/></disk>");
  assert.equal(hasMedium(now, iso!), true);
  assert.equal(hasMedium(now, { path: "/etc/shadow" }), false);
  assert.equal(hasMedium(undefined, iso!), false);
});

Deno.test("a VM stays in the group that it is in", () => {
  const of = (group: string, own = true) => {
    const inside = group === "" ? "" : `<kvmm:group>${group}</kvmm:group>`;
    const vm = own ? `<kvmm:vm xmlns:kvmm='urn:kvm-manager:vm:1'>${inside}</kvmm:vm>` : "";
    return new XmlDocument(`<domain><name>w</name><metadata>${vm}</metadata></domain>`);
  };
  const kept = (then: XmlDocument, now: XmlDocument | undefined) => {
    takeGroupOf(then, now, 5);
    return /group>([^<]*)</.exec(then.toString())?.[1];
  };
  assert.equal(kept(of("old"), of("new")), "new");
  assert.equal(kept(of("old"), of("")), undefined);
  assert.equal(kept(of(""), of("new")), "new");
  assert.equal(kept(of("", false), of("new")), "new");
  assert.equal(kept(of("old"), undefined), undefined);
  assert.equal(takeGroupOf(of("old"), undefined, 5), "old");
  assert.equal(takeGroupOf(of("old"), of("new"), 5), "old");
  assert.equal(takeGroupOf(of("same"), of("same"), 5), undefined);
  assert.equal(takeGroupOf(of(""), of("new"), 5), undefined);
});
