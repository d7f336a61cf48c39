import assert from "node:assert/strict";
import { HostNames, loopbackNames, ownNames } from "./names.ts";

const own = () => ["host", "localhost", "192.0.2.2", "fd00::2"];

Deno.test("HostNames.has() knows this host by its names and addresses with the port, and those of the settings (threat 12)", () => {
  const names = new HostNames(8440, ["kvm.example", "2001:db8::1"], own);
  const ours = ["host:8440", "localhost:8440", "192.0.2.2:8440", "[fd00::2]:8440"];
  const more = ["kvm.example", "kvm.example:443", "kvm.example:9443", "[2001:db8::1]:1"];
  for (const host of [...ours, ...more]) assert.ok(names.has(host), host);
  const foreign = [
    ...["", "host", "host:8441", "192.0.2.2", "192.0.2.3:8440", "fd00::2:8440", "evil.example:8440"],
    "kvm.example.evil.example",
    "xkvm.example",
    "kvm.example:x",
    "kvm.example:8440@evil.example",
    "kvm.example/",
    ...["kvm.example, evil.example", "evil.example:kvm.example"],
  ];
  for (const host of foreign) assert.ok(!names.has(host), host);
});

Deno.test("HostNames.has() takes a host name with a port of the settings for that port alone", () => {
  const names = new HostNames(8440, ["kvm.example:9443"], own);
  assert.deepEqual(["kvm.example:9443", "kvm.example", "kvm.example:8440"].map((host) => names.has(host)), [
    true,
    false,
    false,
  ]);
});

Deno.test("HostNames.has() goes without the port where browsers leave it out", () => {
  assert.ok(new HostNames(443, [], own).has("host"));
  assert.ok(!new HostNames(80, [], own).has("host"), "TLS's port is 443");
});

Deno.test("loopbackNames() adds the names of the settings to loopback's", () => {
  const names = loopbackNames(8440, "127.0.0.1", ["kvm.example"]);
  assert.deepEqual(
    ["127.0.0.1:8440", "localhost:8440", "kvm.example", "host:8440", "192.0.2.2:8440"].map((host) =>
      names.has(host)
    ),
    [true, true, true, false, false],
  );
});

Deno.test("ownNames() are names and addresses that can stand in a certificate and a Host", () => {
  const names = ownNames();
  assert.ok(
    names.includes("localhost") && names.includes("127.0.0.1") &&
      names.includes(Deno.hostname().toLowerCase()),
  );
  for (const name of names) assert.match(name, /^[a-z0-9.:-]+$/);
});
