/** create_vm: what libvirt then has, what is refused and why, and that a creation that fails leaves nothing. */
import assert from "node:assert/strict";
import type { Input, Output } from "../../lib/contract/mod.ts";
import { FULL, resolved } from "../../lib/vm/create/testing.ts";
import { newDomainXml } from "../../lib/formats/xml/new_domain.ts";
import { buildGuest } from "../testbed/guest.ts";
import { virsh, virshUnless } from "../testbed/libvirt.ts";
import { noFirmware } from "../testbed/firmware.ts";
import { testMachine } from "../testbed/machine.ts";
import { filesOf, testName } from "../testbed/names.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, EventLog, readyServer, refusal, refused, shows } from "../testbed/product.ts";
import { removeDomain, removeFiles, removeNetwork } from "../testbed/removal.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { noOrphanTpms, tpmFolders } from "../testbed/tpm.ts";
import { until } from "../testbed/wait.ts";
import { GIB } from "../../lib/text/byte_units.ts";

const ignore = await requirement("guest") !== null;
type Config = Input<"create_vm">;

/** A name for a machine, which goes with everything called so when it is disposed of. */
async function vmName(purpose = "create"): Promise<AsyncDisposable & { readonly name: string }> {
  const name = await testName(purpose);
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await removeDomain(name);
      await removeFiles(name);
    },
  };
}

const defined = async (name: string) =>
  await virshUnless(/failed to get domain|not found/i, "domuuid", name) !== null;
const filesIn = async (pool: TestPool) =>
  (await Array.fromAsync(Deno.readDir(pool.path))).map(({ name }) => name).sort();
const info = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await run(["qemu-img", "info", "-U", "--output=json", path]));
const attributes = (xml: string, pattern: RegExp) => [...xml.matchAll(pattern)].map((match) => match[1]);

/** A path that the kernel looks nothing up at. */
const TOO_LONG = `/${"n".repeat(300)}`;

Deno.test({
  name: "create_vm() makes what was asked for, as virsh and qemu-img see it",
  ignore,
  fn: async (t) => {
    const guest = await buildGuest();
    await using pool = await testPool("create");
    await using server = await readyServer();
    await using log = await EventLog.open(server);

    await t.step("a machine with everything, started: its guest comes up", async () => {
      await using vm = await vmName("create-all");
      const config: Config = {
        name: vm.name,
        title: `A <title> & "more"`,
        description: "first\nsecond ]]> <b>",
        tags: ["web", "<b>&'\"", "日本-💥"],
        group: "Team <A>",
        osVariant: "debian12",
        cpuCount: 2,
        cpuTopology: { sockets: 1, cores: 2, threads: 1 },
        memoryMb: 256,
        disks: [
          { sizeGb: 3, pool: pool.name },
          { sizeGb: 1, pool: pool.name, format: "raw", bus: "sata", serial: "DATA-1", cache: "none" },
        ],
        nics: [],
        kernel: { path: guest.kernel, initrd: guest.initrd, args: guest.cmdline },
        sound: "ich9",
        watchdog: "i6300esb",
        watchdogAction: "poweroff",
        bootMenu: true,
        autostart: true,
        start: true,
      };
      const { resolved } = await call(server, "check_vm_config", config);
      const { id, warnings } = await call(server, "create_vm", config);
      const sources = /<source file=["'](.*?)["']/g;
      assert.deepEqual(
        attributes(resolved!.xml, sources),
        attributes(await virsh("dumpxml", vm.name, "--inactive"), sources),
        "the images are made where the check says",
      );
      assert.deepEqual(warnings.map(({ message }) => message), [
        "Debian 12 asks for at least 1024 MB of memory",
      ]);
      assert.equal(await virsh("domuuid", vm.name), id);
      assert.equal(await virsh("domstate", vm.name), "running");
      const shown = await shows(server, id, ({ state }) => state === "running");
      assert.deepEqual(
        [
          shown.title,
          shown.tags,
          shown.group,
          shown.osVariant,
          shown.cpuCount,
          shown.memoryMb,
          shown.autostart,
        ],
        [config.title, config.tags, "Team <A>", "debian12", 2, 256, true],
      );
      assert.ok(Math.abs(Date.now() - shown.createdAt!) < 60_000);
      const created = log.of("vm-created").filter((event) => event.vm.id === id);
      assert.equal(created.length, 1);

      const xml = await virsh("dumpxml", vm.name, "--inactive");
      assert.deepEqual(attributes(xml, /<target dev='(\w+)' bus='(?:virtio|sata)'/g), ["vda", "sda"]);
      assert.match(xml, /<description>first\nsecond \]\](>|&gt;) &lt;b&gt;<\/description>/);
      assert.match(xml, /<libosinfo:os id="http:\/\/debian.org\/debian\/12"/);
      assert.match(xml, /<graphics type='vnc' port='-1' autoport='yes' listen='127\.0\.0\.1'/);
      for (const channel of ["org.qemu.guest_agent.0", "org.kvmmanager.agent.0"]) {
        assert.ok(xml.includes(channel));
      }
      for (
        const part of [
          /<sound model='ich9'/,
          /<watchdog model='i6300esb' action='poweroff'/,
          /<rng model='virtio'/,
        ]
      ) {
        assert.match(xml, part);
      }
      const [first, second] = [`${pool.path}/${vm.name}.qcow2`, `${pool.path}/${vm.name}.raw`];
      assert.deepEqual(await filesIn(pool), [`${vm.name}.qcow2`, `${vm.name}.raw`]);
      assert.deepEqual([(await info(first)).format, (await info(first))["virtual-size"]], ["qcow2", 3 * GIB]);
      assert.equal((await Deno.stat(second)).size, GIB);
      assert.ok(
        (await Deno.stat(second)).blocks! * 512 < GIB / 10,
        "the raw image is allocated as it is written",
      );
      const { host, port } = await call(server, "get_vnc_info", { vmId: id });
      assert.equal(host, "127.0.0.1");
      assert.ok(port! >= 5900);

      const ping = ["qemu-agent-command", vm.name, '{"execute":"guest-ping"}', "--timeout", "1"];
      const silent = /not connected|not responding|not available/i;
      await until("the guest's agent", async () => await virshUnless(silent, ...ping) !== null, {
        seconds: 60,
      });
      await call(server, "force_stop_vm", { vmId: id });
      const { deletedDisks } = await call(server, "delete_vm", { vmId: id, deleteDisks: true });
      assert.deepEqual(deletedDisks.sort(), [first, second]);
      assert.deepEqual(await filesIn(pool), []);
    });

    await t.step("the check numbers images that would have the same name", async () => {
      await using vm = await vmName("create-two");
      const disks = [1, 1].map((sizeGb) => ({ sizeGb, pool: pool.name }));
      const config: Config = { name: vm.name, disks, nics: [] };
      const { resolved } = await call(server, "check_vm_config", config);
      assert.deepEqual(
        attributes(resolved!.xml, /<source file=["'](.*?)["']/g),
        [`${pool.path}/${vm.name}.qcow2`, `${pool.path}/${vm.name}-1.qcow2`],
      );
      const { id } = await call(server, "create_vm", config);
      const { deletedDisks } = await call(server, "delete_vm", { vmId: id, deleteDisks: true });
      assert.deepEqual(deletedDisks.sort(), [
        `${pool.path}/${vm.name}-1.qcow2`,
        `${pool.path}/${vm.name}.qcow2`,
      ]);
    });

    await t.step("a name alone is enough where there is a pool, and without a disk even there", async () => {
      await using vm = await vmName("create-bare");
      const { id, warnings } = await call(server, "create_vm", { name: vm.name, disks: [], nics: [] });
      assert.deepEqual(warnings.map(({ code }) => code), ["NoBootSource"]);
      const { disks, networkInterfaces, state } = await call(server, "get_vm", { vmId: id });
      assert.deepEqual([disks, networkInterfaces, state], [[], [], "stopped"]);
      assert.equal(await defined(vm.name), true);
    });

    await t.step("an old image of the same name stays, the new one gets another name", async () => {
      await using vm = await vmName("create-old");
      const old = `${pool.path}/${vm.name}.qcow2`;
      await Deno.writeTextFile(old, "somebody's"); // no pool has seen it
      const { id } = await call(server, "create_vm", {
        name: vm.name,
        disks: [{ sizeGb: 1, pool: pool.name }],
        nics: [],
      });
      assert.equal(await Deno.readTextFile(old), "somebody's");
      const { disks } = await call(server, "get_vm", { vmId: id });
      assert.deepEqual(disks.map(({ source }) => source), [`${pool.path}/${vm.name}-1.qcow2`]);
      await call(server, "delete_vm", { vmId: id, deleteDisks: true, permanently: true });
      await Deno.remove(old);
      await virsh("pool-refresh", pool.name);
    });
  },
});

Deno.test({
  name: "create_vm() is taken by libvirt for every kind of machine this host offers, and is valid XML",
  ignore,
  fn: async () => {
    await using server = await readyServer();
    const options = await call(server, "get_create_options");
    const available = (choices: readonly { id: string; available: boolean }[]) =>
      choices.filter((choice) => choice.available).map(({ id }) => id);
    const wishes: Partial<Config>[] = [
      {},
      ...(["linux", "windows", "other"] as const).map((osType) => ({ osType })),
      ...["win11", "win10", "win2k22", "debian12", "freebsd14.0", "unknown", "no-such-os"].map((
        osVariant,
      ) => ({
        osVariant,
      })),
      ...["q35", "pc", "pc-q35-7.2"].filter((name) => options.machines.some((each) => each.name === name))
        .map((
          machine,
        ) => ({ machine })),
      ...available(options.firmwares).map((firmware) => ({
        firmware: firmware as Config["firmware"] & string,
      })),
      ...available(options.cpuModes).filter((mode) => mode !== "custom").map((cpuMode) => ({
        cpuMode: cpuMode as Config["cpuMode"] & string,
      })),
      ...available(options.graphics).map((graphics) => ({
        graphics: graphics as Config["graphics"] & string,
      })),
      ...options.videoModels.map((video) => ({ video: video as Config["video"] & string })),
      ...options.soundModels.map((sound) => ({ sound: sound as Config["sound"] & string })),
      ...options.watchdogs.map((watchdog) => ({ watchdog: watchdog as Config["watchdog"] & string })),
      { cpuModel: "qemu64" },
      { cpuModel: "Westmere", cpuMode: "custom" },
      { cpuCount: 256 },
      { cpuTopology: { sockets: 2, cores: 2, threads: 2 } },
      { rng: false, balloon: false, guestAgent: false, graphics: "none" },
      { bootOrder: ["network", "cdrom", "disk"], bootMenu: true },
      { arch: "i686", machine: "pc" },
      { nics: options.nicModels.map((model) => ({ bridge: "lo-none", model: model as "virtio" })) },
    ];
    for (const wish of wishes) {
      await using vm = await vmName("create-kind");
      const config = { disks: [], nics: [], memoryMb: 256, ...wish, name: vm.name };
      // A bridge that is not there is for libvirt to find out at the start; KVM Manager says it at once.
      if (config.nics.length > 0) {
        await refused(call(server, "create_vm", config), "BridgeNotFound", "Bridge not found: lo-none");
        continue;
      }
      const { resolved, errors } = await call(server, "check_vm_config", config);
      assert.deepEqual(errors, [], JSON.stringify(wish));
      const path = `${filesOf(vm.name)}.xml`;
      try {
        await Deno.writeTextFile(path, resolved!.xml);
        await run(["virt-xml-validate", path, "domain"]);
        await call(server, "create_vm", config);
      } catch (error) {
        throw new Error(JSON.stringify(wish), { cause: error });
      } finally {
        await Deno.remove(path);
      }
    }
  },
});

Deno.test({
  name: "newDomainXml() is valid by libvirt's schema, also for what this host does not offer",
  ignore,
  fn: async () => {
    const file = (path: string) => ({ path, type: "file" as const });
    const more: Parameters<typeof resolved>[2] = {
      files: new Set(["/boot/k", "/boot/i"]),
      iso: file("/cd.iso"),
      images: new Map([
        ["disks.0", {
          source: file("/a"),
          format: "qcow2",
          backing: [{ ...file("/b"), format: "raw" }],
          virtualBytes: 1,
        }],
        ["disks.1", {
          source: { path: "/dev/vg/lv", type: "block" },
          format: "raw",
          backing: [],
          virtualBytes: null,
        }],
      ]),
    };
    const q35 = FULL,
      pc = { ...FULL, machine: "pc-i440fx-7.2", diskBuses: ["ide", "virtio", "scsi", "sata", "usb"] };
    const arm = { ...FULL, arch: "aarch64", machine: "virt-7.2", diskBuses: ["virtio", "scsi", "usb"] };
    const disks: Config["disks"] = [
      { path: "/a", bus: "scsi", serial: "A.1", cache: "writeback", readOnly: true },
      { path: "/dev/vg/lv", discard: false },
    ];
    const wishes: Parameters<typeof resolved>[0][] = [
      { osVariant: "win11" },
      { osVariant: "win10", cpuCount: 8, graphics: "spice", video: "qxl", sound: "ich9" },
      { osVariant: "unknown", firmware: "uefi", tpm: true },
      { disks, isoPath: "/cd.iso", bootOrder: ["cdrom", "disk", "network"], bootMenu: true },
      { kernel: { path: "/boot/k", initrd: "/boot/i", args: `a="b" <c> & 'd'` }, disks: [] },
      { title: `<&"'>`, description: "a\n\tb ]]> \u{1f4a5}", tags: ["<b>", "&"], group: "'\"" },
      {
        nics: [{ bridge: "br0", linkUp: false }, { network: "default", model: "e1000" }],
        watchdog: "i6300esb",
      },
      { cpuModel: "qemu64", cpuTopology: { sockets: 1, cores: 2, threads: 2 }, graphics: "none" },
      { cpuCount: 256, rng: false, balloon: false, guestAgent: false },
    ];
    const folder = filesOf(await testName("create-xml"));
    await Deno.mkdir(folder, { recursive: true });
    try {
      for (const [machine, capabilities] of Object.entries({ q35, pc, arm })) {
        for (const wish of wishes) {
          const { vm } = resolved(wish, capabilities, more);
          const made = vm.disks.map((disk) => ({ ...disk, source: disk.source ?? file("/new.qcow2") }));
          const path = `${folder}/domain.xml`;
          await Deno.writeTextFile(path, newDomainXml({ ...vm, disks: made }));
          await run(["virt-xml-validate", path, "domain"]).catch((error) => {
            throw new Error(`${machine}: ${JSON.stringify(wish)}`, { cause: error });
          });
        }
      }
    } finally {
      await removeFiles(folder.split("/").at(-1)!);
    }
  },
});

Deno.test({
  name: "create_vm() refuses what cannot be, with the contract's texts, and makes nothing",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("create-no");
    await using other = await testMachine({ purpose: "create-other", guest: false, disks: [{}] });
    await using server = await readyServer();
    await using vm = await vmName("create-no");
    const base = { name: vm.name, disks: [{ sizeGb: 1, pool: pool.name }], nics: [] };
    const name = "Invalid VM name: must be 1-64 characters, alphanumeric with dash/underscore only";
    const table: [string, Partial<Config>, Parameters<typeof refused>[1], string | RegExp][] = [
      ["a name with a slash", { name: "../x" }, "InvalidName", name],
      ["a name that begins with a dash", { name: "-x" }, "InvalidName", name],
      ["a name that begins with a digit", { name: "1x" }, "InvalidName", name],
      ["a name that is taken", { name: other.name }, "VmNameExists", `VM name already exists: ${other.name}`],
      ["no CPU", { cpuCount: 0 }, "InvalidCpuCount", "Invalid CPU count: 0 (must be 1-256)"],
      ["257 CPUs", { cpuCount: 257 }, "InvalidCpuCount", "Invalid CPU count: 257 (must be 1-256)"],
      ["127 MB", { memoryMb: 127 }, "InvalidMemorySize", "Invalid memory size: 127MB (minimum 128MB)"],
      [
        "a disk of nothing",
        { disks: [{ sizeGb: 0 }] },
        "InvalidDiskSize",
        "Invalid disk size: 0GB (minimum 1GB)",
      ],
      ["no such ISO", { isoPath: "/none.iso" }, "IsoNotFound", "ISO file not found: /none.iso"],
      ["a folder as ISO", { isoPath: "/etc" }, "IsoNotFound", "ISO file not found: /etc"],
      ["a device as ISO", { isoPath: "/dev/zero" }, "IsoNotFound", "ISO file not found: /dev/zero"],
      [
        "no such volume as ISO",
        { isoPath: `${pool.name}/x` },
        "IsoNotFound",
        `ISO file not found: ${pool.name}/x`,
      ],
      ["no such network", { nics: [{ network: "no-net" }] }, "NetworkNotFound", "Network not found: no-net"],
      ["no such pool", { disks: [{ sizeGb: 1, pool: "no-pool" }] }, "StoragePoolNotFound", /no-pool/],
      ["no such image", { disks: [{ path: "/none.img", format: "raw" }] }, "DiskNotFound", /none\.img/],
      [
        "a device as image",
        { disks: [{ path: "/dev/zero", format: "raw" }] },
        "DiskRefused",
        /zero .*neither a file nor a block device/,
      ],
      [
        "another's disk",
        { disks: [{ path: other.disks[0]!, format: "qcow2" }] },
        "DiskInUse",
        new RegExp(other.name),
      ],
      ["no such kernel", { kernel: { path: "/none" } }, "FileNotFound", "File not found: /none"],
      ["no such machine type", { machine: "q36" }, "NotOnThisHost", /machine type q36/],
      ["no such architecture", { arch: "z80" }, "NotOnThisHost", /architecture z80/],
      ["KVM where it is ruled out", { virtType: "kvm" }, "NotOnThisHost", /KVM .*--virt-type qemu/],
      ["an unknown processor", { cpuModel: "Z80" }, "NotOnThisHost", /Z80/],
      [
        "a topology of other CPUs",
        { cpuCount: 3, cpuTopology: { sockets: 1, cores: 2, threads: 1 } },
        "InvalidInput",
        /topology/i,
      ],
      ["an unknown field", { ["cpus" as "cpuCount"]: 1 }, "InvalidInput", /unknown field "cpus"/],
      [
        "an address of many",
        { nics: [{ bridge: "br", mac: "01:00:5e:00:00:01" }] },
        "InvalidInput",
        /nics\.0\.mac/,
      ],
      ["an ISO's name of 300 letters", { isoPath: TOO_LONG }, "PathRefused", /longer than this host allows/],
      ["a disk's name of 300 letters", { disks: [{ path: TOO_LONG }] }, "PathRefused", /longer than/],
      ["a kernel's name of 300 letters", { kernel: { path: TOO_LONG } }, "PathRefused", /longer than/],
    ];
    for (const [what, wish, code, text] of table) {
      await t.step(what, async () => {
        await refused(call(server, "create_vm", { ...base, ...wish }), code, text);
        const { errors, resolved } = await call(server, "check_vm_config", { ...base, ...wish });
        assert.ok(errors.some((error) => error.code === code), JSON.stringify(errors));
        assert.equal(resolved, null);
      });
    }
    await t.step("an address that another VM has", async () => {
      await using first = await vmName("create-mac");
      const mac = "52:54:00:12:AB:cd";
      await using network = await vmNetwork();
      const nics = [{ network: network.name, mac }];
      await call(server, "create_vm", { name: first.name, disks: [], nics });
      const found = await refusal(call(server, "create_vm", { ...base, nics }));
      assert.deepEqual(
        [found.code, found.message],
        ["MacInUse", `MAC address is already used by ${first.name}: 52:54:00:12:ab:cd`],
      );
    });
    assert.deepEqual(await filesIn(pool), []);
    assert.equal(await defined(vm.name), false);
  },
});

/** A network that is defined and not started. */
async function vmNetwork(inside = ""): Promise<AsyncDisposable & { readonly name: string }> {
  const name = await testName("create-net");
  const path = `${filesOf(name)}.xml`;
  await Deno.writeTextFile(path, `<network><name>${name}</name>${inside}</network>`);
  await virsh("net-define", path);
  await Deno.remove(path);
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await removeNetwork(name);
      await removeFiles(name);
    },
  };
}

Deno.test({
  name: "create_vm() refuses what is more than the host has, or warns where overcommit is allowed",
  ignore,
  fn: async () => {
    await using pool = await testPool("create-warn");
    await using network = await vmNetwork();
    await using server = await readyServer();
    await using vm = await vmName("create-warn");
    const { host, free } = await until("the pool's room", async () => {
      const { host, pools } = await call(server, "get_create_options");
      const free = Math.floor((pools.find(({ name }) => name === pool.name)?.availableBytes ?? 0) / GIB);
      return free > 0 && { host, free };
    });
    const config = {
      name: vm.name,
      cpuCount: 200,
      memoryMb: 32 * 1024 * 1024,
      disks: [{ sizeGb: 900_000, pool: pool.name }],
      nics: [{ network: network.name }],
    };
    const memory = Math.floor(host.memoryMb * 0.9 / 1024);
    const said = {
      cpus: `CPU count exceeds host capacity (requested: 200, available: ${host.cpus})`,
      memory: `Memory exceeds available host memory (requested: 32768GB, available: ${memory}GB)`,
      disk: `Disk size exceeds storage pool capacity (requested: 900000GB, available: ${free}GB)`,
    };
    const strict = await call(server, "check_vm_config", config);
    const ours = (field: string) => field === "memoryMb" || field === "disks.0.sizeGb";
    const figure = (text: string) => text.replace(/(available: \d+)\.\d+GB\)$/, "$1GB)");
    assert.deepEqual(strict.errors.map(({ field, code }) => [field, code]), [
      ["memoryMb", "MemoryExceedsHost"],
      ["disks.0.sizeGb", "DiskExceedsPool"],
    ]);
    assert.equal(figure(strict.errors[0]!.message), said.memory);
    assert.equal(figure(strict.errors[1]!.message), said.disk);
    assert.ok(!strict.warnings.some(({ field }) => ours(field)));
    await refused(call(server, "create_vm", { ...config, disks: [] }), "MemoryExceedsHost");
    await refused(call(server, "create_vm", { ...config, memoryMb: 256 }), "DiskExceedsPool");
    assert.equal(await virsh("vol-list", pool.name), "", "nothing was made");

    const lenient = { ...config, allowOvercommit: true };
    const { warnings, errors } = await call(server, "check_vm_config", lenient);
    assert.deepEqual(errors, []);
    assert.deepEqual(warnings.slice(0, 4).map(({ field, message }) => [field, figure(message)]), [
      ["cpuCount", said.cpus],
      ["memoryMb", figure(said.memory)],
      ["disks.0.sizeGb", said.disk],
      ["nics.0.network", `Network ${network.name} is not active: the VM cannot start until it is`],
    ]);
    const made = await call(server, "create_vm", { ...lenient, cpuCount: 1, memoryMb: 256 });
    assert.deepEqual(made.warnings.map(({ code }) => code), [
      "DiskExceedsPool",
      "NetworkNotActive",
      "NoBootSource",
    ]);
    await call(server, "delete_vm", { vmId: made.id, deleteDisks: true });
  },
});

Deno.test({
  name: "create_vm() and delete_vm() take the seed's shapes, and the activity names the VM",
  ignore,
  fn: async () => {
    await using pool = await testPool("create-seed");
    await using server = await readyServer();
    await using vm = await vmName("create-seed");
    const disks = [{ sizeGb: 2, pool: pool.name }, { sizeGb: 1, pool: pool.name, format: "raw" }];
    const config = { name: vm.name, memoryMb: 256, osType: "linux", disks, nics: [] };
    // Untyped: these shapes are not the typed client's.
    const answer = await server.call("create_vm", { config }) as Output<"create_vm">;
    assert.deepEqual([answer.name, answer.diskSizeGb], [vm.name, 3]);
    const shown = await call(server, "get_vm", { vmId: answer.id });
    assert.deepEqual([shown.diskSizeGb, shown.osType, shown.osVariant], [3, "linux", undefined]);
    await call(server, "set_tags", { vmId: answer.id, tags: ["a"] });
    assert.equal((await call(server, "get_vm", { vmId: answer.id })).osType, "linux", "tags leave it alone");
    const rows = await call(server, "get_activity", { vmId: answer.id });
    const made = rows.find(({ action }) => action === "create_vm");
    assert.deepEqual([made?.vmId, made?.vmName, made?.result], [answer.id, vm.name, "ok"]);

    const options = { deleteDisks: true };
    await refused(
      server.call("delete_vm", { vmId: answer.id, deleteDisks: false, options }),
      "InvalidInput",
      /deleteDisks was given twice/,
    );
    const gone = await server.call("delete_vm", { vmId: answer.id, options }) as Output<"delete_vm">;
    assert.equal(gone.deletedDisks.length, 2);
    assert.deepEqual(await filesIn(pool), []);
    await refused(server.call("create_vm", { config: { ...config, name: "1" } }), "InvalidName");
  },
});

Deno.test({
  name: "create_vm() that fails leaves nothing: no disk, no definition, whichever step it was",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("create-undo");
    await using network = await vmNetwork("<forward mode='bridge'/><bridge name='kvmmnone0'/>");
    await using server = await readyServer();
    await using vm = await vmName("create-undo");
    const disks = [{ sizeGb: 1, pool: pool.name }, { sizeGb: 1, pool: pool.name, format: "raw" as const }];
    const nothing = async () => {
      assert.deepEqual(await filesIn(pool), []);
      assert.equal(await virsh("vol-list", pool.name), "");
      assert.equal(await defined(vm.name), false);
      assert.ok(!(await call(server, "get_vms")).some(({ name }) => name === vm.name));
      assert.equal(await exists(`/var/lib/libvirt/qemu/nvram/${vm.name}_VARS.fd`), false);
    };
    const base: Config = { name: vm.name, memoryMb: 128, disks, nics: [] };
    await t.step("the start fails: the VM and its disks are kept, which is said", async () => {
      const nics = [{ network: network.name }];
      const { id: vmId, started, warnings } = await call(server, "create_vm", {
        ...base,
        nics,
        start: true,
        autostart: true,
      });
      assert.equal(started, false);
      assert.match(warnings.find(({ code }) => code === "StartFailed")?.message ?? "", /is kept.*kvmmnone0/);
      assert.equal(await virsh("domstate", vm.name), "shut off");
      const { attention } = await call(server, "get_vm", { vmId });
      assert.match(attention.join(), /did not start: .*kvmmnone0/);
      await call(server, "delete_vm", { vmId, deleteDisks: true, permanently: true });
      await nothing();
    });
    await t.step("the definition is refused: this machine type has no PCI", async () => {
      await refused(
        call(server, "create_vm", { ...base, machine: "isapc", cpuCount: 1 }),
        "CreateFailed",
        /^Failed to create VM: /,
      );
      await nothing();
    });
    await t.step("the second disk does not fit: the first is removed", async () => {
      await run(["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", pool.path]);
      try {
        await virsh("pool-refresh", pool.name);
        const big = [{ sizeGb: 1, pool: pool.name }, { sizeGb: 1_000_000, pool: pool.name }];
        await refused(
          call(server, "create_vm", { ...base, disks: big, allowOvercommit: true }),
          "DiskCreateFailed",
          /^Failed to create disk image: /,
        );
        await refused(call(server, "create_vm", { ...base, disks: big }), "DiskExceedsPool");
        await nothing();
      } finally {
        await run(["umount", pool.path]);
        await virsh("pool-refresh", pool.name);
      }
    });
    await t.step("and the same can be made right afterwards", async () => {
      const { id } = await call(server, "create_vm", base);
      assert.deepEqual(await filesIn(pool), [`${vm.name}.qcow2`, `${vm.name}.raw`]);
      await call(server, "delete_vm", { vmId: id, deleteDisks: true });
      await nothing();
    });
  },
});

Deno.test({
  name:
    "create_vm() gives UEFI, Secure Boot and a TPM, as libvirt chooses them; Windows 11 gets all by itself",
  ignore: ignore || await noFirmware() !== null,
  fn: async (t) => {
    await using network = await vmNetwork("<forward mode='bridge'/><bridge name='kvmmnone0'/>");
    await using server = await readyServer();
    const made = async (name: string, wish: Partial<Config>) => {
      const config = { name, disks: [], nics: [], memoryMb: 256, ...wish };
      const { id, warnings } = await call(server, "create_vm", config);
      return { id, warnings, xml: await virsh("dumpxml", name, "--inactive") };
    };
    await t.step("UEFI without Secure Boot", async () => {
      await using vm = await vmName("create-uefi");
      const { id, xml } = await made(vm.name, { firmware: "uefi", start: true });
      assert.match(xml, /<feature enabled='no' name='secure-boot'\/>/);
      assert.equal((await call(server, "get_vm", { vmId: id })).firmware, "uefi");
      assert.equal(await virsh("domstate", vm.name), "running");
    });
    await t.step("Windows 11", async () => {
      await using vm = await vmName("create-win");
      const { id, xml, warnings } = await made(vm.name, { osVariant: "win11", memoryMb: 4096 });
      assert.deepEqual(warnings.map(({ code }) => code), ["NoBootSource"]);
      assert.match(xml, /<feature enabled='yes' name='secure-boot'\/>/);
      assert.match(xml, /<smm state='on'\/>/);
      assert.match(xml, /<tpm model='tpm-crb'>\s*<backend type='emulator' version='2\.0'/);
      assert.match(xml, /machine='pc-q35/);
      assert.match(xml, /<clock offset='localtime'>/);
      const { firmware, osType } = await call(server, "get_vm", { vmId: id });
      assert.deepEqual([firmware, osType], ["uefi-secure", "windows"]);
    });
    await t.step("a start with all of it", async () => {
      await using vm = await vmName("create-tpm");
      await made(vm.name, { firmware: "uefi-secure", tpm: true, start: true });
      assert.equal(await virsh("domstate", vm.name), "running");
    });
    await t.step("one whose start failed takes NVRAM and TPM along when it is deleted", async () => {
      await using vm = await vmName("create-nvram");
      const before = await nvram(), tpms = await tpmFolders();
      const nics = [{ network: network.name }];
      const { id: vmId, started } = await call(server, "create_vm", {
        name: vm.name,
        disks: [],
        nics,
        firmware: "uefi-secure",
        tpm: true,
        start: true,
      });
      assert.equal(started, false);
      await call(server, "delete_vm", { vmId, permanently: true });
      assert.equal(await defined(vm.name), false);
      assert.deepEqual((await nvram()).filter((name) => !before.includes(name)), []);
      await noOrphanTpms(tpms);
    });
    await t.step("Secure Boot on a machine that cannot have it", async () => {
      await using vm = await vmName("create-pc");
      await refused(made(vm.name, { firmware: "uefi-secure", machine: "pc" }), "NotOnThisHost", /q35/);
    });
  },
});

/** Remaining NVRAM files of that machine. */
async function nvram(): Promise<string[]> {
  const folder = "/var/lib/libvirt/qemu/nvram";
  if (!await exists(folder)) return [];
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).filter((name) =>
    name.includes("create-nvram")
  );
}

Deno.test({
  name: "create_vm() of one name by several at once: one wins, and what it made is untouched",
  ignore,
  fn: async () => {
    await using pool = await testPool("create-race");
    await using one = await readyServer();
    await using two = await readyServer();
    await using vm = await vmName("create-race");
    const config: Config = { name: vm.name, disks: [{ sizeGb: 1, pool: pool.name }], nics: [] };
    const tried = await Promise.allSettled(
      [one, two, one, two].map((server: TestServer) => call(server, "create_vm", config)),
    );
    const won = tried.filter((each) => each.status === "fulfilled");
    assert.equal(won.length, 1, JSON.stringify(tried));
    for (const each of tried) {
      if (each.status === "fulfilled") continue;
      const body = each.reason.body as { code: string; message: string };
      assert.deepEqual([body.code, body.message], ["VmNameExists", `VM name already exists: ${vm.name}`]);
    }
    assert.equal(await virsh("domuuid", vm.name), won[0]!.value.id);
    const [source] = attributes(await virsh("dumpxml", vm.name), /<source file='([^']+)'/g);
    assert.deepEqual(await filesIn(pool), [source!.slice(pool.path.length + 1)]);
    assert.equal((await info(source!))["virtual-size"], GIB);
    await call(one, "delete_vm", { vmId: won[0]!.value.id, deleteDisks: true });
  },
});

Deno.test({
  name: "create_vm() takes images that are there already, and none that reaches for another file",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("create-image");
    await using server = await readyServer();
    await using vm = await vmName("create-image");
    const folder = filesOf(vm.name);
    await Deno.mkdir(folder, { recursive: true });
    const canary = `${folder}/canary`, image = `${folder}/image.qcow2`;
    await Deno.writeTextFile(canary, "CANARY".padEnd(65536, "\0"));
    const make = async (disks: NonNullable<Config["disks"]>, more: Partial<Config> = {}) => {
      const { id } = await call(server, "create_vm", {
        name: vm.name,
        disks,
        nics: [],
        memoryMb: 128,
        ...more,
      });
      const xml = await virsh("dumpxml", vm.name);
      await call(server, "delete_vm", { vmId: id });
      return xml;
    };
    const qemuImg = (...args: string[]) => run(["qemu-img", ...args]);
    const no = async (disk: NonNullable<Config["disks"]>[number], reason: RegExp) => {
      await refused(
        call(server, "create_vm", { name: vm.name, disks: [disk], nics: [] }),
        "DiskRefused",
        reason,
      );
      assert.equal(await defined(vm.name), false);
    };
    await t.step("a file of the host, in the format that is said; it stays when the VM goes", async () => {
      await qemuImg("create", "-q", "-f", "qcow2", image, "1G");
      const xml = await make([{ path: image, format: "qcow2" }]);
      assert.match(xml, new RegExp(`<driver name='qemu' type='qcow2'[^>]*/>\\s*<source file='${image}'`));
      assert.ok(await exists(image));
      await no({ path: image }, /say its format/);
      await no({ path: canary, format: "qcow2" }, /not a qcow2 image/);
    });
    await t.step("a volume of a pool, in the format libvirt has on record", async () => {
      const path = await pool.createVolume("volume.qcow2", "64M");
      assert.match(
        await make([{ path: `${pool.name}/volume.qcow2` }]),
        new RegExp(`type='qcow2'[^]*${path}`),
      );
      assert.match(await make([{ path }]), /type='qcow2'/);
      await pool.createVolume("volume.raw", "1M", "raw");
      assert.match(await make([{ path: `${pool.name}/volume.raw` }]), /type='raw'/);
    });
    await t.step("an image as a CD, by path and by volume, and the disk before it at the boot", async () => {
      const iso = await pool.createVolume("cd.iso", "1M", "raw");
      for (const isoPath of [iso, `${pool.name}/cd.iso`]) {
        const xml = await make([{ path: image, format: "qcow2" }], { isoPath });
        assert.match(
          xml,
          new RegExp(`device='cdrom'>\\s*<driver name='qemu' type='raw'/>\\s*<source file='${iso}'`),
        );
        assert.match(xml, /<readonly\/>/);
        assert.deepEqual(attributes(xml, /<boot order='(\d)'/g), ["1", "2"]);
      }
      // Another program made it: its pool was read before
      await until(
        "the CD to be offered",
        async () => (await call(server, "get_create_options")).isos.some(({ path }) => path === iso),
        { seconds: 60 },
      );
    });
    await t.step("one VM cannot have the same image twice", async () => {
      const twice = [{ path: image, format: "qcow2" as const }, { path: image, format: "qcow2" as const }];
      await refused(
        call(server, "create_vm", { name: vm.name, disks: twice, nics: [] }),
        "DiskInUse",
        /this VM/,
      );
    });
    await t.step("an image built on another, when that is named", async () => {
      const overlay = `${folder}/overlay.qcow2`;
      await qemuImg("create", "-q", "-f", "qcow2", "-b", image, "-F", "qcow2", overlay);
      await no(
        { path: overlay, format: "qcow2" },
        /built on .*image\.qcow2, which is in no storage pool: name that/,
      );
      await no({ path: overlay, format: "qcow2", backingFile: canary }, /not on .*canary/);
      const xml = await make([{ path: overlay, format: "qcow2", backingFile: image }]);
      assert.match(
        xml,
        new RegExp(`<backingStore[^>]*>\\s*<format type='qcow2'/>\\s*<source file='${image}'`),
      );
      const second = `${folder}/second.qcow2`;
      await qemuImg("create", "-q", "-f", "qcow2", "-b", overlay, "-F", "qcow2", second);
      await no(
        { path: second, format: "qcow2", backingFile: overlay },
        /of its backing file .*overlay\.qcow2: it is built on/,
      );
    });
    await t.step("an image built on a volume of a pool, once its format is said", async () => {
      const base = await pool.createVolume("base.qcow2", "64M"), middle = `${pool.path}/middle.qcow2`;
      await qemuImg("create", "-q", "-f", "qcow2", "-b", base, "-F", "qcow2", middle);
      const top = `${pool.path}/top.qcow2`;
      await qemuImg("create", "-q", "-f", "qcow2", "-b", middle, "-F", "qcow2", top);
      await virsh("pool-refresh", pool.name);
      await no({ path: top }, /built on .*middle\.qcow2; say that its format is qcow2/);
      const named = (name: string) =>
        ({ path: `${pool.name}/top.qcow2`, format: "qcow2", backingFile: `${pool.name}/${name}` }) as const;
      await no(named("base.qcow2"), /it is built on .*middle\.qcow2, not on .*base\.qcow2/);
      await no(named("gone.qcow2"), /there is no backing file .*gone\.qcow2/);
      const xml = await make([{ path: top, format: "qcow2" }]);
      const below = (path: string) =>
        `<backingStore type='file'>\\s*<format type='qcow2'/>\\s*<source file='${path}'/>\\s*`;
      assert.match(xml, new RegExp(`${below(middle)}${below(base)}<backingStore/>`));
    });
    await t.step("threat 1: data file, backing by path, json: and protocol, VMDK extents", async () => {
      const data = `${folder}/data.qcow2`;
      await qemuImg(
        "create",
        "-q",
        "-f",
        "qcow2",
        "-o",
        `data_file=${folder}/data.raw,data_file_raw=on`,
        data,
        "1M",
      );
      await no({ path: data, format: "qcow2" }, /keeps its data in another file/);
      for (
        const backing of [
          canary,
          `json:{"driver":"raw","file":{"driver":"file","filename":"${canary}"}}`,
          `file:${canary}`,
        ]
      ) {
        const evil = `${folder}/evil.qcow2`;
        await qemuImg("create", "-q", "-f", "qcow2", "-u", "-b", backing, "-F", "raw", evil, "1M");
        await no({ path: evil, format: "qcow2" }, /built on/);
        if (backing !== canary) {
          await no({ path: evil, format: "qcow2", backingFile: canary }, /no plain file/);
        }
      }
      const vmdk = await pool.createVolume("evil.img", "1M", "raw");
      await Deno.writeTextFile(
        vmdk,
        `# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="monolithicFlat"\n` +
          `RW 128 FLAT "${canary}" 0\n`,
      );
      await virsh("pool-refresh", pool.name);
      // Whatever its content looks like, it is given out as raw, if at all: nothing is guessed from it.
      const xml = await make([{ path: vmdk, format: "raw" }]);
      assert.match(xml, /<driver name='qemu' type='raw'/);
    });
    await t.step("threat 2: a raw disk that holds a qcow2 header stays raw", async () => {
      const raw = `${folder}/guest.raw`, evil = `${folder}/evil2.qcow2`;
      await qemuImg("create", "-q", "-f", "qcow2", "-u", "-b", canary, "-F", "raw", evil, "1M");
      await Deno.copyFile(evil, raw);
      const xml = await make([{ path: raw, format: "raw" }]);
      assert.match(xml, /<driver name='qemu' type='raw'/);
      await no({ path: raw }, /say its format/);
    });
  },
});

Deno.test({
  name: "create_vm() that starts the VM starts the network it needs, and stops it again when that fails",
  ignore,
  fn: async () => {
    await using pool = await testPool("create-wake");
    await using network = await vmNetwork();
    await using server = await readyServer();
    await using vm = await vmName("create-wake");
    const active = async () => /^Active:\s+yes$/m.test(await virsh("net-info", network.name));
    const config = {
      name: vm.name,
      memoryMb: 256,
      disks: [{ sizeGb: 1, pool: pool.name }],
      nics: [{ network: network.name }],
      start: true,
    };
    const { warnings } = await call(server, "check_vm_config", config);
    assert(warnings.some(({ code }) => code === "NetworkIsStarted"), JSON.stringify(warnings));
    await refused(
      call(server, "create_vm", { ...config, kernel: { path: `${pool.path}/create-wake.img` } }),
      "FileNotFound",
    );
    assert.equal(await active(), false);
    const { id } = await call(server, "create_vm", config);
    assert.deepEqual([await active(), await virsh("domstate", vm.name)], [true, "running"]);
    await call(server, "force_stop_vm", { vmId: id });
    await call(server, "delete_vm", { vmId: id, deleteDisks: true });
  },
});

Deno.test("check_vm_config() warns of an ISO in a folder that QEMU may not enter, and the start fails indeed", async () => {
  const folder = await Deno.makeTempDir({ dir: "/var/tmp", prefix: "kvmm-test-" });
  await using server = await readyServer();
  await using vm = await vmName("create-closed");
  try {
    const isoPath = `${folder}/cd.iso`;
    await Deno.writeFile(isoPath, new Uint8Array(1024 * 1024));
    const config: Config = {
      name: vm.name,
      cpuCount: 1,
      memoryMb: 128,
      osType: "other",
      disks: [],
      nics: [],
      isoPath,
    };
    const warned = async () =>
      (await call(server, "check_vm_config", config)).warnings.filter(({ code }) => code === "NotReachable");
    assert.deepEqual(await warned(), [{
      field: "isoPath",
      code: "NotReachable",
      message:
        `${isoPath} is in ${folder}, which QEMU's user may not enter: move it into a storage pool, or run ` +
        `chmod o+x ${folder}`,
    }]);
    const { id: vmId, warnings } = await call(server, "create_vm", { ...config, start: true });
    assert.match(warnings.find(({ code }) => code === "StartFailed")?.message ?? "", /Permission denied/);
    await Deno.chmod(folder, 0o711);
    await call(server, "start_vm", { vmId });
    assert.equal(await virsh("domstate", vm.name), "running");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
