import assert from "node:assert/strict";
import { XmlDocument } from "./edit.ts";
import { dropGeneratedSockets, writtenFiles } from "./own_files.ts";
import { parseXml } from "./tree.ts";

const domain = (devices: string, os = "") =>
  parseXml(`<domain><name>web</name><os><type>hvm</type>${os}</os><devices>${devices}</devices></domain>`);

Deno.test("writtenFiles() names what libvirt and QEMU write, make or delete for a domain", () => {
  const cases: readonly (readonly [devices: string, paths: readonly string[]])[] = [
    ["<serial type='unix'><source mode='bind' path='/a'/></serial>", ["/a"]],
    ["<serial type='file'><source path='/a'/></serial>", ["/a"]],
    ["<console type='pty'><log file='/a' append='off'/></console>", ["/a"]],
    ["<channel type='unix'><source mode='bind' path='/a'/><target type='virtio' name='x'/></channel>", [
      "/a",
    ]],
    ["<graphics type='vnc'><listen type='socket' socket='/a'/></graphics>", ["/a"]],
    ["<interface type='vhostuser'><source type='unix' path='/a' mode='server'/></interface>", ["/a"]],
    ["<memory model='nvdimm'><source><path>/a</path></source></memory>", ["/a"]],
    ["<serial type='file'><source path='/a'/></serial><parallel type='file'><source path='/a'/></parallel>", [
      "/a",
    ]],
    // What others may have, too
    ["<disk type='file'><source file='/a'/></disk>", []],
    ["<filesystem type='mount'><source dir='/a'/></filesystem>", []],
    ["<interface type='network'><rom file='/a'/></interface>", []],
    ["<rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>", []],
    ["<emulator>/usr/bin/kvm</emulator>", []],
  ];
  for (const [devices, paths] of cases) assert.deepEqual(writtenFiles(domain(devices)), paths, devices);
  assert.deepEqual(writtenFiles(domain("", "<loader>/fw</loader><nvram template='/t'>/v.fd</nvram>")), [
    "/v.fd",
  ]);
  assert.deepEqual(writtenFiles(domain("", "<nvram type='file'><source file='/v.fd'/></nvram>")), ["/v.fd"]);
});

Deno.test("dropGeneratedSockets() leaves the sockets that a person chose", () => {
  const channel = (path: string) =>
    `<channel type='unix'><source mode='bind' path='${path}'/><target type='virtio' name='a.0'/></channel>`;
  const document = new XmlDocument(
    `<domain><devices>${channel("/var/lib/libvirt/qemu/channel/target/domain-1-web/a.0")}${channel("/own")}` +
      `${channel("/run/libvirt/qemu/channel/3-web/a.0")}</devices></domain>`,
  );
  dropGeneratedSockets(document);
  assert.deepEqual(document.toString().match(/path='[^']*'/g), ["path='/own'"]);
});

Deno.test("writtenFiles() leaves out what libvirt chose for a run: it does so again", () => {
  const channel = (path: string, name = "channel", target = "virtio") =>
    writtenFiles(domain(
      `<${name} type='unix'><source mode='bind' path='${path}'/><target type='${target}' name='a.0'/></${name}>`,
    ));
  for (
    const path of [
      "/var/lib/libvirt/qemu/channel/target/domain-1-web/a.0",
      "/run/libvirt/qemu/channel/12-web/a.0",
      "/var/run/libvirt/qemu/channel/12-web/a.0",
    ]
  ) {
    assert.deepEqual(channel(path), [], path);
    assert.deepEqual(channel(path, "serial"), [path]);
  }
  for (const path of ["/run/libvirt/qemu/web.xml", "/run/libvirt/qemu/channel/12-web/../../web.xml"]) {
    assert.deepEqual(channel(path), [path]);
  }
});
