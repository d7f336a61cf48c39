import assert from "node:assert/strict";
import type { NewNetwork } from "../../contract/networks.ts";
import { renderXml } from "./build.ts";
import { leaseXml, networkXml } from "./network.ts";
import { readNetwork } from "./network_read.ts";

const written = (network: NewNetwork) => renderXml(networkXml(network));

Deno.test("networkXml() writes a whole network as libvirt has it", () => {
  const text = written({
    name: "lab",
    mode: "nat",
    devices: ["eth0"],
    ipv6Nat: true,
    ipv4: {
      address: "10.5.0.1/24",
      ranges: [{ start: "10.5.0.2", end: "10.5.0.9" }],
      hosts: [{ mac: "52:54:00:00:00:01", ip: "10.5.0.20", hostname: "a" }],
    },
    ipv6: { address: "FD00:0::0001/64" },
    domain: "lab.test",
    localDomain: true,
    forwarders: ["9.9.9.9"],
    dnsHosts: [{ ip: "10.5.0.3", hostnames: ["x"] }],
    mtu: 1400,
    bandwidth: { outbound: { averageKib: 5 } },
  });
  assert.equal(
    text,
    `<network>
  <name>lab</name>
  <forward mode='nat'>
    <nat ipv6='yes'/>
    <interface dev='eth0'/>
  </forward>
  <bridge stp='on' delay='0'/>
  <mtu size='1400'/>
  <domain name='lab.test' localOnly='yes'/>
  <dns>
    <forwarder addr='9.9.9.9'/>
    <host ip='10.5.0.3'>
      <hostname>x</hostname>
    </host>
  </dns>
  <bandwidth>
    <outbound average='5'/>
  </bandwidth>
  <ip family='ipv4' address='10.5.0.1' prefix='24'>
    <dhcp>
      <range start='10.5.0.2' end='10.5.0.9'/>
      <host mac='52:54:00:00:00:01' name='a' ip='10.5.0.20'/>
    </dhcp>
  </ip>
  <ip family='ipv6' address='fd00::1' prefix='64'/>
</network>`,
  );
});

Deno.test("readNetwork() reads every mode that networkXml() writes", () => {
  const networks: NewNetwork[] = [
    { name: "a", mode: "nat", ipv4: { address: "10.5.0.1/24" } },
    { name: "a", mode: "routed", ipv4: { address: "10.5.0.1/24" } },
    { name: "a", mode: "isolated" },
    { name: "a", mode: "open", ipv6: { address: "fd00::1/64" } },
    { name: "a", mode: "bridge", bridge: "br0" },
    { name: "a", mode: "macvtap", devices: ["eth0"] },
    { name: "a", mode: "macvtap", devices: ["eth0"], macvtapMode: "private" },
    { name: "a", mode: "openvswitch", bridge: "ovs0", vlan: { tags: [4, 5], native: 5 } },
    { name: "a", mode: "sriov", devices: ["eth0"], vlan: { tags: [4] } },
  ];
  for (const network of networks) {
    const read = readNetwork(written(network));
    assert.equal(read.mode, network.mode);
    assert.deepEqual(read.devices, network.devices ?? []);
    assert.deepEqual(read.vlanTags, network.vlan?.tags ?? []);
    assert.equal(read.vlanNative, network.vlan?.native);
    assert.equal(read.bridge, network.bridge);
  }
  assert.match(
    written(networks[7]!),
    /<vlan trunk='yes'>\s+<tag id='4'\/>\s+<tag id='5' nativeMode='untagged'\/>/,
  );
});

Deno.test("readNetwork() reads what other programs write", () => {
  const read = readNetwork(
    `<network connections='1'><name>x</name><forward dev='eth1' mode='route'><interface dev='eth1'/>
    </forward><bridge name='virbr1'/><mtu size='9000'/><ip address='172.20.0.1' netmask='255.255.240.0'>
    <dhcp><range start='172.20.0.2' end='172.20.0.3'><lease expiry='1'/></range><host mac='52:54:00:AA:00:01' ip='172.20.0.9'/>
    </dhcp></ip><ip family='ipv6' address='fd00::1' prefix='64'/>
    <route address='10.8.0.0' netmask='255.255.0.0' gateway='172.20.0.5'/>
    <route family='ipv6' address='fd08::' prefix='48' gateway='fd00::5'/></network>`,
  );
  assert.deepEqual(read, {
    mode: "routed",
    forward: "route",
    bridge: "virbr1",
    devices: ["eth1"],
    subnets: [{
      family: "ipv4",
      address: "172.20.0.1",
      prefix: 20,
      cidr: "172.20.0.0/20",
      dhcp: true,
      ranges: [{ start: "172.20.0.2", end: "172.20.0.3" }],
      hosts: [{ ip: "172.20.0.9", mac: "52:54:00:aa:00:01" }],
    }, {
      family: "ipv6",
      address: "fd00::1",
      prefix: 64,
      cidr: "fd00::/64",
      dhcp: false,
      ranges: [],
      hosts: [],
    }],
    routes: ["10.8.0.0/16", "fd08::/48"],
    dnsHosts: [],
    mtu: 9000,
    vlanTags: [],
  });
  assert.equal(
    readNetwork("<network><ip address='10.0.0.1'/><ip address='junk'/></network>").subnets[0]!.cidr,
    "10.0.0.0/8",
  );
  assert.equal(readNetwork("<network><forward/></network>").mode, "nat");
});

Deno.test("leaseXml() escapes, and names IPv6 clients by their identifier", () => {
  assert.equal(
    renderXml(leaseXml({ ip: "fd00::2", duid: "00:01", hostname: "a'b" })),
    "<host id='00:01' name='a&#39;b' ip='fd00::2'/>",
  );
});
