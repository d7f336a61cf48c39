/** A VM of another libvirt, reached by SSH, is imported: definition and disks come through its connection. */
import assert from "node:assert/strict";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testFolder } from "../testbed/folder.ts";
import { openOperations } from "../testbed/open_operations.ts";
import { testPool } from "../testbed/pool.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { run } from "../testbed/process.ts";
import { call, refused } from "../testbed/product.ts";
import { bootableDisk } from "../testbed/self_writer.ts";
import { startServer, type TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { sshServer } from "../testbed/ssh_server.ts";
import { until } from "../testbed/wait.ts";

const MIB = 2 ** 20;
const ignore = await requirement("qemu") !== null || await requirement("ssh") !== null;

Deno.test({
  name: "import_foreign_vm() takes a VM of a host by SSH, cold and whole, and leaves it there",
  ignore,
  fn: async (t) => {
    await using local = await privateLibvirt("foreign-local");
    await using farPool = await testPool("foreignfar");
    await using original = await claimedVm("foreignfar");
    await using ssh = await sshServer();
    await using folder = await testFolder();
    await using server = await startServer({ uri: local.uri, dataDir: `${folder.path}/data` });
    const disk = `${farPool.path}/boot.qcow2`, data = `${farPool.path}/data.raw`, raw = `${folder.path}/raw`;
    await bootableDisk(raw, 16);
    await run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk]);
    await run(["qemu-img", "create", "-q", "-f", "raw", data, "8M"]);
    await run(["qemu-io", "-f", "raw", "-c", "write -q -P 0x5a 1M 2M", data]);
    await virsh("pool-refresh", farPool.name);
    const xml =
      `<domain type='qemu'><name>${original.name}</name><memory unit='MiB'>160</memory><vcpu>2</vcpu>
      <description>from afar</description><os><type arch='x86_64' machine='q35'>hvm</type></os><devices>
      <disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${disk}'/><target dev='vda' bus='virtio'/></disk>
      <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${data}'/><target dev='sda' bus='sata'/></disk>
      <interface type='user'><mac address='52:54:00:aa:bb:01'/><model type='virtio'/></interface></devices></domain>`;
    await Deno.writeTextFile(`${folder.path}/far.xml`, xml);
    await virsh("define", `${folder.path}/far.xml`);
    await Deno.mkdir(`${folder.path}/images`, { mode: 0o755 });
    await call(server, "create_storage_pool", { name: "images", type: "dir", path: `${folder.path}/images` });
    const uri = `qemu+ssh://root@127.0.0.1:${ssh.port}/system`;
    await call(server, "add_host", { name: "far", uri, hostKey: ssh.hostKey });
    await ssh.authorize((await call(server, "get_ssh_key")).publicKey);
    await call(server, "update_host", { hostId: "far", uri });
    const source = { kind: "libvirt", origin: "far", vm: original.name } as const;
    await until("its VMs", async () => {
      const listed = await call(server, "list_foreign_vms", { kind: "libvirt", origin: "far" }).catch(
        () => [],
      );
      return listed.some(({ name, state }) => name === original.name && state === "stopped");
    }, { seconds: 60 });
    const filesHere = async () =>
      (await Array.fromAsync(Deno.readDir(`${folder.path}/images`))).map(({ name }) => name).sort();

    await t.step("its preview says what it has there and becomes here", async () => {
      const seen = await call(server, "inspect_foreign_vm", source);
      assert.deepEqual(
        [seen.originalName, seen.cpuCount, seen.memoryMb, seen.description],
        [original.name, 2, 160, "from afar"],
      );
      assert.deepEqual(seen.disks.map(({ file, format, bus }) => [file, format, bus]), [
        [disk, "qcow2", "virtio"],
        [data, "raw", "sata"],
      ]);
      assert.deepEqual(seen.nics.map(({ mac, model }) => [mac, model]), [["52:54:00:aa:bb:01", "virtio"]]);
    });

    await t.step("imported, it has the same disks, and nothing else stays", async () => {
      const made = await call(server, "import_foreign_vm", {
        ...source,
        name: "web",
        targetPool: "images",
        nics: [{ leaveOut: true }],
      });
      const [first = "", second = ""] = made.disks.map(({ path }) => path);
      await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, first]);
      await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", data, second]);
      assert.deepEqual(await filesHere(), ["web-disk1.qcow2", "web-disk2.qcow2"]);
      assert.match(await virsh("dominfo", original.name), /shut off/);
      const vm = await call(server, "get_vm", { vmId: made.vmId });
      assert.deepEqual(
        [vm.cpuCount, vm.memoryMb, vm.description, vm.disks.map(({ bus }) => bus)],
        [2, 160, "from afar", ["virtio", "sata"]],
      );
    });

    await t.step(
      "an image that is built on another file is refused once it has come, and nothing stays",
      async () => {
        await run([
          "qemu-img",
          "create",
          "-q",
          "-f",
          "qcow2",
          "-b",
          "/etc/passwd",
          "-F",
          "raw",
          "-u",
          disk,
          "1M",
        ]);
        await virsh("pool-refresh", farPool.name);
        await refused(
          call(server, "import_foreign_vm", {
            ...source,
            name: "trap",
            targetPool: "images",
            nics: [{ leaveOut: true }],
          }),
          "DiskRefused",
          /another image/,
        );
        assert.deepEqual(await filesHere(), ["web-disk1.qcow2", "web-disk2.qcow2"]);
        await run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, disk]);
        await virsh("pool-refresh", farPool.name);
      },
    );

    await t.step("a VM that runs, one of this host, and a host that is none are refused", async () => {
      await virsh("start", original.name);
      await until("it to run", async () => {
        const listed = await call(server, "list_foreign_vms", { kind: "libvirt", origin: "far" });
        return listed.some(({ name, state }) => name === original.name && state === "running");
      });
      await refused(call(server, "inspect_foreign_vm", source), "VmMustBeOff");
      await virsh("destroy", original.name);
      await refused(
        call(server, "list_foreign_vms", { kind: "libvirt", origin: "local" }),
        "ForeignVmRefused",
      );
      await refused(call(server, "list_foreign_vms", { kind: "libvirt", origin: "nowhere" }), "HostNotFound");
    });
  },
});

/** Carries what a command of SSH answers at a MiB a second where the file `slow` is in its folder: answers that are short at once. */
const slowly = (folder: string) =>
  `#!/usr/bin/env python3
import os, subprocess, sys, time
child = subprocess.Popen(["sh", "-c", os.environ["SSH_ORIGINAL_COMMAND"]], stdout=subprocess.PIPE)
while piece := os.read(child.stdout.fileno(), 65536):
    at = 0
    while at < len(piece): at += os.write(1, piece[at:])
    if len(piece) > 16384 and os.path.exists("${folder}/slow"): time.sleep(len(piece) / 2**20)
sys.exit(child.wait())
`;

Deno.test({
  name: "an import from a host by SSH that was cut goes on with what had come, unless the disk has changed",
  ignore,
  fn: async (t) => {
    await using local = await privateLibvirt("foreign-again");
    await using farPool = await testPool("foreignagain");
    await using original = await claimedVm("foreignagain");
    await using ssh = await sshServer();
    await using folder = await testFolder();
    const dataDir = `${folder.path}/data`, images = `${folder.path}/images`, disk = `${farPool.path}/big.raw`;
    await run(["sh", "-c", `head -c ${24 * MIB} /dev/urandom > "$1"`, "sh", disk]);
    await virsh("pool-refresh", farPool.name);
    await Deno.writeTextFile(
      `${folder.path}/far.xml`,
      `<domain type='qemu'><name>${original.name}</name><memory unit='MiB'>160</memory>
      <os><type arch='x86_64' machine='q35'>hvm</type></os><devices>
      <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${disk}'/><target dev='vda' bus='virtio'/></disk></devices></domain>`,
    );
    await virsh("define", `${folder.path}/far.xml`);
    await Deno.mkdir(images, { mode: 0o755 });
    await Deno.writeTextFile(`${folder.path}/slowly`, slowly(folder.path), { mode: 0o755 });
    const slow = (isSlow: boolean) =>
      isSlow ? Deno.writeTextFile(`${folder.path}/slow`, "") : Deno.remove(`${folder.path}/slow`);
    const started = () => startServer({ uri: local.uri, dataDir });
    const wish = {
      ...{ kind: "libvirt", origin: "far", vm: original.name, name: "again", targetPool: "images" } as const,
      nics: [],
    };
    const listed = (server: TestServer) =>
      until("its VMs", async () => {
        const vms = await call(server, "list_foreign_vms", { kind: "libvirt", origin: "far" }).catch(
          () => [],
        );
        const hosts = await call(server, "list_hosts");
        return hosts.some(({ id, status }) => id === "far" && status === "connected") &&
          vms.some(({ name, state }) => name === original.name && state === "stopped");
      }, { seconds: 60 });
    const files = async () =>
      (await Array.fromAsync(Deno.readDir(images))).map(({ name }) => name).toSorted();
    const part = "again-disk1.qcow2.part";
    {
      await using server = await started();
      await call(server, "create_storage_pool", { name: "images", type: "dir", path: images });
      const uri = `qemu+ssh://root@127.0.0.1:${ssh.port}/system`;
      await call(server, "add_host", { name: "far", uri, hostKey: ssh.hostKey });
      const { publicKey } = await call(server, "get_ssh_key");
      await ssh.authorize(`command="${folder.path}/slowly" ${publicKey}`);
      await call(server, "update_host", { hostId: "far", uri });
      await listed(server);
    }
    const noted = () =>
      until(
        "a part to be noted",
        async () =>
          openOperations(dataDir).some((record) => record.includes('"received"')) &&
          (await files()).includes(part),
        { seconds: 60 },
      );
    const settled = () =>
      until("it to be settled", () => Promise.resolve(openOperations(dataDir).length === 0), { seconds: 60 });
    /** Begins an import, and kills KVM Manager in its middle. */
    const cut = async () => {
      await slow(true);
      await using server = await started();
      await listed(server);
      const asked = call(server, "import_foreign_vm", wish).then(() => "done", String);
      await Promise.race([noted(), asked.then((end) => assert.fail(end))]);
      await server.kill();
      assert.match(await asked, /fetch failed|error (reading|sending)|connection/i);
      await slow(false);
    };
    /** Imports it once more. @returns what the task said of where it began */
    const again = async (server: TestServer) => {
      await listed(server);
      await settled();
      assert.deepEqual(await files(), [part]);
      const made = await call(server, "import_foreign_vm", wish);
      await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", disk, made.disks[0]!.path]);
      assert.deepEqual(await files(), ["again-disk1.qcow2"]);
      const [job] = await call(server, "list_jobs", { limit: 1 });
      const { log } = await call(server, "get_job", { jobId: job!.id });
      await call(server, "delete_vm", { vmId: made.vmId, deleteDisks: true });
      return Number(/Going on at byte (\d+)/.exec(log.map(({ text }) => text).join("\n"))?.[1] ?? 0);
    };

    await t.step("KVM Manager was killed: it goes on at the byte that was noted", async () => {
      await cut();
      await using server = await started();
      assert.ok(await again(server) >= 3 * MIB, "what had come is not transferred again");
    });

    await t.step("the line does not come back: what had come is kept, and gone on with", async () => {
      await slow(true);
      await using server = await started();
      await listed(server);
      const asked = refused(call(server, "import_foreign_vm", wish), "ImportFailed", /does not come back/);
      await Promise.race([noted(), asked]);
      await ssh.stop();
      await asked;
      await slow(false);
      await ssh.start();
      assert.ok(await again(server) >= 3 * MIB, "what had come is not transferred again");
    });

    await t.step("a disk that was written to meanwhile comes from the beginning", async () => {
      await cut();
      await run(["dd", "if=/dev/urandom", `of=${disk}`, "bs=4096", "count=1", "conv=notrunc", "status=none"]);
      await virsh("pool-refresh", farPool.name);
      await using server = await started();
      assert.equal(await again(server), 0);
    });
  },
});
