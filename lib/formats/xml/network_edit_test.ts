import assert from "node:assert/strict";
import { changedNetwork } from "./network_edit.ts";
import { readNetworkSettings } from "./network_read.ts";

const SOURCE = `<network xmlns:dnsmasq='urn:x'>
  <!-- ours -->
  <name>lab</name>
  <domain name="old.test" localOnly='yes'/>
  <mtu size='1400'/>
  <dns><forwarder domain='corp.test' addr='10.1.1.1'/><forwarder addr='9.9.9.9'/><srv service='x'/></dns>
  <dnsmasq:options><dnsmasq:option value='no-ping'/></dnsmasq:options>
</network>`;

Deno.test("changedNetwork() leaves what is not named as it is", () => {
  assert.equal(changedNetwork(SOURCE, {}), SOURCE);
  const text = changedNetwork(SOURCE, { mtu: 9000 });
  assert.equal(text, SOURCE.replace("size='1400'", "size='9000'"));
});

Deno.test("changedNetwork() sets and takes away every setting", () => {
  const bandwidth = { inbound: { averageKib: 5, peakKib: 9 } };
  const set = changedNetwork("<network><name>a</name></network>", {
    domain: { name: "new.test", local: true },
    forwarders: ["1.1.1.1", "fd00::1"],
    mtu: 1500,
    bandwidth,
  });
  assert.deepEqual(readNetworkSettings(set), {
    domain: "new.test",
    localDomain: true,
    forwarders: ["1.1.1.1", "fd00::1"],
    dnsHosts: [],
    mtu: 1500,
    bandwidth,
  });
  const none = changedNetwork(set, { domain: null, forwarders: [], mtu: null, bandwidth: null });
  assert.deepEqual(readNetworkSettings(none), { localDomain: false, forwarders: [], dnsHosts: [] });
});

Deno.test("changedNetwork() keeps DNS servers that are for one domain, and other records", () => {
  const text = changedNetwork(SOURCE, { forwarders: ["8.8.8.8"] });
  assert.match(text, /<forwarder domain='corp.test' addr='10.1.1.1'\/>/);
  assert.match(text, /<srv service='x'\/>/);
  assert.deepEqual(readNetworkSettings(text).forwarders, ["8.8.8.8"]);
});

Deno.test("changedNetwork() escapes", () => {
  const text = changedNetwork(SOURCE, { domain: { name: "a'/><x", local: false } });
  assert.equal(readNetworkSettings(text).domain, "a'/><x");
});
