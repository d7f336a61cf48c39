import assert from "node:assert/strict";
import fc from "fast-check";
import { ownDomainMetadata, screenServers, summarizeDomain, vncServer } from "./domain.ts";
import { METADATA_PREFIX, METADATA_URI } from "./metadata.ts";
import { escapeXml, parseXml } from "./tree.ts";

const domain = (inside: string, attributes = "type='kvm'") =>
  `<domain ${attributes}><name>x</name>${inside}</domain>`;
const devices = (inside: string) => summarizeDomain(domain(`<devices>${inside}</devices>`));

/** XML of a running QEMU machine from libvirt 9.0, without parts that are not read. */
const WHOLE = `<domain type='kvm' id='7'>
  <name>web-1</name>
  <uuid>0b7a9f2e-8b1c-4c7f-9d3e-2f6d1a5b4c3d</uuid>
  <title>Shop &amp; &lt;search&gt;</title>
  <description>Two
lines &#x1F600;</description>
  <metadata>
    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">
      <libosinfo:os id="http://debian.org/debian/12"/>
    </libosinfo:libosinfo>
    <kvmm:vm xmlns:kvmm="urn:kvm-manager:vm:1" created="1700000000000">
      <kvmm:tag>web</kvmm:tag>
      <kvmm:tag>a&amp;b</kvmm:tag>
      <kvmm:group>Shop</kvmm:group>
    </kvmm:vm>
  </metadata>
  <memory unit='KiB'>4194304</memory>
  <currentMemory unit='KiB'>2097152</currentMemory>
  <vcpu placement='static' current='2'>8</vcpu>
  <os>
    <type arch='x86_64' machine='pc-q35-7.2'>hvm</type>
    <boot dev='hd'/>
  </os>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <disk type='file' device='disk'>
      <driver name='qemu' type='qcow2' discard='unmap'/>
      <source file='/var/lib/libvirt/images/web &amp; &apos;1&apos;.qcow2' index='2'/>
      <backingStore type='file' index='3'><format type='raw'/><source file='/base.img'/><backingStore/></backingStore>
      <target dev='vda' bus='virtio'/>
      <alias name='virtio-disk0'/>
    </disk>
    <disk type='file' device='cdrom'>
      <driver name='qemu'/>
      <target dev='sda' bus='sata'/>
      <readonly/>
    </disk>
    <interface type='network'>
      <mac address='52:54:00:01:02:03'/>
      <source network='default' portid='f0' bridge='virbr0'/>
      <target dev='vnet3'/>
      <model type='virtio'/>
      <link state='up'/>
    </interface>
    <channel type='unix'>
      <source mode='bind' path='/run/x'/>
      <target type='virtio' name='org.qemu.guest_agent.0' state='connected'/>
    </channel>
    <graphics type='vnc' port='5901' autoport='yes' listen='127.0.0.1'><listen type='address' address='127.0.0.1'/></graphics>
  </devices>
  <seclabel type='dynamic' model='dac' relabel='yes'><label>+64055:+64055</label></seclabel>
</domain>`;

Deno.test("summarizeDomain() reads a whole running machine", () => {
  assert.deepEqual(summarizeDomain(WHOLE), {
    title: "Shop & <search>",
    description: "Two\nlines 😀",
    cpuCount: 2,
    maxCpuCount: 8,
    memoryMb: 2048,
    maxMemoryMb: 4096,
    osType: "linux",
    osVariant: "debian12",
    machine: "pc-q35-7.2",
    arch: "x86_64",
    virtType: "kvm",
    firmware: "bios",
    guestAgent: "connected",
    guestAgents: { "qemu-ga": "connected", "kvm-manager-agent": "not configured" },
    tags: ["web", "a&b"],
    group: "Shop",
    createdAt: 1700000000000,
    keptOsType: undefined,
    chains: [{ target: "vda", bases: ["/base.img"], isComplete: true }],
    disks: [
      {
        target: "vda",
        bus: "virtio",
        device: "disk",
        type: "file",
        source: "/var/lib/libvirt/images/web & '1'.qcow2",
        format: "qcow2",
        readOnly: false,
        shareable: false,
      },
      { target: "sda", bus: "sata", device: "cdrom", type: "file", readOnly: true, shareable: false },
    ],
    interfaces: [{
      mac: "52:54:00:01:02:03",
      network: "default",
      type: "network",
      model: "virtio",
      target: "vnet3",
      linkUp: true,
    }],
    graphics: [{ type: "vnc", port: 5901, listen: "127.0.0.1" }],
    openScreen: true,
    generatedPasswords: false,
    throwAway: false,
    takesDevices: false,
    paths: [
      "/usr/bin/qemu-system-x86_64",
      "/var/lib/libvirt/images/web & '1'.qcow2",
      "/base.img",
      "/run/x",
      "/var/lib/libvirt/qemu/save/web-1.save",
    ],
    otherPaths: [
      "/usr/bin/qemu-system-x86_64",
      "/run/x",
      "/var/lib/libvirt/qemu/save/web-1.save",
    ],
  });
});

Deno.test("summarizeDomain() reads the least libvirt writes without inventing anything", () => {
  assert.deepEqual(summarizeDomain("<domain type='test'><name>t</name></domain>"), {
    title: undefined,
    description: undefined,
    cpuCount: 1,
    maxCpuCount: 1,
    memoryMb: 0,
    maxMemoryMb: 0,
    osType: undefined,
    osVariant: undefined,
    machine: undefined,
    arch: undefined,
    virtType: "test",
    firmware: "bios",
    guestAgent: "not configured",
    guestAgents: { "qemu-ga": "not configured", "kvm-manager-agent": "not configured" },
    tags: [],
    group: undefined,
    createdAt: undefined,
    keptOsType: undefined,
    disks: [],
    chains: [],
    interfaces: [],
    graphics: [],
    openScreen: false,
    generatedPasswords: false,
    throwAway: false,
    takesDevices: false,
    paths: ["/var/lib/libvirt/qemu/save/t.save"],
    otherPaths: ["/var/lib/libvirt/qemu/save/t.save"],
  });
});

Deno.test("summarizeDomain() names the source of a disk of every type", () => {
  const source = (xml: string) => devices(xml).disks.map(({ type, source }) => [type, source])[0];
  const target = "<target dev='vda' bus='virtio'/>";
  const table: [string, string, string | undefined][] = [
    ["file", "<source file='/a b.img'/>", "/a b.img"],
    ["block", "<source dev='/dev/vg/lv'/>", "/dev/vg/lv"],
    ["dir", "<source dir='/srv/floppy'/>", "/srv/floppy"],
    ["volume", "<source pool='default' volume='v.qcow2'/>", "default/v.qcow2"],
    [
      "network",
      "<source protocol='rbd' name='pool/image'><host name='mon' port='6789'/></source>",
      "rbd/pool/image",
    ],
    ["network", "<source protocol='nbd'><host transport='unix' socket='/s'/></source>", "nbd"],
    [
      "network",
      "<source protocol='https' name='x.iso' query='a=1&amp;b=2'><host name='h'/></source>",
      "https/x.iso",
    ],
    ["nvme", "<source type='pci' managed='yes' namespace='1'><address domain='0' bus='1'/></source>", "1"],
    ["vhostuser", "<source type='unix' path='/run/v.sock'/>", "/run/v.sock"],
    ["vhostvdpa", "<source dev='/dev/vhost-vdpa-0'/>", "/dev/vhost-vdpa-0"],
    ["file", "", undefined],
    ["file", "<source startupPolicy='optional'/>", undefined],
  ];
  for (const [type, xml, expected] of table) {
    assert.deepEqual(source(`<disk type='${type}'>${xml}${target}</disk>`), [type, expected], xml);
  }
});

Deno.test("summarizeDomain() tells devices, formats, read-only and shareable disks apart", () => {
  const { disks } = devices(
    "<disk type='file' device='floppy'><target dev='fda' bus='fdc'/></disk>" +
      "<disk type='block' device='lun'><driver name='qemu' type='raw'/><target dev='sda' bus='scsi'/><shareable/></disk>" +
      "<disk><target dev='hda'/><readonly/></disk><disk type='file'></disk>",
  );
  assert.deepEqual(disks, [
    { target: "fda", bus: "fdc", device: "floppy", type: "file", readOnly: false, shareable: false },
    {
      target: "sda",
      bus: "scsi",
      device: "lun",
      type: "block",
      format: "raw",
      readOnly: false,
      shareable: true,
    },
    { target: "hda", bus: "", device: "disk", type: "file", readOnly: true, shareable: false },
    { target: "", bus: "", device: "disk", type: "file", readOnly: false, shareable: false },
  ]);
});

Deno.test("summarizeDomain() names what an interface of every type is plugged into", () => {
  const table: [string, string, string][] = [
    ["network", "<source network='default' bridge='virbr0'/>", "default"],
    ["bridge", "<source bridge='br0'/>", "br0"],
    ["direct", "<source dev='eth0' mode='bridge'/>", "eth0"],
    ["vhostuser", "<source type='unix' path='/run/vu.sock' mode='client'/>", "/run/vu.sock"],
    ["internal", "<source name='intern'/>", "intern"],
    ["vdpa", "<source dev='/dev/vhost-vdpa-0'/>", "/dev/vhost-vdpa-0"],
    ["user", "", ""],
    ["ethernet", "<source/>", ""],
    ["hostdev", "<source><address type='pci' domain='0x0000' bus='0x06'/></source>", ""],
    ["udp", "<source address='127.0.0.1' port='1'><local address='127.0.0.1' port='2'/></source>", ""],
  ];
  for (const [type, source, network] of table) {
    const { interfaces } = devices(
      `<interface type='${type}'><mac address='52:54:00:aa:bb:cc'/>${source}</interface>`,
    );
    assert.deepEqual(interfaces, [{ mac: "52:54:00:aa:bb:cc", network, type, linkUp: true }]);
  }
  assert.equal(
    devices("<interface type='user'><link state='down'/></interface>").interfaces[0]!.linkUp,
    false,
  );
});

Deno.test("summarizeDomain() reads where each kind of graphics listens", () => {
  const graphics = (xml: string) => devices(xml).graphics[0];
  assert.deepEqual(
    graphics(
      "<graphics type='vnc' port='-1' autoport='yes' listen='0.0.0.0'><listen type='address' address='0.0.0.0'/></graphics>",
    ),
    { type: "vnc", listen: "0.0.0.0" },
  );
  assert.deepEqual(
    graphics(
      "<graphics type='vnc' socket='/run/v.sock'><listen type='socket' socket='/run/v.sock'/></graphics>",
    ),
    { type: "vnc", socket: "/run/v.sock" },
  );
  assert.deepEqual(
    graphics(
      "<graphics type='spice' port='5900' tlsPort='5901' listen='10.0.0.1'><listen type='network' address='10.0.0.1' network='default'/></graphics>",
    ),
    { type: "spice", port: 5900, listen: "10.0.0.1" },
  );
  assert.deepEqual(graphics("<graphics type='spice'><listen type='none'/><gl enable='yes'/></graphics>"), {
    type: "spice",
  });
  assert.deepEqual(graphics("<graphics type='egl-headless'/>"), { type: "egl-headless" });
  assert.deepEqual(graphics("<graphics type='vnc' port='nonsense'/>"), { type: "vnc" });
});

Deno.test("summarizeDomain() tells BIOS, UEFI and UEFI with secure boot apart", () => {
  const table: [string, "bios" | "uefi" | "uefi-secure"][] = [
    ["<os><type>hvm</type></os>", "bios"],
    ["<os firmware='bios'><type>hvm</type></os>", "bios"],
    ["<os><loader>/usr/share/seabios/bios.bin</loader></os>", "bios"],
    ["<os><loader readonly='yes' type='rom'>/x</loader></os>", "bios"],
    ["<os firmware='efi'><type>hvm</type></os>", "uefi"],
    ["<os><loader readonly='yes' type='pflash'>/OVMF_CODE.fd</loader><nvram>/n</nvram></os>", "uefi"],
    ["<os firmware='efi'><loader secure='no'/></os>", "uefi"],
    ["<os firmware='efi'><firmware><feature enabled='no' name='secure-boot'/></firmware></os>", "uefi"],
    ["<os firmware='efi'><loader secure='yes' type='pflash'/></os>", "uefi-secure"],
    ["<os><loader readonly='yes' secure='yes' type='pflash'>/x</loader></os>", "uefi-secure"],
    [
      "<os firmware='efi'><firmware><feature enabled='yes' name='enrolled-keys'/><feature enabled='yes' name='secure-boot'/></firmware></os>",
      "uefi-secure",
    ],
  ];
  for (const [xml, expected] of table) assert.equal(summarizeDomain(domain(xml)).firmware, expected, xml);
});

Deno.test("summarizeDomain() turns every memory unit into MiB", () => {
  const table: [string, number][] = [
    ["<memory>1048576</memory>", 1024],
    ["<memory unit='b'>1073741824</memory>", 1024],
    ["<memory unit='bytes'>1073741824</memory>", 1024],
    ["<memory unit='KB'>1048576</memory>", 1000],
    ["<memory unit='k'>1048576</memory>", 1024],
    ["<memory unit='KiB'>1048576</memory>", 1024],
    ["<memory unit='MB'>1000</memory>", 954],
    ["<memory unit='M'>512</memory>", 512],
    ["<memory unit='MiB'>512</memory>", 512],
    ["<memory unit='GB'>1</memory>", 954],
    ["<memory unit='G'>2</memory>", 2048],
    ["<memory unit='GiB'>2</memory>", 2048],
    ["<memory unit='TB'>1</memory>", 953674],
    ["<memory unit='T'>1</memory>", 1048576],
    ["<memory unit='TiB'>1</memory>", 1048576],
  ];
  for (const [xml, expected] of table) {
    const { memoryMb, maxMemoryMb } = summarizeDomain(domain(xml));
    assert.deepEqual([memoryMb, maxMemoryMb], [expected, expected], xml);
  }
});

Deno.test("summarizeDomain() counts the vCPUs that are there now, and the most there may be", () => {
  const cpus = (xml: string) => {
    const { cpuCount, maxCpuCount } = summarizeDomain(domain(xml));
    return [cpuCount, maxCpuCount];
  };
  assert.deepEqual(cpus("<vcpu placement='static'>4</vcpu>"), [4, 4]);
  assert.deepEqual(cpus("<vcpu placement='static' current='1'>4</vcpu>"), [1, 4]);
});

Deno.test("summarizeDomain() knows the guest agent's channel and its state", () => {
  const agent = (xml: string) => devices(xml).guestAgent;
  const channel = (attributes: string) =>
    `<channel type='unix'><target type='virtio' ${attributes}/></channel>`;
  assert.equal(agent(""), "not configured");
  assert.equal(agent(channel("name='com.redhat.spice.0' state='connected'")), "not configured");
  assert.equal(agent(channel("name='org.qemu.guest_agent.0'")), "disconnected");
  assert.equal(agent(channel("name='org.qemu.guest_agent.0' state='disconnected'")), "disconnected");
  assert.equal(
    agent(channel("name='x'") + channel("name='org.qemu.guest_agent.0' state='connected'")),
    "connected",
  );
});

Deno.test("summarizeDomain() has one answer for both guest agents", () => {
  const channel = (name: string, state: string) =>
    `<channel type='unix'><target type='virtio' name='${name}' state='${state}'/></channel>`;
  const own = (state: string) => channel("org.kvmmanager.agent.0", state);
  const qemu = (state: string) => channel("org.qemu.guest_agent.0", state);
  const table: [string, string][] = [
    [own("connected"), "connected"],
    [own("disconnected"), "disconnected"],
    [qemu("disconnected") + own("connected"), "connected"],
    [qemu("connected") + own("disconnected"), "connected"],
    [qemu("disconnected") + own("disconnected"), "disconnected"],
  ];
  for (const [xml, expected] of table) assert.equal(devices(xml).guestAgent, expected, xml);
  assert.equal(
    devices(qemu("connected") + own("disconnected")).guestAgents["kvm-manager-agent"],
    "disconnected",
  );
});

Deno.test("summarizeDomain() names the operating system by its libosinfo id", () => {
  const os = (id: string) => {
    const { osType, osVariant } = summarizeDomain(domain(
      `<metadata><libosinfo:libosinfo xmlns:libosinfo='u'><libosinfo:os id='${id}'/></libosinfo:libosinfo></metadata>`,
    ));
    return [osType, osVariant];
  };
  assert.deepEqual(os("http://debian.org/debian/12"), ["linux", "debian12"]);
  assert.deepEqual(os("http://ubuntu.com/ubuntu/24.04"), ["linux", "ubuntu24.04"]);
  assert.deepEqual(os("http://microsoft.com/win/11"), ["windows", "win11"]);
  assert.deepEqual(os("http://freebsd.org/freebsd/14.0"), ["other", "freebsd14.0"]);
  assert.deepEqual(os("http://openbsd.org/openbsd/7.4"), ["other", "openbsd7.4"]);
  const bare = summarizeDomain(
    domain("<metadata><libosinfo><os id='http://fedoraproject.org/fedora/40'/></libosinfo></metadata>"),
  );
  assert.equal(bare.osVariant, "fedora40");
  assert.equal(summarizeDomain(domain("<metadata><x:libosinfo/></metadata>")).osType, undefined);
});

Deno.test("summarizeDomain() reads tags and group with and without our prefix, and no other program's", () => {
  const own = (inside: string, head = "") => {
    const { tags, group, createdAt } = summarizeDomain(
      domain(`<metadata><kvmm:vm xmlns:kvmm='${METADATA_URI}'${head}>${inside}</kvmm:vm></metadata>`),
    );
    return { tags, group, createdAt };
  };
  const expected = { tags: ["a", "b"], group: "g", createdAt: 5 };
  assert.deepEqual(
    own("<kvmm:tag>a</kvmm:tag><kvmm:tag>b</kvmm:tag><kvmm:group>g</kvmm:group>", " created='5'"),
    expected,
  );
  assert.deepEqual(own("<tag>a</tag><tag>b</tag><group>g</group>", " created='5'"), expected);
  assert.deepEqual(own("<other:tag>a</other:tag><tag/>", " created='yesterday'"), {
    tags: [],
    group: undefined,
    createdAt: undefined,
  });
  assert.deepEqual(
    summarizeDomain(domain("<metadata><other:vm><tag>a</tag></other:vm></metadata>")).tags,
    [],
  );
});

const NOTHING = {
  tags: [],
  group: undefined,
  createdAt: undefined,
  keptOsType: undefined,
  generatedPasswords: false,
};

Deno.test("summarizeDomain() takes the kind of system from our metadata where no system is named", () => {
  const kept = ownDomainMetadata({ ...NOTHING, createdAt: 7, keptOsType: "windows" })!;
  const own = kept.replace("<vm", "<kvmm:vm xmlns:kvmm='u'").replace("</vm", "</kvmm:vm");
  const info = '<libosinfo:os id="http://debian.org/debian/12"/>';
  const of = (metadata: string) => {
    const { osType, osVariant, keptOsType } = summarizeDomain(
      `<domain type="qemu"><name>a</name><metadata>${metadata}</metadata></domain>`,
    );
    return [osType, osVariant, keptOsType];
  };
  assert.deepEqual(of(own), ["windows", undefined, "windows"]);
  assert.deepEqual(of(`<libosinfo:libosinfo>${info}</libosinfo:libosinfo>`), [
    "linux",
    "debian12",
    undefined,
  ]);
  assert.deepEqual(of(own.replace("windows", "plan9")), [undefined, undefined, undefined]);
});

Deno.test("ownDomainMetadata() is nothing when there is nothing to keep", () => {
  assert.equal(ownDomainMetadata({ ...NOTHING, createdAt: undefined }), null);
  assert.equal(ownDomainMetadata({ ...NOTHING, createdAt: 0 }), '<vm created="0"></vm>');
});

Deno.test("ownDomainMetadata() brings every tag and group back whole: nothing gets out of its element", () => {
  const attack = fc.constantFrom(
    "</tag></vm><devices><hostdev/></devices>",
    "]]>",
    "<![CDATA[",
    "&lt;",
    "&#0;",
    "<!DOCTYPE x>",
    `" created="1`,
    "-->",
    "<?xml?>",
    "𝄞 é",
    "\r\n\t",
  );
  const text = fc.oneof(attack, fc.string({ unit: "grapheme", minLength: 1, maxLength: 64 }));
  fc.assert(
    fc.property(fc.array(text, { maxLength: 4 }), fc.option(text, { nil: undefined }), (tags, group) => {
      const xml = ownDomainMetadata({ ...NOTHING, tags, group, createdAt: 1 })!;
      const root = parseXml(xml);
      assert.deepEqual([root.name, root.children.map((each) => each.name)], [
        "vm",
        [...tags.map(() => "tag"), ...group === undefined ? [] : ["group"]],
      ]);
      const back = summarizeDomain(
        domain(`<metadata>${xml.replaceAll(/(<\/?)(vm|tag|group)/g, `$1${METADATA_PREFIX}:$2`)}</metadata>`),
      );
      assert.deepEqual(back.tags, tags);
      assert.equal(back.group, group);
    }),
  );
});

Deno.test("vncServer() finds the VNC screen among several, with its password", () => {
  const xml = domain(
    `<devices><graphics type='spice' port='5900'/><graphics type='vnc' port='5901' passwd='${
      escapeXml(`p<&"'`)
    }'><listen type='address' address='::'/></graphics></devices>`,
  );
  assert.deepEqual(vncServer(xml), { type: "vnc", port: 5901, listen: "::", password: `p<&"'` });
  assert.equal(vncServer(domain("<devices><graphics type='spice'/></devices>")), null);
  assert.equal(vncServer(domain("")), null);
});

Deno.test("screenServers() tells all screens, SPICE's TLS port among them", () => {
  const xml = domain(
    "<devices><graphics type='spice' port='5900' tlsPort='5901' autoport='yes' listen='127.0.0.1' passwd='s'/>" +
      "<graphics type='vnc' port='-1' autoport='yes'/></devices>",
  );
  assert.deepEqual(screenServers(xml), [
    { type: "spice", port: 5900, listen: "127.0.0.1", tlsPort: 5901, password: "s" },
    { type: "vnc", password: undefined },
  ]);
});

Deno.test("summarizeDomain() says whether a VM takes devices of the host", () => {
  const takes = (device: string) =>
    summarizeDomain(`<domain type='test'><devices>${device}</devices></domain>`).takesDevices;
  for (
    const device of [
      "<hostdev mode='subsystem' type='usb'/>",
      "<interface type='hostdev'/>",
      "<disk type='nvme' device='disk'/>",
    ]
  ) assert.equal(takes(device), true, device);
  assert.equal(takes("<interface type='network'/><disk type='block' device='disk'/>"), false);
});
