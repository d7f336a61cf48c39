import assert from "node:assert/strict";
import fc from "fast-check";
import { parse } from "yaml";
import type { CloudInit } from "../../contract/cloud_init.ts";
import { documentsOf, hostnameOf, NoSuchNic } from "./documents.ts";

const MAC = "52:54:00:11:22:33";
const SUBJECT = { vmName: "web_1", instanceId: "id-1", macs: [MAC, "52:54:00:aa:bb:cc"] };
/** As PyYAML, which cloud-init uses, reads it. */
const read = (text: string) => parse(text, { version: "1.1" });

Deno.test("documentsOf() writes the form as cloud-config", () => {
  const { userData, metaData, networkConfig } = documentsOf({
    form: {
      hostname: "web.example.org",
      users: [
        { name: "ann", fullName: "Ann B", passwordHash: "$6$a$b", sudo: "nopasswd", groups: ["adm"] },
        { name: "bob", sshKeys: [" ssh-ed25519 AAAA bob "], shell: "/bin/sh" },
      ],
      sshPasswordLogin: true,
      packages: ["nginx", "htop=1.2"],
      packageUpdate: true,
      packageUpgrade: false,
      runCommands: ["echo one\necho two", "yes | true"],
      timezone: "Europe/Vienna",
      locale: "en_US.UTF-8",
    },
    metaData: { role: "web", version: "012" },
  }, SUBJECT);
  assert.equal(userData.split("\n")[0], "#cloud-config");
  assert.deepEqual(read(userData), {
    hostname: "web",
    fqdn: "web.example.org",
    manage_etc_hosts: "localhost",
    users: [
      {
        name: "ann",
        gecos: "Ann B",
        shell: "/bin/bash",
        groups: ["adm"],
        sudo: "ALL=(ALL) NOPASSWD:ALL",
        hashed_passwd: "$6$a$b",
        lock_passwd: false,
      },
      { name: "bob", shell: "/bin/sh", lock_passwd: true, ssh_authorized_keys: ["ssh-ed25519 AAAA bob"] },
    ],
    ssh_pwauth: true,
    timezone: "Europe/Vienna",
    locale: "en_US.UTF-8",
    package_update: true,
    package_upgrade: false,
    packages: ["nginx", "htop=1.2"],
    runcmd: ["echo one\necho two", "yes | true"],
  });
  assert.deepEqual(read(metaData), {
    "instance-id": "id-1",
    "local-hostname": "web",
    role: "web",
    version: "012",
  });
  assert.equal(networkConfig, undefined);
});

Deno.test("documentsOf() describes each interface by its MAC address, static or by DHCP", () => {
  const { userData, networkConfig } = documentsOf({
    network: [
      { addresses: ["192.0.2.10/24", "2001:db8::10/64"], gateway4: "192.0.2.1", gateway6: "2001:db8::1" },
      { nameservers: ["192.0.2.53"], searchDomains: ["example.org"] },
    ],
  }, SUBJECT);
  assert.equal(userData, "#cloud-config\n");
  assert.deepEqual(read(networkConfig!), {
    version: 2,
    ethernets: {
      eth0: {
        match: { macaddress: MAC },
        "set-name": "eth0",
        dhcp4: false,
        dhcp6: false,
        addresses: ["192.0.2.10/24", "2001:db8::10/64"],
        gateway4: "192.0.2.1",
        gateway6: "2001:db8::1",
      },
      eth1: {
        match: { macaddress: "52:54:00:aa:bb:cc" },
        "set-name": "eth1",
        dhcp4: true,
        dhcp6: false,
        nameservers: { addresses: ["192.0.2.53"], search: ["example.org"] },
      },
    },
  });
});

Deno.test("documentsOf() refuses an interface without a MAC address, and names a given one by its place", () => {
  const describe = (network: CloudInit["network"], macs: readonly string[]) =>
    documentsOf({ network: network! }, { ...SUBJECT, macs });
  assert.throws(() => describe([{}, {}], [MAC]), NoSuchNic);
  const { networkConfig } = describe([{ mac: "52:54:00:AA:BB:CC" }], SUBJECT.macs);
  assert.deepEqual(Object.keys(read(networkConfig!).ethernets), ["eth1"]);
});

Deno.test("documentsOf() keeps any text what it is: no YAML in it is understood", () => {
  const text = fc.oneof(
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }),
    fc.constantFrom(
      "yes",
      "0777",
      "12:30:45",
      "~",
      "- a",
      "{a: b}",
      "&a *a",
      "<<",
      "1e3",
      "# no",
      "'",
      '"',
      "%Y",
      "=",
    ),
  );
  fc.assert(fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), text, (runCommands, fullName) => {
    const form = { runCommands, users: [{ name: "ann", fullName }] };
    const value = read(documentsOf({ form }, SUBJECT).userData);
    assert.deepEqual(value.runcmd, runCommands);
    assert.equal(value.users[0].gecos, fullName);
  }));
});

Deno.test("documentsOf() passes whole documents on as they are", () => {
  const userData = "#cloud-config\n# mine\nusers: [ ann ]\n", networkConfig = "version: 2\n";
  const files = documentsOf({ userData, networkConfig }, SUBJECT);
  assert.deepEqual([files.userData, files.networkConfig], [userData, networkConfig]);
});

Deno.test("hostnameOf() makes a host name of every machine's name", () => {
  assert.equal(hostnameOf("web_1"), "web-1");
  assert.equal(hostnameOf("-_-"), "vm");
  assert.equal(hostnameOf("web_1.example.org"), "web-1");
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z_-][A-Za-z0-9_-]{0,30}(\.[A-Za-z0-9_-]{1,10}){0,3}$/), (name) => {
      assert.match(hostnameOf(name), /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/);
    }),
  );
});

Deno.test("documentsOf() tells a guest that a gateway outside its subnets is on the link", () => {
  const nic = (network: NonNullable<CloudInit["network"]>[number]) => {
    const { networkConfig = "" } = documentsOf({ network: [network] }, SUBJECT);
    const { gateway4, gateway6, routes } =
      (read(networkConfig) as { ethernets: Record<string, Record<string, unknown>> }).ethernets.eth0!;
    return { gateway4, gateway6, routes };
  };
  const none = { gateway4: undefined, gateway6: undefined, routes: undefined };
  assert.deepEqual(nic({ addresses: ["192.0.2.10/24"], gateway4: "192.0.2.1" }), {
    ...none,
    gateway4: "192.0.2.1",
  });
  assert.deepEqual(nic({ addresses: ["192.0.2.10/32"], gateway4: "172.31.1.1" }), {
    ...none,
    routes: [{ to: "0.0.0.0/0", via: "172.31.1.1", "on-link": true }],
  });
  assert.deepEqual(
    nic({
      addresses: ["192.0.2.10/32", "2001:db8::10/128"],
      gateway4: "172.31.1.1",
      gateway6: "2001:db8:ff::1",
    }),
    {
      ...none,
      routes: [
        { to: "0.0.0.0/0", via: "172.31.1.1", "on-link": true },
        { to: "::/0", via: "2001:db8:ff::1", "on-link": true },
      ],
    },
  );
  assert.deepEqual(nic({ addresses: ["2001:db8::10/128"], gateway6: "fe80::1" }), {
    ...none,
    gateway6: "fe80::1",
  });
});
