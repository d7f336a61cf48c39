import assert from "node:assert/strict";
import { XmlDocument } from "../formats/xml/edit.ts";
import { children, parseXml } from "../formats/xml/tree.ts";
import { confineDefinition, confineDisk, confineFiles, hasMedium, mediumIn } from "./confine.ts";

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
  "<serial type='pty'><target port='0'/></serial>",
  "<channel type='unix'><target type='virtio' name='org.qemu.guest_agent.0'/></channel>",
  "<graphics type='vnc' autoport='yes'/>",
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
  "<graphics type='vnc' socket='/etc/passwd'/>",
  "<graphics type='spice'><gl rendernode='/dev/sda'/></graphics>",
  "<graphics type='sdl' xauth='/root/.Xauthority'/>",
  "<rng model='virtio'><backend model='random'>/dev/sda</backend></rng>",
  "<rng model='virtio'><backend model='egd' type='tcp'/></rng>",
  "<rng model='virtio'><backend model='random'>vm.raw</backend></rng>",
  "<memory model='nvdimm'><source><path>vm.raw</path></source></memory>",
  "<graphics type='spice'><gl rendernode='sda'/></graphics>",
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

Deno.test("ports lose sockets and logs that the VM does not have here, and stay", () => {
  const log =
    "<serial type='pty'><source path='/dev/pts/3'/><log file='/var/log/libvirt/qemu/other.log'/></serial>";
  const ports = (device: string, now?: string) => {
    const document = domain(device);
    const told = confineDefinition(document, now === undefined ? undefined : domain(now));
    return { told: told.length, xml: document.sourceOf(document.find("devices")!) };
  };
  assert.deepEqual(ports(log), { told: 1, xml: "<devices><serial type='pty'></serial></devices>" });
  assert.equal(ports(log, log).told, 0);
  for (
    const [device, left] of [
      [
        "<serial type='unix'><source mode='bind' path='/run/libvirt/qemu/other.xml'/></serial>",
        "<serial type='pty'>",
      ],
      [
        "<channel type='unix'><source mode='bind' path='other'/><target type='virtio' name='a'/></channel>",
        "<channel type='unix'><target",
      ],
      [
        "<channel type='unix'><source path='/x'/><target type='guestfwd'/></channel>",
        "<channel type='pty'><target",
      ],
      [
        "<console type='unix'><source mode='connect' path='/var/lib/libvirt/qemu/x'/><source path='/y'/></console>",
        "<console type='pty'>",
      ],
    ] as const
  ) {
    const { told, xml } = ports(device);
    assert.ok(told > 0 && xml.includes(left) && !xml.includes("path="), `${told} ${xml}`);
  }
  const named =
    "<channel type='spiceport'><source channel='org.x'/><target type='virtio' name='y'/></channel>";
  assert.deepEqual(ports(named), { told: 0, xml: `<devices>${named}</devices>` });
});

Deno.test("network cards connect the VM to nothing that it is not connected to now", () => {
  const card = (type: string, rest: string) => `<interface type='${type}'>${rest}</interface>`;
  const network = card("network", "<source network='default'/>");
  const bridge = card("bridge", "<mac address='52:54:00:00:00:01'/><source bridge='br0'/>");
  const vlan = card("bridge", "<source bridge='br0'/><vlan><tag id='7'/></vlan>");
  const cards = network + bridge + vlan + card("direct", "<source dev='eth0'/>") + card("user", "");
  const document = domain(cards);
  const told = confineDefinition(
    document,
    domain(network + card("bridge", "<mac address='52:54:00:00:00:01'/><source bridge='br0'/>")),
  );
  assert.equal(told.length, 3);
  assert.match(told[1]!, /^Network card without MAC \(direct eth0\) was left out: /);
  const left = children(document.find("devices"), "interface");
  assert.deepEqual(left.map(({ attributes: { type } }) => type), ["network", "bridge"]);
  const elsewhere = domain(cards);
  assert.equal(confineDefinition(elsewhere, undefined).length, 4);
  assert.ok(elsewhere.toString().includes(cards));
  const tap = domain(card("network", "<source network='default'/><target dev='eth0'/>"));
  confineDefinition(tap, domain(network));
  assert.ok(!tap.toString().includes("target"));
});

Deno.test("a network card has the filter, the isolation, the MAC and the connection that it has now", () => {
  const mac = (last: string) => `<mac address='52:54:00:00:00:0${last}'/>`;
  const now = domain(
    `<interface type='bridge'>${
      mac("1")
    }<source bridge='br0'/><filterref filter='clean-traffic'/><port isolated='yes'/></interface>`,
  );
  const then = domain(
    `<interface type='bridge'>${mac("9")}<source bridge='br0'/><model type='virtio'/></interface>` +
      `<interface type='bridge'>${mac("8")}<source bridge='br0'/></interface>`,
  );
  const told = confineDefinition(then, now);
  const text = then.sourceOf(then.find("devices")!);
  assert.equal(told.length, 3, told.join("\n"));
  for (const part of ["00:01'", "clean-traffic", "isolated='yes'", "virtio"]) {
    assert.ok(text.includes(part), text);
  }
  assert.ok(!/00:0[89]/.test(text), text);
  const moved = domain(
    `<interface type='network'>${mac("1")}<source network='old'/><model type='e1000'/></interface>`,
  );
  assert.match(confineDefinition(moved, now).join(), /is connected as it is now: bridge br0/);
  assert.match(moved.toString(), /type='bridge'.*e1000|e1000/s);
  assert.ok(!moved.toString().includes("old"));
});

Deno.test("screens listen as they do now, without the folder's password", () => {
  const open =
    "<graphics type='vnc' port='5999' passwd='x' passwdValidTo='2030-01-01T00:00:00' websocket='5700'>" +
    "<listen type='address' address='0.0.0.0'/></graphics>";
  const fresh = domain(open);
  confineDefinition(fresh, undefined);
  assert.equal(
    fresh.sourceOf(fresh.find("devices")!),
    "<devices><graphics type='vnc' autoport='yes'></graphics></devices>",
  );
  const now = domain(
    "<graphics type='spice'/><graphics type='vnc' port='5901' autoport='no' listen='10.0.0.1'><listen type='address' address='10.0.0.1'/></graphics>",
  );
  const placed = domain(open + open);
  confineDefinition(placed, now);
  const [first, second] = placed.find("devices")!.children;
  assert.deepEqual({ ...first!.attributes }, {
    type: "vnc",
    port: "5901",
    listen: "10.0.0.1",
    autoport: "no",
  });
  assert.deepEqual(first!.children.map(({ attributes }) => attributes.address), ["10.0.0.1"]);
  assert.deepEqual({ ...second!.attributes }, { type: "vnc", autoport: "yes" });
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

Deno.test("a restored disk keeps what the guest sees, and nothing that would be opened in addition to it", () => {
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

Deno.test("confineFiles() leaves a definition its own files alone", () => {
  const disk = (path: string, attributes = "type='file' device='disk'") =>
    `<disk ${attributes}><source file='${path}'/><target dev='vda'/></disk>`;
  const own = disk("/p/own.qcow2");
  const document = domain(
    disk("/p/other.qcow2") + own + disk("/p/x.iso", "type='file' device='cdrom'") +
      "<disk type='block' device='disk'><source dev='/dev/sda'/><target dev='vdb'/></disk>" +
      "<disk type='volume' device='disk'><source pool='p' volume='other'/><target dev='vdc'/></disk>",
    "",
    "<loader type='pflash'>/usr/share/x</loader><nvram>/var/lib/libvirt/qemu/nvram/other_VARS.fd</nvram>",
  );
  assert.equal(confineFiles(document, new Set(["/p/own.qcow2"])).length, 3);
  const text = document.toString();
  assert.ok(text.includes(own) && !/other|x\.iso|sda|nvram/.test(text), text);
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
