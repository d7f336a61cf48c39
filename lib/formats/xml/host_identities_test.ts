import assert from "node:assert/strict";
import { XmlDocument } from "./edit.ts";
import { dropHostDevices, freeHostIdentities, ownPath } from "./host_identities.ts";

Deno.test("ownPath() never gives the original's path", () => {
  assert.equal(ownPath("/log/web.log", "web", "web-2"), "/log/web-2.log");
  assert.equal(ownPath("/log/serial.log", "web", "db"), "/log/serial.log-db");
  assert.equal(ownPath("/log/web/x", "web", "$&"), "/log/web/x-$&");
});

/** A device of `web` after it was copied to `web-2`. */
function freed(device: string): string {
  const document = new XmlDocument(
    `<domain><name>web</name><devices><rng/>${device}<memballoon/></devices></domain>`,
  );
  dropHostDevices(document);
  freeHostIdentities(document, { from: "web", to: "web-2" });
  const [, inside] = /<devices><rng\/>([^]*)<memballoon\/><\/devices>/.exec(document.toString()) ?? [];
  return inside ?? document.toString();
}

Deno.test("freeHostIdentities() leaves a copy nothing that one VM of a host alone can have", () => {
  const table: [device: string, free: string][] = [
    [`<interface><target dev='tapweb0'/><model/></interface>`, `<interface><model/></interface>`],
    [
      `<interface type='ethernet'><target dev='tap3' managed='no'/></interface>`,
      `<interface type='ethernet'></interface>`,
    ],
    [
      `<interface><virtualport type='openvswitch'><parameters interfaceid='u' profileid='p'/></virtualport></interface>`,
      `<interface><virtualport type='openvswitch'><parameters profileid='p'/></virtualport></interface>`,
    ],
    [
      `<interface><virtualport type='802.1Qbg'><parameters managerid='1' instanceid='u'/></virtualport></interface>`,
      `<interface><virtualport type='802.1Qbg'><parameters managerid='1'/></virtualport></interface>`,
    ],
    [
      `<interface type='user'><backend type='passt'/><portForward proto='tcp'><range start='22'/></portForward></interface>`,
      `<interface type='user'><backend type='passt'/></interface>`,
    ],
    [
      `<interface type='vhostuser'><source type='unix' path='/s/web.sock' mode='server'/></interface>`,
      `<interface type='vhostuser'><source type='unix' path='/s/web-2.sock' mode='server'/></interface>`,
    ],
    [`<interface type='hostdev'/>`, ""],
    [`<hostdev/><filesystem/><lease/>`, ""],
    [`<input type='passthrough'/><input type='evdev'/><input type='tablet'/>`, `<input type='tablet'/>`],
    [`<tpm><backend type='passthrough'/></tpm>`, ""],
    [`<tpm><backend type='emulator'/></tpm>`, `<tpm><backend type='emulator'/></tpm>`],
    [`<graphics type='vnc' port='5901' autoport='no'/>`, `<graphics type='vnc' autoport='yes'/>`],
    [`<graphics type='spice' port='5901' tlsPort='5902'/>`, `<graphics type='spice' autoport='yes'/>`],
    [`<graphics type='vnc' port='-1' autoport='yes'/>`, `<graphics type='vnc' port='-1' autoport='yes'/>`],
    [
      `<graphics type='vnc' websocket='5700' autoport='yes'/>`,
      `<graphics type='vnc' websocket='-1' autoport='yes'/>`,
    ],
    [
      `<graphics type='vnc' socket='/s'><listen type='socket' socket='/s'/></graphics>`,
      `<graphics type='vnc'><listen type='socket'/></graphics>`,
    ],
    [`<vsock><cid auto='no' address='4'/></vsock>`, `<vsock><cid auto='yes'/></vsock>`],
    [
      `<serial type='tcp'><source mode='bind' host='0.0.0.0' service='5555'/><protocol type='telnet'/><target port='0'/></serial>`,
      `<serial type='pty'><target port='0'/></serial>`,
    ],
    [
      `<console type='udp'><source mode='bind' service='1'/><source mode='connect' service='2'/></console>`,
      `<console type='pty'></console>`,
    ],
    [
      `<serial type='tcp'><source mode='connect' host='log' service='1'/></serial>`,
      `<serial type='tcp'><source mode='connect' host='log' service='1'/></serial>`,
    ],
    [
      `<serial type='file'><source path='/l/web.log'/></serial>`,
      `<serial type='file'><source path='/l/web-2.log'/></serial>`,
    ],
    [
      `<serial type='dev'><source path='/dev/ttyS0'/></serial>`,
      `<serial type='pty'></serial>`,
    ],
    [`<parallel type='pipe'><source path='/p'/></parallel>`, `<parallel type='pty'></parallel>`],
    [`<interface type='vdpa'><source dev='/dev/vhost-vdpa-0'/></interface>`, ""],
    [
      `<rng model='virtio'><backend model='egd' type='tcp'><source mode='connect' host='h' service='1'/></backend></rng>`,
      "",
    ],
    [
      `<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>`,
      `<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>`,
    ],
    [`<memory model='nvdimm'><source><path>/n.raw</path></source></memory>`, ""],
    [`<memory model='virtio-pmem'><source><path>/n.raw</path></source></memory>`, ""],
    [`<memory model='dimm'><target/></memory>`, `<memory model='dimm'><target/></memory>`],
    [`<shmem name='ours'/><pstore backend='acpi-erst'/><smartcard mode='host'/>`, ""],
    [
      `<smartcard mode='passthrough' type='spicevmc'/>`,
      `<smartcard mode='passthrough' type='spicevmc'/>`,
    ],
    [
      `<channel type='unix'><source mode='bind' path='/run/x'/></channel>`,
      `<channel type='unix'><source mode='bind' path='/run/x-web-2'/></channel>`,
    ],
    [
      `<serial type='pty'><log file='/l/web.log'/></serial>`,
      `<serial type='pty'><log file='/l/web-2.log'/></serial>`,
    ],
  ];
  for (const [device, free] of table) {
    assert.equal(freed(device), free);
    assert.equal(freed(device + device), free + free, "every one of several");
  }
});
