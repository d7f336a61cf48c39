import assert from "node:assert/strict";
import type { VmConfig } from "../../contract/create.ts";
import { ContractError } from "../../contract/errors.ts";
import type { Facts, ImageFact } from "./facts.ts";
import { FULL, resolved } from "./testing.ts";
import { GIB } from "../../text/byte_units.ts";

type Wish = Omit<VmConfig, "name"> & { name?: string };
const nothing = { disks: [], nics: [], kernel: { path: "/k" } } satisfies Wish;
const kernel = { files: new Set(["/k"]) };

Deno.test("resolveVm() gives a Linux virtio everywhere, and what was not asked for a default", () => {
  const { vm, errors, warnings } = resolved({});
  assert.deepEqual(errors, []);
  assert.deepEqual(warnings.map((text) => text.split(":")[0]), [""]);
  assert.deepEqual(
    [
      vm.cpuCount,
      vm.memoryMb,
      vm.cpuMode,
      vm.firmware,
      vm.graphics,
      vm.video,
      vm.rng,
      vm.balloon,
      vm.guestAgent,
    ],
    [2, 2048, "host-passthrough", "bios", "vnc", "virtio", true, true, true],
  );
  assert.deepEqual(
    vm.disks.map(({ target, bus, format, sizeGb, pool }) => [target, bus, format, sizeGb, pool]),
    [
      ["vda", "virtio", "qcow2", 20, "default"],
    ],
  );
  assert.deepEqual(vm.nics, [
    { type: "network", source: "default", model: "virtio", mac: "52:54:00:00:01:02", linkUp: true },
  ]);
});

Deno.test("resolveVm() gives Windows 11 Secure Boot, a TPM and q35, and says when the host cannot", () => {
  const { vm, errors } = resolved({ osVariant: "win11" });
  assert.deepEqual(errors, []);
  assert.deepEqual(
    [vm.firmware, vm.tpm, vm.machine, vm.hyperv, vm.localClock, vm.disks[0]!.bus, vm.disks[0]!.sizeGb],
    ["uefi-secure", "tpm-crb", "q35", true, true, "sata", 64],
  );
  assert.deepEqual(vm.topology, { sockets: 1, cores: 2, threads: 1 });
  const poor = resolved({ osVariant: "win11" }, { ...FULL, firmwares: [], tpmBackends: [] });
  assert.deepEqual(poor.errors, []);
  assert.deepEqual([poor.vm.firmware, poor.vm.tpm], ["bios", undefined]);
  assert.match(poor.warnings[0]!, /^firmware: Secure Boot is needed by Microsoft Windows 11.*ovmf/);
  assert.match(poor.warnings[1]!, /^tpm: TPM 2.0 is needed by Microsoft Windows 11.*swtpm/);
  const asked = resolved({ osVariant: "win11", tpm: true, firmware: "uefi" }, {
    ...FULL,
    firmwares: [],
    tpmBackends: [],
  });
  assert.deepEqual(asked.errors, ["firmware NotOnThisHost", "tpm NotOnThisHost"]);
});

Deno.test("resolveVm() refuses more memory and disk than the host has, with the contract's texts", () => {
  const wish: Wish = {
    ...nothing,
    cpuCount: 16,
    memoryMb: 32 * 1024,
    disks: [{ sizeGb: 200 }, { sizeGb: 300 }],
  };
  const host = { cpus: 8, memoryMb: 16 * 1024 };
  const cpus = "cpuCount: CPU count exceeds host capacity (requested: 16, available: 8)";
  const memory = "Memory exceeds available host memory (requested: 32GB, available: 14.39GB)";
  const disks = "Disk size exceeds storage pool capacity (requested: 500GB, available: 250GB)";
  const refused = resolved(wish, FULL, { ...kernel, host });
  assert.deepEqual(refused.errors, ["memoryMb MemoryExceedsHost", "disks.1.sizeGb DiskExceedsPool"]);
  assert.deepEqual(refused.messages, [memory, disks]);
  assert.deepEqual(refused.warnings, [cpus]);
  const told = [cpus, `memoryMb: ${memory}`, `disks.1.sizeGb: ${disks}`];
  for (
    const [asked, setting] of [[{ allowOvercommit: true }, false], [{}, true]] as const
  ) {
    const facts = { ...kernel, host, allowOvercommit: setting };
    const { errors, warnings } = resolved({ ...wish, ...asked }, FULL, facts);
    assert.deepEqual([errors, warnings], [[], told], "allowed by the command, or by the server's setting");
  }
  const no = resolved({ ...wish, allowOvercommit: false }, FULL, { ...kernel, host, allowOvercommit: true });
  assert.equal(no.errors.length, 2, "the command's own word counts");
});

Deno.test("resolveVm() refuses memory above 90 % of the host's, and chooses no more by itself", () => {
  const facts = { ...kernel, host: { cpus: 8, memoryMb: 10_000 } };
  assert.deepEqual(resolved({ ...nothing, memoryMb: 9000 }, FULL, facts).errors, []);
  const above = resolved({ ...nothing, memoryMb: 9500 }, FULL, facts);
  assert.deepEqual(above.errors, ["memoryMb MemoryExceedsHost"]);
  // Less than the host has in all: what is told as available is what may be had of it.
  assert.deepEqual(above.messages, [
    "Memory exceeds available host memory (requested: 9.27GB, available: 8.78GB)",
  ]);
  assert.deepEqual(resolved({ ...nothing, memoryMb: 9001 }, FULL, facts).errors, [
    "memoryMb MemoryExceedsHost",
  ]);
  const small = resolved(nothing, FULL, { ...kernel, host: { cpus: 1, memoryMb: 1000 } });
  assert.deepEqual([small.vm.memoryMb, small.errors], [900, []]);
});

Deno.test("resolveVm() keeps no operating system that was not chosen", () => {
  const of = (wish: Wish) => {
    const { osUri, osType } = resolved(wish).vm;
    return [osUri, osType];
  };
  assert.deepEqual(of({}), [undefined, undefined]);
  assert.deepEqual(of({ osType: "windows" }), [undefined, "windows"]);
  assert.deepEqual(of({ osVariant: "debian12" }), ["http://debian.org/debian/12", undefined]);
  assert.deepEqual(of({ osVariant: "unheard-of", osType: "linux" }), [undefined, "linux"]);
});

Deno.test("resolveVm() tells a nearly full pool's space in fractions of GB", () => {
  const pools = [{
    name: "default",
    active: true,
    formats: ["qcow2" as const],
    availableBytes: 14 * 1024 ** 2,
  }];
  assert.deepEqual(resolved({ ...nothing, disks: [{ sizeGb: 1 }] }, FULL, { ...kernel, pools }).messages, [
    "Disk size exceeds storage pool capacity (requested: 1GB, available: 0.0136GB)",
  ]);
});

Deno.test("resolveVm() warns of what QEMU could not open", () => {
  const source = { path: "/root/i.img", type: "file" as const };
  const { warnings, errors } = resolved(
    { ...nothing, disks: [{ path: "i" }], isoPath: "/root/cd.iso" },
    FULL,
    {
      ...kernel,
      images: new Map([["disks.0", { source, format: "raw" as const, backing: [], virtualBytes: GIB }]]),
      iso: { path: "/root/cd.iso", type: "file" },
      closed: new Map([["/root/i.img", "/root"], ["/root/cd.iso", "/root"]]),
    },
  );
  assert.deepEqual(errors, []);
  const text = (path: string) =>
    `${path} is in /root, which QEMU's user may not enter: move it into a storage pool, or run chmod o+x /root`;
  assert.deepEqual(warnings, [`disks.0.path: ${text("/root/i.img")}`, `isoPath: ${text("/root/cd.iso")}`]);
});

Deno.test("resolveVm() takes a copy of an image for something to boot from", () => {
  const source = { path: "/i.img", type: "file" as const };
  const images = new Map([["disks.0", { source, format: "qcow2" as const, backing: [], virtualBytes: GIB }]]);
  const { vm, warnings, errors } = resolved(
    { nics: [], disks: [{ path: "i", copyAs: "raw", sizeGb: 5 }] },
    FULL,
    { images },
  );
  assert.deepEqual([warnings, errors], [[], []]);
  const [{ source: none, copyOf, format, sizeGb, pool } = {}] = vm.disks;
  assert.deepEqual([none, copyOf, format, sizeGb, pool], [
    undefined,
    { path: "/i.img" },
    "raw",
    5,
    "default",
  ]);
});

Deno.test("resolveVm() refuses what cannot be, naming the field", () => {
  const source = { path: "/i", type: "file" as const };
  const image = { source, format: "raw" as const, backing: [], virtualBytes: GIB * 2 };
  const images = new Map<string, ImageFact>([["/i", image], ["/bad", {
    error: new ContractError("DiskNotFound", { path: "/bad" }),
  }]]);
  const imagesOf = ({ disks = [] }: Wish) =>
    new Map(disks.flatMap(({ path = "" }, index): [string, ImageFact][] => {
      const fact = images.get(path);
      return fact === undefined ? [] : [[`disks.${index}`, fact]];
    }));
  const facts: Partial<Facts> = {
    ...kernel,
    vmNames: new Set(["taken"]),
    macs: new Map([["52:54:00:00:00:01", "taken"]]),
    pools: [
      { name: "default", active: true, formats: ["qcow2", "raw"], availableBytes: GIB * 99 },
      { name: "off", active: false, formats: ["qcow2"], availableBytes: null },
      { name: "lvm", active: true, formats: ["raw"], availableBytes: GIB * 99 },
    ],
  };
  const table: [Wish, string[]][] = [
    [{ name: "taken" }, ["name VmNameExists"]],
    [{ disks: [{}] }, ["disks.0 InvalidInput"]],
    [{ disks: [{ path: "/i", sizeGb: 1, pool: "default" }] }, [
      "disks.0.sizeGb InvalidInput",
      "disks.0.pool InvalidInput",
    ]],
    [{ disks: [{ path: "/i" }, { path: "/i" }] }, ["disks.1.path DiskInUse"]],
    [{ disks: [{ path: "/bad" }] }, ["disks.0.path DiskNotFound"]],
    [{ disks: [{ path: "/i", copyAs: "qcow2", sizeGb: 1 }] }, ["disks.0.sizeGb InvalidInput"]],
    [{ disks: [{ path: "/i", copyAs: "qcow2", pool: "lvm" }] }, ["disks.0.copyAs InvalidInput"]],
    [{ disks: [{ path: "/bad", copyAs: "raw" }] }, ["disks.0.path DiskNotFound"]],
    [{ disks: [{ path: "/i", copyAs: "raw" }, { path: "/i", copyAs: "qcow2", sizeGb: 2 }] }, []],
    [{ disks: [{ sizeGb: 1, copyAs: "raw" }] }, ["disks.0.copyAs InvalidInput"]],
    [{ disks: [{ sizeGb: 1, backingFile: "/i" }] }, ["disks.0.backingFile InvalidInput"]],
    [{ disks: [{ sizeGb: 1, pool: "none" }] }, ["disks.0.pool StoragePoolNotFound"]],
    [{ disks: [{ sizeGb: 1, pool: "off" }] }, ["disks.0.pool StoragePoolNotActive"]],
    [{ disks: [{ sizeGb: 1, pool: "lvm", format: "qcow2" }] }, ["disks.0.format InvalidInput"]],
    [{ disks: [{ sizeGb: 1, bus: "ide" }] }, ["disks.0.bus NotOnThisHost"]],
    [{ disks: [], diskSizeGb: 5, diskFormat: "raw" }, ["diskSizeGb InvalidInput", "diskFormat InvalidInput"]],
    [{ nics: [{}] }, ["nics.0 InvalidInput"]],
    [{ nics: [{ network: "default", bridge: "br0" }] }, ["nics.0 InvalidInput"]],
    [{ nics: [{ bridge: "br9" }] }, ["nics.0.bridge BridgeNotFound"]],
    [{ nics: [{ network: "x" }] }, ["nics.0.network NetworkNotFound"]],
    [{ nics: [{ network: "default", mac: "52:54:00:00:00:01" }] }, ["nics.0.mac MacInUse"]],
    [
      { nics: [{ bridge: "br0", mac: "52:54:00:0A:00:0a" }, { bridge: "br0", mac: "52:54:00:0a:00:0A" }] },
      ["nics.1.mac MacInUse"],
    ],
    [{ network: "default", nics: [] }, ["network InvalidInput"]],
    [{ isoPath: "/x.iso" }, ["isoPath IsoNotFound"]],
    [{ cpuMode: "custom" }, ["cpuModel InvalidInput"]],
    [{ cpuModel: "EPYC" }, ["cpuModel NotOnThisHost"]],
    [{ cpuModel: "qemu64", cpuMode: "maximum" }, ["cpuModel InvalidInput"]],
    [{ cpuTopology: { sockets: 256, cores: 2, threads: 1 } }, [
      "cpuTopology InvalidCpuCount",
      "cpuCount NotOnThisHost",
    ]],
    [{ kernel: { path: "/k", initrd: "/none" } }, ["kernel.initrd FileNotFound"]],
    [{ watchdog: "itco" }, ["watchdog NotOnThisHost"]],
  ];
  for (const [wish, errors] of table) {
    const found = resolved({ ...nothing, ...wish }, FULL, { ...facts, images: imagesOf(wish) });
    assert.deepEqual(found.errors, errors, JSON.stringify(wish));
  }
  assert.deepEqual(resolved({ network: "x" }).errors, ["network NetworkNotFound"]);
});

Deno.test("resolveVm() gives every drive a name of its own, and the CD its bus by machine type", () => {
  const iso = { path: "/cd.iso", type: "file" as const };
  const disks = [{ sizeGb: 1 }, { sizeGb: 1, bus: "sata" as const }, { sizeGb: 1, bus: "scsi" as const }, {
    sizeGb: 2,
  }];
  const { vm, errors } = resolved({ disks, isoPath: "/cd.iso" }, FULL, { iso });
  assert.deepEqual(errors, []);
  assert.deepEqual([...vm.disks.map(({ target }) => target), vm.cd?.target, vm.cd?.bus], [
    "vda",
    "sda",
    "sdb",
    "vdb",
    "sdc",
    "sata",
  ]);
  const pc = { ...FULL, machine: "pc-i440fx-7.2", diskBuses: ["ide", "virtio", "sata"] };
  assert.deepEqual(resolved({ isoPath: "/cd.iso" }, pc, { iso }).vm.cd, {
    source: iso,
    bus: "ide",
    target: "hda",
  });
  const many = resolved({ disks: Array.from({ length: 5 }, () => ({ sizeGb: 1, bus: "ide" as const })) }, pc);
  assert.deepEqual(many.errors, ["disks InvalidInput"]);
});

Deno.test("resolveVm() makes up addresses that no VM has", () => {
  const macs = new Map([["52:54:00:00:01:02", "other"]]);
  const nics = [{ network: "default" }, { network: "default", mac: "52:54:00:03:04:05" }, {
    network: "default",
  }];
  const { vm, errors } = resolved({ nics }, FULL, { macs });
  assert.deepEqual(errors, []);
  assert.deepEqual(vm.nics.map(({ mac }) => mac), [
    "52:54:00:06:07:08",
    "52:54:00:03:04:05",
    "52:54:00:09:0a:0b",
  ]);
});

Deno.test("resolveVm() plugs no VM into a network that was not named, unless it is the usual or the only one", () => {
  const networks = (...names: string[]) => ({ networks: names.map((name) => ({ name, active: true })) });
  assert.deepEqual(resolved({}, FULL, networks("a", "b")).vm.nics, []);
  assert.equal(resolved({}, FULL, networks("a")).vm.nics[0]?.source, "a");
  assert.equal(resolved({}, FULL, networks("a", "default")).vm.nics[0]?.source, "default");
});

Deno.test("resolveVm() gives the CD of cloud-init a place next to the other drives, or says that there is none", () => {
  const cloudInit = { form: { hostname: "web" } };
  const place = (config: Parameters<typeof resolved>[0]) => {
    const { vm: { seed }, errors } = resolved({ cloudInit, ...config });
    return { seed: seed && `${seed.bus} ${seed.target}`, errors };
  };
  assert.equal(resolved({}).vm.seed, undefined);
  assert.deepEqual(place({}), { seed: "scsi sda", errors: [] });
  const sata = { sizeGb: 1, bus: "sata" as const };
  assert.deepEqual(place({ disks: [sata, sata] }), { seed: "scsi sdc", errors: [] });
  // Windows has no driver for virtio's SCSI.
  assert.equal(place({ osType: "windows", disks: [sata] }).seed, "sata sdb");
  const full = place({ osType: "windows", disks: Array.from({ length: 6 }, () => sata) });
  assert.deepEqual(full, { seed: undefined, errors: ["cloudInit CloudInitFailed"] });
});

Deno.test("resolveVm() gives the CD with the guest tools a place next to all others, and needs its channel", () => {
  const place = (config: Parameters<typeof resolved>[0]) => {
    const { vm: { tools, seed }, errors } = resolved({ guestTools: true, ...config });
    return { places: [seed, tools].map((each) => each && `${each.bus} ${each.target}`), errors };
  };
  assert.equal(resolved({}).vm.tools, undefined);
  assert.deepEqual(place({}), { places: [undefined, "scsi sda"], errors: [] });
  const cloudInit = { form: { hostname: "web" } };
  assert.deepEqual(place({ cloudInit }), { places: ["scsi sda", "scsi sdb"], errors: [] });
  assert.deepEqual(place({ osType: "windows" }).places, [undefined, "sata sdb"]);
  assert.deepEqual(place({ guestAgent: false }).errors, ["guestTools InvalidInput"]);
  const sata = { sizeGb: 1, bus: "sata" as const };
  const full = place({ osType: "windows", disks: Array.from({ length: 6 }, () => sata) });
  assert.deepEqual(full.errors, ["guestTools GuestToolsFailed"]);
});
