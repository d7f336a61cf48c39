import assert from "node:assert/strict";
import { networkIn, settingsIn, settingsValues } from "./network_form.ts";

function formOf(fields: Record<string, string>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}

Deno.test("networkIn() leaves out what was not filled in", () => {
  assert.deepEqual(networkIn(formOf({ name: "lab", mode: "isolated", bridge: "", "ipv4.address": " " })), {
    name: "lab",
    mode: "isolated",
    start: false,
    autostart: false,
  });
});

Deno.test("networkIn() reads every field", () => {
  const form = formOf({
    "name": "lab",
    "mode": "nat",
    "devices": "eth0, eth1",
    "ipv4.address": "10.9.0.1/24",
    "ipv4.start": "10.9.0.2",
    "ipv4.end": "10.9.0.9",
    "ipv4.hosts": "52:54:00:00:00:01 10.9.0.20 web\r\n\r\n52:54:00:00:00:02 10.9.0.21",
    "dnsHosts": "10.9.0.5 a b",
    "forwarders": "9.9.9.9 1.1.1.1",
    "mtu": "1400",
    "inbound": "1000",
    "vlan.tags": "5 6",
    "vlan.native": "6",
    "start": "on",
  });
  assert.deepEqual(networkIn(form), {
    name: "lab",
    mode: "nat",
    devices: ["eth0", "eth1"],
    ipv4: {
      address: "10.9.0.1/24",
      ranges: [{ start: "10.9.0.2", end: "10.9.0.9" }],
      hosts: [
        { mac: "52:54:00:00:00:01", ip: "10.9.0.20", hostname: "web" },
        { mac: "52:54:00:00:00:02", ip: "10.9.0.21" },
      ],
    },
    dnsHosts: [{ ip: "10.9.0.5", hostnames: ["a", "b"] }],
    forwarders: ["9.9.9.9", "1.1.1.1"],
    mtu: 1400,
    bandwidth: { inbound: { averageKib: 1000 } },
    vlan: { tags: [5, 6], native: 6 },
    start: true,
    autostart: false,
  });
});

const SETTINGS = {
  domain: "lab.test",
  localDomain: true,
  forwarders: ["9.9.9.9"],
  dnsHosts: [{ ip: "10.0.0.5", hostnames: ["a", "b"] }, { ip: "10.0.0.6", hostnames: ["c"] }],
  mtu: 1400,
  bandwidth: { inbound: { averageKib: 100, peakKib: 200 } },
};

Deno.test("settingsIn() asks for nothing when the form is sent as it came", () => {
  const sent = settingsValues(SETTINGS);
  assert.deepEqual(
    settingsIn(formOf({ ...sent, dnsHosts: sent.dnsHosts!.replace("\n", "\r\n") }), SETTINGS),
    {},
  );
});

Deno.test("settingsIn() takes away what was emptied, and keeps a peak whose mean stays", () => {
  const { localDomain: _, ...sent } = settingsValues(SETTINGS);
  assert.deepEqual(
    settingsIn(formOf({ ...sent, domain: "", forwarders: "", mtu: "", outbound: "50" }), SETTINGS),
    {
      domain: null,
      localDomain: false,
      forwarders: [],
      mtu: null,
      bandwidth: { inbound: { averageKib: 100, peakKib: 200 }, outbound: { averageKib: 50 } },
    },
  );
  const unlimited = formOf({ ...settingsValues(SETTINGS), inbound: "" });
  assert.deepEqual(settingsIn(unlimited, SETTINGS), { bandwidth: null });
});

Deno.test("a switch of a network is on where its box is ticked, and taken away where it was", () => {
  const ticked = formOf({});
  for (const text of ["no", "yes"]) ticked.append("isolatedPorts", text);
  assert.equal(networkIn(ticked).isolatedPorts, true);
  assert.deepEqual(settingsIn(ticked, { ...SETTINGS, isolatedPorts: true }), {});
  const unticked = formOf({ isolatedPorts: "no" });
  assert.equal(networkIn(unticked).isolatedPorts, undefined);
  assert.deepEqual(settingsIn(unticked, { ...SETTINGS, isolatedPorts: true }), { isolatedPorts: null });
});

Deno.test("settingsIn() leaves alone what the form of a bridge does not have", () => {
  assert.deepEqual(settingsIn(formOf({ inbound: "100", outbound: "" }), SETTINGS), {});
});
