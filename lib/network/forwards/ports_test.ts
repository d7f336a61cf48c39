import assert from "node:assert/strict";
import { parseAddress } from "../../formats/ip/cidr.ts";
import type { Socket } from "../sockets.ts";
import { isLoopbackAddress, portsFault, portText, socketOn, spansOverlap } from "./ports.ts";

const tcp = (from: number, to = from, address?: string) => ({ protocol: "tcp", from, to, address } as const);

Deno.test("portText() writes a port or a range", () => {
  assert.deepEqual([portText({ from: 80, to: 80 }), portText({ from: 80, to: 90 })], ["80", "80-90"]);
});

Deno.test("portsFault() names what cannot be forwarded", () => {
  assert.equal(portsFault(1, 65_535, 1), undefined);
  assert.equal(portsFault(65_535, 65_535, 1), undefined);
  assert.equal(portsFault(1000, 1000 + 4095, 2000), undefined);
  assert.match(portsFault(90, 80, 90)!, /end is before its start/);
  assert.match(portsFault(80, 90, 65_530)!, /65540, beyond 65535/);
  assert.match(portsFault(1000, 1000 + 4096, 2000)!, /at most 4096/);
});

Deno.test("spansOverlap() looks at protocol, ports and address", () => {
  assert.equal(spansOverlap(tcp(80, 90), tcp(90, 99)), true);
  assert.equal(spansOverlap(tcp(80, 90), tcp(91)), false);
  assert.equal(spansOverlap(tcp(80), { ...tcp(80), protocol: "udp" }), false);
  assert.equal(spansOverlap(tcp(80, 80, "10.0.0.1"), tcp(80)), true);
  assert.equal(spansOverlap(tcp(80, 80, "10.0.0.1"), tcp(80, 80, "10.0.0.2")), false);
  assert.equal(spansOverlap(tcp(80, 80, "fd00::1"), tcp(80, 80, "fd00:0::1")), true);
});

const socket = (address: string, port: number, protocol: Socket["protocol"] = "tcp"): Socket => ({
  protocol,
  port,
  address: parseAddress(address)!,
  inode: "1",
});

Deno.test("socketOn() finds the program that has a port, whatever the loopback alone has", () => {
  const found = (span: Parameters<typeof socketOn>[0], ...sockets: Socket[]) =>
    socketOn(span, sockets) !== undefined;
  assert.equal(found(tcp(80, 90), socket("0.0.0.0", 85)), true);
  assert.equal(found(tcp(80, 90), socket("0.0.0.0", 91)), false);
  assert.equal(found(tcp(80), socket("::", 80)), true, "IPv4 comes to `::` as well");
  assert.equal(found(tcp(80, 80, "10.0.0.1"), socket("::", 80)), true);
  assert.equal(found(tcp(80, 80, "10.0.0.1"), socket("10.0.0.1", 80)), true);
  assert.equal(found(tcp(80, 80, "10.0.0.1"), socket("10.0.0.2", 80)), false);
  assert.equal(found(tcp(80), socket("10.0.0.2", 80)), true);
  assert.equal(found(tcp(80), socket("127.0.0.53", 80)), false);
  assert.equal(found(tcp(80), socket("::1", 80)), false);
  assert.equal(found(tcp(80), socket("0.0.0.0", 80, "udp")), false);
});

Deno.test("isLoopbackAddress() knows both families'", () => {
  const told = ["127.0.0.1", "127.9.9.9", "::1", "128.0.0.1", "0.0.0.0", "::"].map((ip) =>
    isLoopbackAddress(parseAddress(ip)!)
  );
  assert.deepEqual(told, [true, true, true, false, false, false]);
});
