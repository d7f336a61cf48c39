import assert from "node:assert/strict";
import type { CloudInit } from "../../contract/cloud_init.ts";
import { KEPT_SECRET } from "../../contract/cloud_init_bounds.ts";
import { familyOfPrefix, isIpv4, isIpv6 } from "./address.ts";
import { checkCloudInit } from "./check.ts";
import { sshKeyFault } from "./ssh_key.ts";

const ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDevMTEDHkmIYu3VVsmi/0NYl4KEhg2ZFtKpPjJNMo6k";
const fields = (cloudInit: CloudInit) => checkCloudInit(cloudInit).map(({ field }) => field);

Deno.test("checkCloudInit() finds nothing wrong with what is right", () => {
  assert.deepEqual(
    checkCloudInit({
      form: {
        hostname: "web-1.example.org",
        users: [
          {
            name: "ann",
            fullName: "Änn O'Hara",
            password: "a:b c\"'",
            sshKeys: [ED25519, `${ED25519} ann@home, the second`],
            shell: "/usr/bin/zsh",
            groups: ["adm", "docker"],
          },
          { name: "_svc-1", passwordHash: "$6$rounds=1000$abc$ABCDEF./0123" },
          { name: "kept", passwordHash: KEPT_SECRET },
        ],
        packages: ["nginx", "libstdc++6", "htop=3.2.2-2", "foo:amd64"],
        runCommands: ["echo 'a' && b\n\tc"],
        timezone: "America/Argentina/Buenos_Aires",
        locale: "de_AT.UTF-8@euro",
      },
      network: [{
        mac: "52:54:00:AB:cd:01",
        addresses: ["192.0.2.10/24", "2001:db8::1/64"],
        gateway4: "192.0.2.1",
        gateway6: "fe80::1",
        nameservers: ["9.9.9.9", "2620:fe::fe"],
        searchDomains: ["example.org"],
      }],
      metaData: { role: "web" },
    }),
    [],
  );
});

Deno.test("checkCloudInit() names every field that is wrong", () => {
  const cases: readonly [CloudInit, string[]][] = [
    [{}, ["form"]],
    [{ form: {}, userData: "" }, ["userData"]],
    [{ form: {}, network: [], networkConfig: "" }, ["networkConfig"]],
    [{ form: { hostname: "-a" } }, ["form.hostname"]],
    [{ form: { hostname: `${"a".repeat(64)}.org` } }, ["form.hostname"]],
    [{ form: { users: [{ name: "a" }, { name: "A" }, { name: "a" }] } }, [
      "form.users.1.name",
      "form.users.2.name",
    ]],
    [{ form: { users: [{ name: "a", password: "x", passwordHash: "$6$a$aaaaaaaa" }] } }, [
      "form.users.0.password",
    ]],
    [{ form: { users: [{ name: "a", passwordHash: "plain" }] } }, ["form.users.0.passwordHash"]],
    [{ form: { users: [{ name: "a", fullName: "a:b" }] } }, ["form.users.0.fullName"]],
    [{ form: { users: [{ name: "a", shell: "bash" }] } }, ["form.users.0.shell"]],
    [{ form: { users: [{ name: "a", groups: ["ok", "not ok"] }] } }, ["form.users.0.groups.1"]],
    [{ form: { users: [{ name: "a", sshKeys: [ED25519, "x"] }] } }, ["form.users.0.sshKeys.1"]],
    [{ form: { packages: ["--allow-downgrades", "a b", "ok"] } }, ["form.packages.0", "form.packages.1"]],
    [{ form: { runCommands: ["a\0b"] } }, ["form.runCommands.0"]],
    [{ form: { timezone: "../etc/passwd" } }, ["form.timezone"]],
    [{ form: { locale: "-x" } }, ["form.locale"]],
    [
      { network: [{ addresses: ["10.0.0.1", "10.0.0.1/33", "::1/129"] }] },
      [0, 1, 2].map((n) => `network.0.addresses.${n}`),
    ],
    [{ network: [{ gateway4: "10.0.0.1" }] }, ["network.0.gateway4"]],
    [{ network: [{ addresses: ["10.0.0.2/24"], gateway4: "::1" }] }, ["network.0.gateway4"]],
    [{ network: [{ addresses: ["10.0.0.2/24"], gateway6: "::1" }] }, ["network.0.gateway6"]],
    [{ network: [{ nameservers: ["dns"] }] }, ["network.0.nameservers.0"]],
    [{ network: [{ mac: "52:54:00:00:00:aa" }, { mac: "52:54:00:00:00:AA" }] }, ["network.1.mac"]],
    [{ form: {}, metaData: { "instance-id": "x" } }, ["metaData.instance-id"]],
    [{ form: {}, metaData: { "a b": "x" } }, ["metaData.a b"]],
  ];
  for (const [cloudInit, expected] of cases) {
    assert.deepEqual(fields(cloudInit), expected, JSON.stringify(cloudInit));
  }
});

Deno.test("sshKeyFault() takes whole public keys alone, and never repeats what it was given", () => {
  const faults: readonly [string, RegExp][] = [
    ["", /kind of key/],
    [ED25519.slice(0, 40), /damaged/],
    [ED25519.replace("ssh-ed25519", "ssh-rsa"), /damaged/],
    [`command="x" ${ED25519}`, /kind of key/],
    ["ssh-dss AAAAB3NzaC1kc3MAAACBAP", /kind of key/],
    ["ssh-ed25519 ****", /damaged/],
    [`${ED25519}\n${ED25519}`, /one line/],
    ["-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2", /private key/],
  ];
  assert.equal(sshKeyFault(`  ${ED25519} a comment `), undefined);
  for (const [key, expected] of faults) {
    const fault = sshKeyFault(key);
    assert.match(fault ?? "", expected, key);
    assert.doesNotMatch(fault ?? "", /hunter2|AAAA/);
  }
});

Deno.test("isIpv4(), isIpv6() and familyOfPrefix() take addresses as people write them", () => {
  for (const text of ["0.0.0.0", "255.255.255.255", "192.0.2.1"]) assert.ok(isIpv4(text), text);
  for (const text of ["256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.4 ", "1.2.3.4.5", "::1"]) {
    assert.ok(!isIpv4(text), text);
  }
  for (const text of ["::", "::1", "fe80::1", "2001:DB8:0:0:0:0:0:1", "::ffff:192.0.2.1"]) {
    assert.ok(isIpv6(text), text);
  }
  for (const text of ["", "1::2::3", "g::1", "fe80::1%eth0", "12345::1", "1.2.3.4", "::1]/"]) {
    assert.ok(!isIpv6(text), text);
  }
  const cases = [
    ["10.0.0.1/0", 4],
    ["10.0.0.1/32", 4],
    ["::1/128", 6],
    ["10.0.0.1/08", undefined],
    ["10.0.0.1/", undefined],
    ["a/24", undefined],
    ["10.0.0.1/24/1", undefined],
  ] as const;
  for (const [text, family] of cases) assert.equal(familyOfPrefix(text), family, text);
});

Deno.test("checkCloudInit() holds addresses and gateways against each other", () => {
  const faults = (...network: NonNullable<CloudInit["network"]>) =>
    checkCloudInit({ network }).map(({ field, message }) => `${field} ${message}`);
  assert.deepEqual(faults({ addresses: ["192.0.2.10/32"], gateway4: "172.31.1.1" }), []);
  assert.deepEqual(faults({ addresses: ["192.0.2.10/24"], gateway4: "192.0.2.1" }), []);
  assert.deepEqual(faults({ addresses: ["2001:db8::10/64"], gateway6: "2001:db8:ff::1" }), []);
  const table: [NonNullable<CloudInit["network"]>, RegExp][] = [
    [
      [{ addresses: ["192.0.2.10/24"], gateway4: "192.0.3.1" }],
      /^network\.0\.gateway4 must be in the subnet/,
    ],
    [
      [{ addresses: ["192.0.2.10/24"], gateway4: "192.0.2.10" }],
      /^network\.0\.gateway4 must not be the card's own/,
    ],
    [[{ addresses: ["192.0.2.0/24"] }], /^network\.0\.addresses\.0 must not be the first/],
    [[{ addresses: ["192.0.2.255/24"] }], /^network\.0\.addresses\.0 must not be the first or the last/],
    [[{ addresses: ["192.0.2.9/24"] }, { addresses: ["192.0.2.9/24"] }], /^network\.1\.addresses\.0 .*twice/],
  ];
  for (const [network, fault] of table) {
    const found = faults(...network);
    assert.equal(found.length, 1, found.join("; "));
    assert.match(found[0]!, fault);
  }
});
