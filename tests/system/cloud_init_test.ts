/** Cloud-init: seeds that a real guest mounts and reads, and that the real cloud-init carries out. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { sha512Crypt } from "../../agent/vm/cloud_init/sha512_crypt.ts";
import { type CloudInit, KEPT_SECRET } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testNetwork } from "../testbed/network.ts";
import { testPool } from "../testbed/pool.ts";
import { exists } from "../testbed/process.ts";
import { call, known, readyServer, refused, shows } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { inGuest } from "../testbed/in_guest.ts";

const ignore = await requirement("guest") !== null;
const KEY =
  "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDevMTEDHkmIYu3VVsmi/0NYl4KEhg2ZFtKpPjJNMo6k ann@example.org";

/** The CD in the guest: its files with their modes, and what is in them. */
async function seedInGuest(
  vm: TestMachine,
): Promise<{ list: string; read: (name: string) => Promise<string> }> {
  await inGuest(
    vm,
    "/bin/sh",
    "-c",
    "mkdir -p /cd; umount /cd 2>/dev/null; mount -t iso9660 -o ro /dev/sr0 /cd",
  );
  return {
    list: await inGuest(vm, "/bin/ls", "-l", "/cd"),
    read: (name) => inGuest(vm, "/bin/cat", `/cd/${name}`),
  };
}

/** Paths of the CDs in a machine's drives, as virsh tells them. */
async function media(vm: TestMachine, ...flags: "--inactive"[]): Promise<string[]> {
  const list = await virsh("domblklist", vm.name, "--details", ...flags);
  return list.split("\n").flatMap((line) => {
    const [, device, , source] = line.trim().split(/\s+/);
    return device === "cdrom" && source !== undefined ? [source] : [];
  });
}

const FORM = {
  hostname: "web.example.org",
  users: [{ name: "ann", password: "top-secret-1", sshKeys: [KEY], sudo: "nopasswd" }],
  packages: ["nginx"],
  runCommands: ["echo 'öä' > /root/done"],
  timezone: "Europe/Vienna",
} satisfies CloudInit["form"];

Deno.test({
  name: "get_cloud_init() reads a whole seed while others take its place",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "reread", guest: false });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const set = (number: number) =>
      call(server, "set_cloud_init", { vmId, cloudInit: { form: { hostname: `host-${number}` } } });
    await set(0);
    let writing = true;
    const seen = new Set<string>();
    const reader = async () => {
      while (writing) seen.add((await call(server, "get_cloud_init", { vmId })).cloudInit!.form!.hostname!);
    };
    const readers = Promise.all([reader(), reader(), reader()]);
    try {
      for (let number = 1; number <= 15; number++) await set(number);
    } finally {
      writing = false;
      await readers;
    }
    assert.ok(seen.size > 5, `it was read between the changes: ${[...seen]}`);
    await call(server, "remove_cloud_init", { vmId });
  },
});

Deno.test({
  name:
    "a card that gets another MAC address is told to be in the seed by its former one, which a save mends",
  ignore,
  fn: async () => {
    await using network = await testNetwork();
    await using pool = await testPool("seed-mac");
    await using vm = await testMachine({ guest: false, network, disks: [{ pool, size: "8M" }] });
    await using server = await readyServer();
    const vmId = vm.uuid, newMac = "52:54:00:5e:ed:01";
    await known(server, vmId);
    const cloudInit = { network: [{ addresses: ["192.0.2.10/24"], gateway4: "192.0.2.1" }] };
    await call(server, "set_cloud_init", { vmId, cloudInit });
    const named = async () => (await call(server, "get_cloud_init", { vmId })).files?.networkConfig ?? "";
    assert.ok((await named()).includes(vm.mac!.toLowerCase()), await named());
    const { warnings } = await call(server, "update_nic", { vmId, mac: vm.mac!, newMac });
    assert.deepEqual(warnings?.map(({ code }) => code), ["SeedNamesMac"]);
    await call(server, "set_cloud_init", { vmId, cloudInit });
    assert.ok((await named()).includes(newMac), await named());
    const after = await call(server, "update_nic", { vmId, mac: newMac, newMac: "52:54:00:5e:ed:02" });
    assert.equal(after.warnings?.length, 1);
    await call(server, "remove_cloud_init", { vmId });
    const last = await call(server, "update_nic", { vmId, mac: "52:54:00:5e:ed:02", newMac });
    assert.equal(last.warnings, undefined);
  },
});

Deno.test({
  name:
    "set_cloud_init() gives a guest exactly what was asked, keeps secrets to itself, and takes it all away again",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork();
    await using vm = await testMachine({ purpose: "seed", network, disks: [{}] });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    let path = "";

    await t.step("nothing is set at first", async () => {
      assert.deepEqual(await call(server, "get_cloud_init", { vmId }), { cloudInit: null, warnings: [] });
      await refused(
        call(server, "remove_cloud_init", { vmId }),
        "CloudInitNotSet",
        "This VM has no cloud-init configuration",
      );
    });
    await t.step("a stopped machine gets a drive with the seed in it", async () => {
      const cloudInit = { form: FORM, network: [{ addresses: ["192.0.2.10/24"], gateway4: "192.0.2.1" }] };
      const done = await call(server, "set_cloud_init", { vmId, cloudInit });
      path = done.path;
      assert.equal(done.applies, "now");
      assert.match(path, new RegExp(`/${vm.name}-[0-9a-f]{8}-seed\\.iso$`));
      assert.deepEqual(await media(vm), [path]);
      const { mode } = await Deno.stat(path);
      assert.equal(mode! & 0o777, 0o600, "other users cannot read it");
    });
    await t.step("the guest mounts it and reads what was asked", async () => {
      await vm.start();
      await vm.waitForBoot();
      await vm.waitForAgent();
      const { list, read } = await seedInGuest(vm);
      for (const name of ["user-data", "meta-data", "network-config"]) {
        assert.match(list, new RegExp(`^-r--------.* ${name}$`, "m"));
      }
      const userData = await read("user-data");
      assert.equal(userData.split("\n")[0], "#cloud-config");
      const config = parse(userData, { version: "1.1" });
      assert.deepEqual([config.hostname, config.fqdn], ["web", "web.example.org"]);
      assert.deepEqual(config.runcmd, FORM.runCommands);
      const [ann] = config.users;
      assert.deepEqual([ann.name, ann.ssh_authorized_keys, ann.lock_passwd], ["ann", [KEY], false]);
      const salt = ann.hashed_passwd.split("$")[2];
      assert.equal(ann.hashed_passwd, sha512Crypt("top-secret-1", salt));
      const meta = parse(await read("meta-data"));
      assert.match(meta["instance-id"], /^kvmm-/);
      assert.equal(meta["local-hostname"], "web");
      const { eth0 } = parse(await read("network-config"), { version: "1.1" }).ethernets;
      assert.equal(eth0.match.macaddress, vm.mac);
      assert.deepEqual(eth0.addresses, ["192.0.2.10/24"]);
    });
    const hash = /\$6\$[./0-9A-Za-z]+\$[./0-9A-Za-z]{20,}/;
    await t.step("no door, no log and no file but the seed tells a secret", async () => {
      const state = await call(server, "get_cloud_init", { vmId });
      assert.equal(state.path, path);
      assert.equal(state.cloudInit?.form?.users?.[0]?.passwordHash, KEPT_SECRET);
      assert.deepEqual(state.cloudInit?.form?.users?.[0]?.sshKeys, [KEY]);
      const told = [
        state,
        await call(server, "get_vm_xml", { vmId }),
        await call(server, "get_vm_xml", { vmId, secure: true }),
        await call(server, "get_activity", { vmId }),
        await virsh("dumpxml", vm.name),
        server.log(),
      ].map((each) => JSON.stringify(each)).join("\n");
      assert.doesNotMatch(told, /top-secret/);
      assert.doesNotMatch(told, hash);
      for await (const { name, isFile } of Deno.readDir(server.dataDir)) {
        if (!isFile) continue;
        const bytes = new TextDecoder("latin1").decode(await Deno.readFile(`${server.dataDir}/${name}`));
        assert.ok(!bytes.includes("top-secret"), name);
        assert.doesNotMatch(bytes, hash, name);
      }
    });
    await t.step(
      "a change while it runs is in the drive at once, with the password kept and a new id",
      async () => {
        const before = await call(server, "get_cloud_init", { vmId });
        const form = before.cloudInit!.form!;
        const cloudInit = { ...before.cloudInit, form: { ...form, hostname: "db", packages: [] } };
        const done = await call(server, "set_cloud_init", { vmId, cloudInit });
        assert.equal(done.applies, "now");
        assert.notEqual(done.instanceId, before.instanceId);
        assert.deepEqual(await media(vm), [done.path]);
        assert.deepEqual(await media(vm, "--inactive"), [done.path]);
        assert.equal(await exists(path), false, "the seed before is deleted");
        path = done.path;
        const { read } = await seedInGuest(vm);
        const config = parse(await read("user-data"), { version: "1.1" });
        assert.equal(config.hostname, "db");
        assert.equal("packages" in config, false);
        const kept = config.users[0].hashed_passwd;
        assert.equal(kept, sha512Crypt("top-secret-1", kept.split("$")[2]));
        assert.equal(parse(await read("meta-data"))["instance-id"], done.instanceId);
      },
    );
    await t.step("whole documents go through untouched, their secrets hidden and kept", async () => {
      const userData = "#cloud-config\n# mine\npassword: top-secret-2\nchpasswd: {expire: false}\n";
      await call(server, "set_cloud_init", { vmId, cloudInit: { userData } });
      const shown = (await call(server, "get_cloud_init", { vmId })).cloudInit!;
      assert.equal(shown.userData, userData.replace("top-secret-2", `"${KEPT_SECRET}"`));
      assert.equal(await seedInGuest(vm).then(({ read }) => read("user-data")), userData);
      const cloudInit = { userData: shown.userData!.replace("# mine", "# ours") };
      path = (await call(server, "set_cloud_init", { vmId, cloudInit })).path;
      const kept = parse(await seedInGuest(vm).then(({ read }) => read("user-data")));
      assert.equal(kept.password, "top-secret-2");
    });
    await t.step(
      "remove_cloud_init() takes the drive out of both configurations and deletes the seed",
      async () => {
        await inGuest(vm, "/bin/umount", "/cd");
        assert.equal(await call(server, "remove_cloud_init", { vmId }), null);
        assert.deepEqual(await media(vm, "--inactive"), []);
        assert.deepEqual(await media(vm), []);
        assert.equal(await exists(path), false);
        assert.deepEqual(await call(server, "get_cloud_init", { vmId }), { cloudInit: null, warnings: [] });
        await shows(server, vmId, ({ disks }) => disks.every(({ device }) => device === "disk"));
      },
    );
  },
});

Deno.test({
  name: "set_cloud_init() refuses what is wrong by its field's name, and leaves nothing behind",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "seedbad", guest: false });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const before = await vm.xml();
    const cases: readonly [unknown, RegExp][] = [
      [{}, /cloudInit\.form/],
      [{ form: {}, userData: "#cloud-config\n" }, /cloudInit\.userData must be left out/],
      [{ form: { hostname: "a b" } }, /cloudInit\.form\.hostname must be a host name/],
      [{ form: { users: [{ name: "Ann" }] } }, /cloudInit\.form\.users\.0\.name must be a login name/],
      [{ form: { users: [{ name: "a", sshKeys: ["ssh-rsa AAAA"] }] } }, /users\.0\.sshKeys\.0 is damaged/],
      [
        { form: { users: [{ name: "a", passwordHash: KEPT_SECRET }] } },
        /users\.0\.passwordHash cannot be kept/,
      ],
      [{ form: {}, network: [{ addresses: ["192.0.2.1"] }] }, /network\.0\.addresses\.0 must be an address/],
      [{ form: {}, network: [{}] }, /network\.0\.mac must be given/],
      [{ userData: "hello: world" }, /cloudInit\.userData must have #cloud-config/],
      [{ userData: "#cloud-config\na: [" }, /cloudInit\.userData is no YAML.*line/],
      [
        { form: {}, networkConfig: "version: 1" },
        /cloudInit\.networkConfig must be a mapping with version: 2/,
      ],
      [{ form: {}, metaData: { "instance-id": "x" } }, /cloudInit\.metaData\.instance-id is made again/],
      [{ form: { nonsense: 1 } }, /unknown field "cloudInit.form.nonsense"/],
    ];
    for (const [cloudInit, expected] of cases) {
      const input = { vmId, cloudInit } as never;
      await refused(call(server, "set_cloud_init", input), "InvalidInput", expected);
      await refused(call(server, "preview_cloud_init", input), "InvalidInput", expected);
    }
    assert.equal(await vm.xml(), before);
    const files = await call(server, "preview_cloud_init", {
      vmName: "web",
      cloudInit: { form: { users: [{ name: "ann", password: "top-secret" }] } },
    });
    assert.equal(parse(files.userData).users[0].hashed_passwd, KEPT_SECRET);
  },
});

Deno.test({
  name: "delete_vm() with disks deletes the seed too, without them leaves it",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    for (const deleteDisks of [true, false]) {
      await using vm = await testMachine({ purpose: "seeddel", guest: false, disks: [{}] });
      await known(server, vm.uuid);
      const { path } = await call(server, "set_cloud_init", { vmId: vm.uuid, cloudInit: { form: {} } });
      await call(server, "delete_vm", { vmId: vm.uuid, deleteDisks });
      assert.equal(await exists(path), !deleteDisks);
      if (!deleteDisks) await virsh("vol-delete", path);
    }
  },
});

Deno.test({
  name: "set_cloud_init() tells what a machine without a fitting drive gets at its next start",
  ignore,
  fn: async () => {
    await using vm = await testMachine({ purpose: "seedlate", start: true, guest: false, machine: "pc" });
    await using server = await readyServer();
    const vmId = vm.uuid;
    await known(server, vmId);
    const { path, applies } = await call(server, "set_cloud_init", { vmId, cloudInit: { form: {} } });
    assert.equal(applies, "next start");
    assert.deepEqual([await media(vm), await media(vm, "--inactive")], [[], [path]]);
    await call(server, "remove_cloud_init", { vmId });
    assert.equal(await exists(path), false);
  },
});

Deno.test({
  name: "create_vm() with cloudInit makes the seed with the machine, and leaves nothing when it refuses",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    const name = await testName("seednew");
    await using _cleanup = {
      [Symbol.asyncDispose]: async () => {
        await removeDomain(name);
        await releaseName(name);
      },
    };
    const config = { name, virtType: "qemu" as const, memoryMb: 256, disks: [] };
    const seeds = async () =>
      (await virsh("vol-list", "default")).split("\n").filter((line) => line.includes(name));
    const bad = { ...config, cloudInit: { form: { hostname: "not a name" } } };
    await refused(
      call(server, "create_vm", bad),
      "InvalidInput",
      /cloudInit\.form\.hostname must be a host name/,
    );
    const { errors } = await call(server, "check_vm_config", bad);
    assert.deepEqual(errors.map(({ field }) => field), ["cloudInit.form.hostname"]);
    assert.deepEqual(await seeds(), []);
    const password = "top-secret-3";
    const good = {
      ...config,
      cloudInit: { form: { users: [{ name: "ann", password }] }, network: [{ dhcp6: true }] },
    };
    const { id } = await call(server, "create_vm", good);
    const { cloudInit, path, files } = await call(server, "get_cloud_init", { vmId: id });
    assert.equal(cloudInit?.form?.users?.[0]?.passwordHash, KEPT_SECRET);
    const [mac] = (await known(server, id)).networkInterfaces.map((nic) => nic.mac);
    assert.equal(parse(files!.networkConfig!, { version: "1.1" }).ethernets.eth0.match.macaddress, mac);
    assert.equal((await seeds()).length, 1);
    assert.doesNotMatch(JSON.stringify(await call(server, "get_activity", {})), /top-secret/);
    await call(server, "delete_vm", { vmId: id, deleteDisks: true });
    assert.equal(await exists(path!), false);
    assert.deepEqual(await seeds(), []);
  },
});
