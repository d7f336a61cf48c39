/** OVA archives: a VM goes out and comes back whole, other programs' come in, and what lies is refused without a trace. */
import assert from "node:assert/strict";
import { claimedVm } from "../testbed/claimed_vm.ts";
import type { Input } from "../../lib/contract/mod.ts";
import { VMWARE } from "../../lib/formats/ovf/testing.ts";
import { virsh } from "../testbed/libvirt.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { trapImage } from "../testbed/trap_image.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const MIB = 2 ** 20;
const SECTOR = 512;

/** A guest of 512 bytes: it writes itself to the ninth sector of its disk. What is there tells that it has booted. */
function selfWriter(): Uint8Array {
  const sector = new Uint8Array(SECTOR);
  sector.set([
    ...[0x31, 0xc0, 0x8e, 0xc0], // xor ax,ax; mov es,ax
    ...[0xbb, 0x00, 0x7c, 0xb8, 0x01, 0x03], // mov bx,0x7c00; mov ax,0x0301
    ...[0xb9, 0x09, 0x00, 0xb6, 0x00, 0xcd, 0x13], // mov cx,9; mov dh,0; int 0x13
    ...[0xf4, 0xeb, 0xfd], // hlt; jmp to the hlt
  ]);
  sector.set([0x55, 0xaa], SECTOR - 2);
  return sector;
}

/** Writes a disk that a guest boots from, with known data, into a pool. */
async function bootDisk(path: string, format: "qcow2" | "raw"): Promise<void> {
  const raw = `${path}.made`;
  const bytes = new Uint8Array(24 * MIB);
  bytes.set(selfWriter());
  for (let at = 4 * MIB; at < 6 * MIB; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  await Deno.writeFile(raw, bytes);
  await run(["qemu-img", "convert", "-f", "raw", "-O", format, raw, path]);
  await Deno.remove(raw);
}

const same = (one: string, other: string, formats = ["qcow2", "qcow2"]) =>
  run(["qemu-img", "compare", "-U", "-f", formats[0]!, "-F", formats[1]!, one, other]);

async function filesIn(path: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
}

Deno.test({
  name: "export_ova() and import_ova() take a VM out and bring it back whole",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("ova");
    await using server = await readyServer();
    await using original = await claimedVm("ova");
    const disk = `${pool.path}/boot.qcow2`, data = `${pool.path}/data.raw`;
    await bootDisk(disk, "qcow2");
    await run(["qemu-img", "create", "-q", "-f", "raw", data, "8M"]);
    await run(["qemu-io", "-f", "raw", "-c", "write -q -P 0x5a 1M 2M", data]);
    await virsh("pool-refresh", pool.name);
    const { id } = await call(server, "create_vm", {
      name: original.name,
      description: "a < b",
      memoryMb: 160,
      cpuCount: 2,
      nics: [],
      disks: [{ path: disk, format: "qcow2", bus: "virtio" }, { path: data, format: "raw", bus: "sata" }],
    });
    await known(server, id);
    const before = await filesIn(pool.path);
    const archive = `${original.name}.ova`;

    await t.step(
      "the archive is one that tar lists, whose checksums are right; nothing else stays",
      async () => {
        const made = await call(server, "export_ova", { vmId: id, pool: pool.name });
        assert.equal(made.volume, archive);
        assert.equal((await Deno.stat(made.path)).size, made.size);
        assert.deepEqual(await filesIn(pool.path), [...before, archive].sort());
        assert.deepEqual((await run(["tar", "-tf", made.path])).trim().split("\n"), [
          `${original.name}.ovf`,
          `${original.name}-disk1.vmdk`,
          `${original.name}-disk2.vmdk`,
          `${original.name}.mf`,
        ]);
        const folder = `${filesOf(original.name)}/unpacked`;
        await Deno.mkdir(folder, { recursive: true });
        await run(["tar", "-xf", made.path, "-C", folder]);
        const sums = (await Deno.readTextFile(`${folder}/${original.name}.mf`)).trim().split("\n");
        for (const line of sums) {
          const [, name = "", hex = ""] = /^SHA256\((.+)\)= ([0-9a-f]{64})$/.exec(line) ?? [];
          assert.match(await run(["sha256sum", `${folder}/${name}`]), new RegExp(`^${hex} `));
        }
        assert.equal(sums.length, 3);
        await same(disk, `${folder}/${original.name}-disk1.vmdk`, ["qcow2", "vmdk"]);
        const info = JSON.parse(
          await run(["qemu-img", "info", "--output=json", `${folder}/${original.name}-disk2.vmdk`]),
        );
        assert.equal(info["format-specific"].data["create-type"], "streamOptimized");
        await refused(call(server, "export_ova", { vmId: id, pool: pool.name }), "VolumeExists");
        const [job] = await call(server, "list_jobs");
        assert.deepEqual([job?.command, job?.state, job?.progress], ["export_ova", "done", 1]);
      },
    );

    await t.step("the preview tells what it becomes", async () => {
      const seen = await call(server, "inspect_ova", { pool: pool.name, volume: archive });
      assert.deepEqual(
        [seen.originalName, seen.name, seen.cpuCount, seen.memoryMb, seen.firmware, seen.checksums],
        [original.name, `${original.name}-2`, 2, 160, "bios", true],
      );
      assert.deepEqual(seen.disks.map(({ capacityBytes, bus, format }) => [capacityBytes, bus, format]), [
        [24 * MIB, "virtio", "vmdk"],
        [8 * MIB, "sata", "vmdk"],
      ]);
      assert.deepEqual(seen.warnings, []);
    });

    await t.step("imported, it has the same content, and boots", async () => {
      await using copy = await claimedVm("ova");
      const wish: Input<"import_ova"> = { pool: pool.name, volume: archive, name: copy.name };
      const made = await call(server, "import_ova", wish);
      assert.deepEqual([made.name, made.warnings], [copy.name, []]);
      const vm = await known(server, made.vmId);
      assert.deepEqual(
        [vm.state, vm.cpuCount, vm.memoryMb, vm.description, vm.disks.map(({ bus }) => bus)],
        ["stopped", 2, 160, "a < b", ["virtio", "sata"]],
      );
      const [first = "", second = ""] = made.disks.map(({ path }) => path);
      await same(disk, first);
      await same(data, second, ["raw", "qcow2"]);
      await refused(call(server, "import_ova", wish), "VmNameExists");
      await call(server, "start_vm", { vmId: made.vmId });
      await until("the imported VM to write to its disk", async () => {
        await run([
          "qemu-img",
          "dd",
          "-U",
          "-f",
          "qcow2",
          "-O",
          "raw",
          "bs=512",
          "skip=8",
          "count=9",
          `if=${first}`,
          `of=${filesOf(copy.name)}-sector`,
        ]);
        const sector = await Deno.readFile(`${filesOf(copy.name)}-sector`);
        await Deno.remove(`${filesOf(copy.name)}-sector`);
        return selfWriter().every((byte, at) => sector[at] === byte);
      }, { seconds: 60 });
      await virsh("destroy", copy.name);
      await removeDomain(copy.name);
      await Deno.remove(first);
      await Deno.remove(second);
    });
  },
});

Deno.test({
  name: "import_ova() takes archives of other programs, and nothing of those that lie",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("ova-in");
    await using server = await readyServer();
    await using claim = await claimedVm("ova");
    const folder = filesOf(claim.name);
    await Deno.mkdir(folder, { recursive: true });
    const disk = `${folder}/plain.qcow2`;
    await bootDisk(disk, "qcow2");
    const vmdk = `${folder}/web-disk1.vmdk`;
    const toVmdk = ["qemu-img", "convert", "-O", "vmdk", "-o", "subformat=streamOptimized"];
    await run([...toVmdk, "-f", "qcow2", disk, vmdk]);
    const ovf = VMWARE.replace('vmw:value="efi"', 'vmw:value="bios"').replace(">2048<", ">160<")
      .replace(/<File [^>]*ovf:href="web\.nvram"[^>]*>/, "");
    /** Packs files of the folder by the system's tar, and has the pool see it. */
    const pack = async (name: string, files: readonly string[], ...options: string[]) => {
      await run(["tar", "-cf", `${pool.path}/${name}`, "-C", folder, ...options, ...files]);
      await virsh("pool-refresh", pool.name);
    };
    const wish = (volume: string) => ({ pool: pool.name, volume, name: claim.name });
    await Deno.writeTextFile(`${folder}/web.ovf`, ovf);

    await t.step("one of VMware's kind, in each way that tar writes", async () => {
      const sum = (await run(["sha1sum", vmdk])).slice(0, 40);
      await Deno.writeTextFile(`${folder}/web.mf`, `SHA1(web-disk1.vmdk)= ${sum}\n`);
      for (const format of ["ustar", "pax"]) {
        await pack("web.ova", ["web.ovf", "web.mf", "web-disk1.vmdk"], `--format=${format}`);
        const seen = await call(server, "inspect_ova", { pool: pool.name, volume: "web.ova" });
        assert.deepEqual(
          seen.disks.map(({ file, bus }) => [file, bus]),
          [["web-disk1.vmdk", "sata"], [null, "sata"]],
        );
        assert.equal(seen.name, "web-server");
        const codes = seen.warnings.map(({ code }) => code);
        assert.deepEqual(codes, ["ControllerReplaced", "CdDropped", "SizeDiffers", "NetworkReplaced"]);
        const made = await call(server, "import_ova", { ...wish("web.ova"), nics: [{ leaveOut: true }] });
        await same(disk, made.disks[0]!.path);
        const vm = await known(server, made.vmId);
        assert.deepEqual([vm.cpuCount, vm.networkInterfaces, vm.disks.length], [4, [], 2]);
        await call(server, "delete_vm", { vmId: made.vmId, deleteDisks: true });
        assert.deepEqual(await filesIn(pool.path), ["web.ova"]);
      }
    });

    await t.step("what lies is refused, and leaves nothing behind", async () => {
      const shadow = `${folder}/secret`;
      await Deno.writeTextFile(shadow, "canary".repeat(1000));
      const described = async (from: string | RegExp, to: string) => {
        await Deno.writeTextFile(`${folder}/web.ovf`, ovf.replace(from, to));
      };
      const files = ["web.ovf", "web-disk1.vmdk"];
      const both = async (code: Parameters<typeof refused>[1], text: RegExp) => {
        await refused(call(server, "inspect_ova", { pool: pool.name, volume: "bad.ova" }), code, text);
        await refused(call(server, "import_ova", wish("bad.ova")), code, text);
        await Deno.remove(`${pool.path}/bad.ova`);
        assert.deepEqual(await filesIn(pool.path), ["web.ova"]);
      };
      await described("web-disk1.vmdk", "../../etc/shadow");
      await pack("bad.ova", files);
      await both("OvaRefused", /name that is not allowed/);
      await described("web-disk1.vmdk", "gone.vmdk");
      await pack("bad.ova", files);
      await both("OvaRefused", /no file "gone.vmdk"/);
      await described(/^/, '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>');
      await pack("bad.ova", files);
      await both("OvaRefused", /no XML/);
      await described("", "");
      await pack("bad.ova", files, "--transform=s,web-disk1,../web-disk1,");
      await both("OvaRefused", /not allowed/);
      await Deno.symlink(shadow, `${folder}/link.vmdk`);
      await pack("bad.ova", [...files, "link.vmdk"]);
      await both("OvaRefused", /no regular file/);
      await Deno.writeTextFile(`${pool.path}/bad.ova`, "no archive".repeat(1000));
      await virsh("pool-refresh", pool.name);
      await both("OvaRefused", /no tar file/);

      // Disks that name other files: a description on its own, a qcow2 with a backing file.
      await Deno.rename(vmdk, `${folder}/good.vmdk`);
      await Deno.writeTextFile(
        vmdk,
        `# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="monolithicFlat"\n` +
          `RW 8 FLAT "${shadow}" 0\n`.padEnd(1024),
      );
      await pack("bad.ova", files);
      await both("DiskRefused", /no sparse VMDK/);
      await trapImage(vmdk);
      await pack("bad.ova", files);
      await both("DiskRefused", /said to be vmdk, but its head is one of qcow2/);
      await Deno.remove(vmdk);
      await Deno.rename(`${folder}/good.vmdk`, vmdk);

      await Deno.writeTextFile(`${folder}/web.mf`, `SHA1(web-disk1.vmdk)= ${"0".repeat(40)}\n`);
      await pack("bad.ova", [...files, "web.mf"]);
      await refused(
        call(server, "import_ova", wish("bad.ova")),
        "OvaDamaged",
        /SHA-1 of web-disk1.vmdk is [0-9a-f]{40}, expected 0{40}/,
      );
      assert.deepEqual(await filesIn(pool.path), ["bad.ova", "web.ova"]);
      assert.equal((await call(server, "get_vms")).some(({ name }) => name === claim.name), false);
    });

    await t.step("what create_vm would refuse is said before anything is converted", async () => {
      const taken = { ...wish("web.ova"), nics: [{ network: "kvmm-test-no-such-network" }] };
      await refused(call(server, "import_ova", taken), "NetworkNotFound");
      await refused(
        call(server, "import_ova", { ...wish("web.ova"), nics: [] }),
        "InvalidInput",
        /the VM has 1/,
      );
      await refused(
        call(server, "import_ova", { ...wish("web.ova"), memoryMb: 67_000_000, nics: [{ leaveOut: true }] }),
        "MemoryExceedsHost",
      );
      assert.deepEqual(await filesIn(pool.path), ["bad.ova", "web.ova"]);
    });
  },
});
