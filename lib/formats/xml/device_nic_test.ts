import assert from "node:assert/strict";
import { renderXml } from "./build.ts";
import { changeNic, freeMac, macFault, nicXml, normalMac } from "./device_nic.ts";
import { XmlDocument } from "./edit.ts";

const LIVE = `<domain>
  <devices>
    <interface type='network'>
      <mac address='52:54:00:00:00:01'/>
      <source network='default' portid='f5f0' bridge='virbr0'/>
      <target dev='vnet0'/>
      <model type='virtio'/>
    </interface>
  </devices>
</domain>`;

Deno.test("nicXml() writes a card of each type", () => {
  const mac = "52:54:00:00:00:01";
  assert.equal(
    renderXml(nicXml({ source: { type: "network", name: "a'b" }, mac, model: "virtio" })),
    `<interface type='network'>
  <mac address='52:54:00:00:00:01'/>
  <source network='a&#39;b'/>
  <model type='virtio'/>
</interface>`,
  );
  const direct = nicXml({
    source: { type: "direct", name: "eno1" },
    mac,
    model: "e1000e",
    filter: "clean-traffic",
    linkUp: false,
    bootOrder: 1,
  });
  assert.match(
    renderXml(direct),
    /<source dev='eno1' mode='bridge'\/>[^]*<filterref filter='clean-traffic'\/>[^]*state='down'[^]*order='1'/,
  );
  assert.match(
    renderXml(nicXml({ source: { type: "bridge", name: "br0" }, mac, model: "virtio" })),
    /<interface type='bridge'>[^]*<source bridge='br0'\/>/,
  );
});

Deno.test("changeNic() changes what is named, and leaves the rest as it is", () => {
  const document = new XmlDocument(LIVE);
  const find = () => document.find("devices", "interface")!;
  changeNic(document, find, { source: { type: "bridge", name: "br0" }, linkUp: false });
  assert.equal(
    document.toString(),
    LIVE.replace("type='network'>", "type='bridge'>")
      .replace("<source network='default' portid='f5f0' bridge='virbr0'/>", "<source bridge='br0'/>")
      .replace("<model type='virtio'/>", "<model type='virtio'/>\n      <link state='down'/>"),
  );
  changeNic(document, find, { linkUp: true, model: "e1000", mac: "52:54:00:00:00:02", filter: "f" });
  assert.match(document.toString(), /<mac address='52:54:00:00:00:02'\/>/);
  assert.match(
    document.toString(),
    /<model type='e1000'\/>\s*<link state='up'\/>\s*<filterref filter='f'\/>/,
  );
  changeNic(document, find, { filter: "" });
  assert.doesNotMatch(document.toString(), /filterref/);
});

Deno.test("macFault() tells what no guest can have", () => {
  assert.equal(macFault(normalMac("52-54-00-AA-BB-CC")), undefined);
  assert.equal(macFault("01:00:5e:00:00:01"), "multicast");
  assert.equal(macFault("00:00:00:00:00:00"), "malformed");
  assert.equal(macFault("52:54:00:aa:bb"), "malformed");
  assert.equal(macFault("52:54:00:aa:bb:cc'/>"), "malformed");
});

Deno.test("freeMac() passes over what is taken", () => {
  const answers = [new Uint8Array([1, 2, 3]), new Uint8Array([255, 0, 10])];
  assert.equal(freeMac(new Set(["52:54:00:01:02:03"]), () => answers.shift()!), "52:54:00:ff:00:0a");
});

Deno.test("changeNic() takes nothing along that says something of where the card was plugged in", () => {
  const ofPlug =
    "<virtualport type='openvswitch'/><vlan trunk='yes'><tag id='42'/></vlan><port isolated='yes'/>" +
    "<mtu size='9000'/><coalesce/><tune/><filterref filter='f'/><driver queues='4'/>" +
    "<portForward proto='tcp'/><portForward proto='udp'/><ip address='10.0.0.1'/>";
  const card = (source: string) =>
    `<domain><devices><interface type='bridge'>${source}<model type='virtio'/>${ofPlug}</interface></devices></domain>`;
  const moved = (type: "network" | "bridge" | "direct" | "user", name: string) => {
    const document = new XmlDocument(card("<source bridge='ovs0'/>"));
    const source = type === "user" ? { type, name: "slirp" as const } : { type, name };
    changeNic(document, () => document.find("devices", "interface")!, { source });
    const parts = document.find("devices", "interface")!.children.map((part) => part.name);
    return parts.filter((part) => part !== "source" && part !== "model").join(" ");
  };
  assert.equal(moved("network", "default"), "port mtu coalesce tune filterref driver");
  assert.equal(moved("bridge", "br0"), "port mtu coalesce tune filterref driver");
  assert.equal(moved("direct", "eno1"), "driver");
  assert.equal(moved("user", ""), "");
  // Where it stays, all of it stays.
  const document = new XmlDocument(card("<source bridge='ovs0'/>"));
  changeNic(document, () => document.find("devices", "interface")!, {
    source: { type: "bridge", name: "ovs0" },
  });
  assert.equal(document.toString(), card("<source bridge='ovs0'/>"));
  const grouped = "<source network='lan' portgroup='vlan-10'/>";
  const inNetwork = new XmlDocument(card(grouped).replace("'bridge'>", "'network'>"));
  const find = () => inNetwork.find("devices", "interface")!;
  changeNic(inNetwork, find, { source: { type: "network", name: "lan" } });
  assert.match(inNetwork.toString(), /portgroup='vlan-10'/);
  changeNic(inNetwork, find, { source: { type: "network", name: "default" } });
  assert.doesNotMatch(inNetwork.toString(), /portgroup|vlan/);
});
