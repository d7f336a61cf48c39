/** VMs of VMware, Proxmox and Hyper-V become VMs here that boot, and what would read another file of the host is refused. */
import assert from "node:assert/strict";
import type { Input } from "../../lib/contract/mod.ts";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { bootableDisk, hasBooted } from "../testbed/self_writer.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const MIB = 2 ** 20;
type Source = Pick<Input<"import_foreign_vm">, "kind" | "origin" | "vm" | "moreDisks" | "generation">;

const same = (raw: string, made: string) =>
  run(["qemu-img", "compare", "-U", "-f", "raw", "-F", "qcow2", raw, made]);

async function filesIn(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
}

const vmxOf = (name: string, guest: string, ...lines: string[]) =>
  [
    'config.version = "8"',
    'virtualHW.version = "13"',
    `displayName = "${name}"`,
    `guestOS = "${guest}"`,
    'memSize = "160"',
    'numvcpus = "2"',
    'scsi0.present = "TRUE"',
    'scsi0.virtualDev = "pvscsi"',
    'scsi0:0.present = "TRUE"',
    'scsi0:0.fileName = "disk.vmdk"',
    ...lines,
  ].join("\n") + "\n";

/** A folder to import from, made by root as a person would copy it there. */
async function sourceFolder() {
  const path = await Deno.makeTempDir({ prefix: "kvmm-test-foreign-" });
  return {
    path,
    write: (name: string, text: string) => Deno.writeTextFile(`${path}/${name}`, text),
    [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }),
  };
}

Deno.test({
  name: "import_foreign_vm() brings VMs of each kind in, whole, and they boot",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("foreign");
    await using folder = await sourceFolder();
    await using server = await readyServer();
    const raw = `${folder.path}/original`;
    await bootableDisk(raw, 24);
    const convert = (options: string, target: string) =>
      run(["qemu-img", "convert", "-f", "raw", ...options.split(" "), raw, `${folder.path}/${target}`]);

    /** Imports, compares, boots. */
    const bringIn = async (
      source: Source,
      checks: (seen: Awaited<ReturnType<typeof preview>>) => void,
      rest = {},
    ) => {
      await using vm = await claimedVm("foreign");
      checks(await preview(source));
      const made = await call(server, "import_foreign_vm", {
        ...source,
        name: vm.name,
        targetPool: pool.name,
        memoryMb: 160,
        nics: [],
        ...rest,
      });
      const [disk = ""] = made.disks.map(({ path }) => path);
      await same(raw, disk);
      const seen = await known(server, made.vmId);
      await call(server, "start_vm", { vmId: made.vmId });
      await until("the imported VM to write to its disk", () => hasBooted(disk, `${folder.path}/sector`), {
        seconds: 60,
      });
      await call(server, "force_stop_vm", { vmId: made.vmId });
      return seen;
    };
    const preview = (source: Source) => call(server, "inspect_foreign_vm", source);

    for (
      const [options, kind] of [
        ["-O vmdk -o subformat=monolithicSparse", "vmdk"],
        ["-O vmdk -o subformat=streamOptimized", "vmdk"],
        ["-O vmdk -o subformat=monolithicFlat", "vmdk (monolithicFlat)"],
        ["-O vmdk -o subformat=twoGbMaxExtentSparse", "vmdk (twoGbMaxExtentSparse)"],
        ["-O vmdk -o subformat=twoGbMaxExtentFlat", "vmdk (twoGbMaxExtentFlat)"],
      ] as const
    ) {
      await t.step(`a .vmx with ${options}`, async () => {
        await convert(options, "disk.vmdk");
        await folder.write("web.vmx", vmxOf("web", "ubuntu-64"));
        const vm = await bringIn({ kind: "vmx", origin: folder.path }, (seen) => {
          assert.deepEqual(
            [seen.vm, seen.originalName, seen.cpuCount, seen.memoryMb, seen.guest, seen.osType],
            ["web.vmx", "web", 2, 160, "ubuntu-64", "linux"],
          );
          assert.deepEqual(
            seen.disks.map(({ format, capacityBytes, bus, was }) => [format, capacityBytes, bus, was]),
            [
              [kind, 24 * MIB, "virtio", "scsi0:0 (pvscsi)"],
            ],
          );
        }, { verify: true });
        assert.deepEqual(vm.disks.map(({ bus }) => bus), ["virtio"]);
        for (const name of await filesIn(folder.path)) {
          if (/^disk.*\.vmdk$|\.vmx$/.test(name)) await Deno.remove(`${folder.path}/${name}`);
        }
      });
    }

    await t.step(
      "a split image of several pieces and a stretch of zeros is put together in its order",
      async () => {
        const pieces = [[0, 8], [8, 4], [16, 8]] as const;
        for (const [at, length] of pieces) {
          await run([
            "dd",
            "status=none",
            "bs=1M",
            `skip=${at}`,
            `count=${length}`,
            `if=${raw}`,
            `of=${folder.path}/p${at}`,
          ]);
        }
        // What the zeros stand for are zeros in the original, too.
        await run([
          "qemu-img",
          "convert",
          "-f",
          "raw",
          "-O",
          "vmdk",
          `${folder.path}/p8`,
          `${folder.path}/s2.vmdk`,
        ]);
        await folder.write(
          "disk.vmdk",
          '# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\ncreateType="custom"\n' +
            `RW ${8 * 2048} FLAT "p0" 0\nRW ${4 * 2048} SPARSE "s2.vmdk"\nRW ${4 * 2048} ZERO\nRW ${
              8 * 2048
            } FLAT "p16" 0\n`,
        );
        await folder.write("web.vmx", vmxOf("web", "windows9-64"));
        const vm = await bringIn({ kind: "vmx", origin: folder.path }, (seen) => {
          assert.equal(seen.disks[0]!.bus, "sata");
          assert.ok(seen.warnings.some(({ code }) => code === "ControllerReplaced"));
        }, { verify: true });
        assert.deepEqual(vm.disks.map(({ bus }) => bus), ["sata"]);
        await Deno.remove(`${folder.path}/web.vmx`);
      },
    );

    await t.step("a .conf of Proxmox, its disk on IDE with the older board", async () => {
      await convert("-O qcow2", "vm-100-disk-0.qcow2");
      await folder.write(
        "100.conf",
        "name: web\ncores: 2\nmemory: 256\nostype: l26\nide0: local:100/vm-100-disk-0.qcow2,size=24M\n",
      );
      const vm = await bringIn({ kind: "proxmox", origin: folder.path }, (seen) => {
        assert.deepEqual(seen.disks.map(({ format, bus }) => [format, bus]), [["qcow2", "ide"]]);
      });
      assert.deepEqual([vm.disks.map(({ bus }) => bus), vm.cpuCount], [["ide"], 2]);
      assert.match(vm.machine ?? "", /i440fx|^pc/);
    });

    await t.step("a raw volume of Proxmox without an ending, on virtio", async () => {
      await Deno.copyFile(raw, `${folder.path}/vm-101-disk-0`);
      await folder.write(
        "101.conf",
        "cores: 1\nmemory: 256\nmachine: q35\nvirtio0: local-lvm:vm-101-disk-0\n",
      );
      await refused(preview({ kind: "proxmox", origin: folder.path }), "ForeignVmRefused");
      const source = { kind: "proxmox", origin: folder.path, vm: "101.conf" } as const;
      const vm = await bringIn(source, (seen) => assert.equal(seen.disks[0]!.format, "raw"));
      assert.deepEqual(vm.disks.map(({ bus }) => bus), ["virtio"]);
    });

    await t.step("a VHDX and a VHD of Hyper-V, by what the form says", async () => {
      await convert("-O vhdx", "web.vhdx");
      await convert("-O vpc -o subformat=fixed,force_size", "old.vhd");
      const listed = await call(server, "list_foreign_vms", { kind: "hyperv", origin: folder.path });
      assert.deepEqual(listed.map(({ vm }) => vm), ["old.vhd", "web.vhdx"]);
      const old = await bringIn({ kind: "hyperv", origin: folder.path, vm: "old.vhd" }, (seen) => {
        assert.deepEqual([seen.firmware, seen.disks[0]!.format, seen.disks[0]!.bus], ["bios", "vpc", "ide"]);
      }, { nics: [{ leaveOut: true }] });
      assert.equal(old.firmware, "bios");
      // Its guest is one of BIOS: the preview says UEFI for generation 2, and a person knows better.
      const vm = await bringIn({ kind: "hyperv", origin: folder.path, vm: "web.vhdx" }, (seen) => {
        assert.deepEqual([seen.firmware, seen.disks[0]!.format, seen.disks[0]!.bus], [
          "uefi-secure",
          "vhdx",
          "sata",
        ]);
      }, { firmware: "bios", nics: [{ leaveOut: true }] });
      assert.equal(vm.firmware, "bios");
    });

    await t.step("what was chosen last is proposed the next time", async () => {
      await using vm = await claimedVm("foreign");
      await folder.write(
        "102.conf",
        "memory: 256\nvirtio0: local-lvm:vm-101-disk-0\nnet0: virtio=BC:24:11:AA:BB:01,bridge=vmbr9,tag=7\n",
      );
      const source = { kind: "proxmox", origin: folder.path, vm: "102.conf" } as const;
      const before = await preview(source);
      assert.ok(before.warnings.some(({ code }) => code === "VlanHere"), JSON.stringify(before.warnings));
      const { networks } = await call(server, "get_create_options", {});
      const network = networks[0]!.name;
      const made = await call(server, "import_foreign_vm", {
        ...source,
        name: vm.name,
        targetPool: pool.name,
        nics: [{ network }],
      });
      const { networkInterfaces } = await known(server, made.vmId);
      assert.deepEqual(networkInterfaces.map(({ mac, network }) => [mac, network]), [[
        "bc:24:11:aa:bb:01",
        network,
      ]]);
      const after = await preview(source);
      assert.deepEqual([after.nics[0]!.taken, after.chosen.targetPool], [{ network }, pool.name]);
      assert.ok(!after.warnings.some(({ code }) => code === "VlanHere"));
      // The MAC address is one of a VM here by now.
      assert.ok(after.warnings.some(({ code }) => code === "MacInUse"), JSON.stringify(after.warnings));
    });
  },
});

Deno.test({
  name: "import_foreign_vm() refuses what leads to other files of the host, and leaves nothing",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("foreignbad");
    await using folder = await sourceFolder();
    await using secret = await sourceFolder();
    await using server = await readyServer();
    const before = await filesIn(pool.path);
    await Deno.writeFile(`${secret.path}/shadow`, new Uint8Array(MIB).fill(65));
    const source = { kind: "vmx", origin: folder.path, targetPool: pool.name } as const;
    const rejects = async (code: Parameters<typeof refused>[1], why: RegExp) => {
      const { kind, origin } = source;
      await refused(call(server, "inspect_foreign_vm", { kind, origin }), code, why);
      await refused(call(server, "import_foreign_vm", source), code);
      assert.deepEqual(await filesIn(pool.path), before);
    };
    await folder.write("web.vmx", vmxOf("web", "ubuntu-64"));
    const descriptor = (extent: string, more = "") =>
      folder.write(
        "disk.vmdk",
        `# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=ffffffff\n${more}createType="monolithicFlat"\n${extent}\n`,
      );

    await t.step("a description that names a file elsewhere, or a link", async () => {
      await descriptor(`RW 2048 FLAT "${secret.path}/shadow" 0`);
      await rejects("DiskRefused", /own folder/);
      await descriptor('RW 2048 FLAT "../shadow" 0');
      await rejects("DiskRefused", /own folder/);
      await Deno.symlink(`${secret.path}/shadow`, `${folder.path}/link.vmdk`);
      await descriptor('RW 2048 FLAT "link.vmdk" 0');
      await rejects("PathRefused", /link/);
      await descriptor('RW 2048 FLAT "there-is-none.vmdk" 0');
      await rejects("DiskNotFound", /there-is-none/);
      await descriptor('RW 2048 FLAT "disk.vmdk" 0', `parentFileNameHint="${secret.path}/shadow"\n`);
      await rejects("DiskRefused", /another image/);
      await Deno.writeFile(`${folder.path}/short`, new Uint8Array(512));
      await descriptor('RW 2048 FLAT "short" 0');
      await rejects("DiskRefused", /shorter/);
    });

    await t.step("a disk that is a link, or a folder", async () => {
      await Deno.remove(`${folder.path}/disk.vmdk`);
      await Deno.symlink(`${secret.path}/shadow`, `${folder.path}/disk.vmdk`);
      await rejects("PathRefused", /link/);
      await Deno.remove(`${folder.path}/disk.vmdk`);
      await Deno.mkdir(`${folder.path}/disk.vmdk`);
      await rejects("DiskNotFound", /disk\.vmdk/);
      await Deno.remove(`${folder.path}/disk.vmdk`);
    });

    await t.step("a qcow2 image that is built on another file, and one in disguise", async () => {
      const disk = `${folder.path}/disk.qcow2`;
      await run([
        "qemu-img",
        "create",
        "-q",
        "-f",
        "qcow2",
        "-b",
        `${secret.path}/shadow`,
        "-F",
        "raw",
        disk,
      ]);
      await rejects("DiskRefused", /backing|built on/);
      await Deno.rename(disk, `${folder.path}/disk.raw`);
      await rejects("DiskRefused", /qcow2/);
      await Deno.rename(`${folder.path}/disk.raw`, `${folder.path}/disk.vmdk`);
      await rejects("DiskRefused", /qcow2/);
      await Deno.remove(`${folder.path}/disk.vmdk`);
    });

    await t.step("a piece of a split image whose own description names a parent", async () => {
      await run([
        "qemu-img",
        "create",
        "-q",
        "-f",
        "vmdk",
        "-o",
        "subformat=monolithicSparse",
        `${folder.path}/s1.vmdk`,
        "1M",
      ]);
      using file = await Deno.open(`${folder.path}/s1.vmdk`, { write: true });
      await file.seek(512, Deno.SeekMode.Start);
      await file.write(new TextEncoder().encode(
        `# Disk DescriptorFile\nversion=1\nCID=1\nparentCID=2\nparentFileNameHint="${secret.path}/shadow"\ncreateType="monolithicSparse"\n`,
      ));
      await descriptor('RW 2048 SPARSE "s1.vmdk"');
      await rejects("DiskRefused", /another image/);
    });

    await t.step("folders of the kernel and of KVM Manager, and paths that lead upwards", async () => {
      for (
        const [origin, code] of [
          ["/proc/self", "PathRefused"],
          ["/dev", "PathRefused"],
          [`${folder.path}/../x`, "PathRefused"],
          ["relative", "PathRefused"],
          [`${folder.path}/none`, "FileNotFound"],
          [`${folder.path}/web.vmx`, "PathRefused"],
        ] as const
      ) {
        await refused(call(server, "list_foreign_vms", { kind: "vmx", origin }), code);
      }
    });

    await t.step("a file whose checksum is wrong, once its import has begun", async () => {
      await bootableDisk(`${folder.path}/raw`, 8);
      await run([
        "qemu-img",
        "convert",
        "-f",
        "raw",
        "-O",
        "vmdk",
        `${folder.path}/raw`,
        `${folder.path}/disk.vmdk`,
      ]);
      const sum = (await run(["sha256sum", `${folder.path}/disk.vmdk`])).slice(0, 64);
      await folder.write(
        "SHA256SUMS",
        `${sum.replace(/^./, (digit) => digit === "0" ? "1" : "0")}  disk.vmdk\n`,
      );
      const { checksums } = await call(server, "inspect_foreign_vm", { kind: "vmx", origin: folder.path });
      assert.equal(checksums, true);
      await refused(call(server, "import_foreign_vm", source), "FileDamaged");
      assert.deepEqual(await filesIn(pool.path), before);
      await using vm = await claimedVm("foreign");
      await folder.write("SHA256SUMS", `${sum}  ./disk.vmdk\n`);
      await call(server, "import_foreign_vm", { ...source, name: vm.name, nics: [] });
    });
  },
});

Deno.test({
  name: "import_foreign_vm() refuses a Windows that was not shut down, unless that is allowed",
  ignore,
  fn: async () => {
    await using pool = await testPool("foreignwin");
    await using folder = await sourceFolder();
    await using server = await readyServer();
    await using vm = await claimedVm("foreign");
    const raw = `${folder.path}/raw`, hiberfil = `${folder.path}/hiberfil`;
    await Deno.writeFile(raw, new Uint8Array());
    await Deno.truncate(raw, 16 * MIB);
    await run(["mkntfs", "-q", "-F", "-f", raw]);
    await Deno.writeTextFile(hiberfil, "hibr".padEnd(4096, "x"));
    await run(["ntfscp", raw, hiberfil, "hiberfil.sys"]);
    await run(["qemu-img", "convert", "-f", "raw", "-O", "vhdx", raw, `${folder.path}/win.vhdx`]);
    const source = { kind: "hyperv", origin: folder.path, generation: 1 } as const;
    const { warnings } = await call(server, "inspect_foreign_vm", source);
    assert.ok(
      warnings.some(({ code, field }) => code === "NotClean" && field === "disks.0"),
      JSON.stringify(warnings),
    );
    const nics = [{ leaveOut: true }];
    const wish = { ...source, name: vm.name, targetPool: pool.name, nics, memoryMb: 160 };
    await refused(call(server, "import_foreign_vm", wish), "GuestNotClean");
    assert.deepEqual(await filesIn(pool.path), []);
    await call(server, "import_foreign_vm", { ...wish, allowUnclean: true });
  },
});
