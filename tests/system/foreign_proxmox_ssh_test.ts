/** A VM of a node of Proxmox VE is imported by SSH: a host of its own with Debian's sshd, and what Proxmox has in its folders. */
import assert from "node:assert/strict";
import { type BareHost, bareHost, PASSWORDS } from "../testbed/bare_host.ts";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { testFolder } from "../testbed/folder.ts";
import { openOperations } from "../testbed/open_operations.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, readyServer, refused } from "../testbed/product.ts";
import { bootableDisk, hasBooted } from "../testbed/self_writer.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null || await requirement("ssh") !== null ||
  await requirement("sudo") !== null;

const MIB = 2 ** 20;
/** Its volume group: devices are those of this machine. */
const GROUP = `kvmmtest${crypto.randomUUID().slice(0, 8)}`;
const STORAGES =
  `dir: local\n\tpath /var/lib/vz\n\tcontent images\n\nlvmthin: local-lvm\n\tthinpool data\n\tvgname ${GROUP}\n\nrbd: ceph\n\tpool rbd\n`;
const CONF = `#from Proxmox
bios: seabios
boot: order=scsi0;virtio1
cores: 2
memory: 160
name: far-web
net0: virtio=BC:24:11:00:00:01,bridge=vmbr0,tag=20
ostype: l26
scsihw: virtio-scsi-single
scsi0: local:100/vm-100-disk-0.qcow2,size=16M
virtio1: local-lvm:vm-100-disk-1,size=8M
`;
/** A stand-in for LVM's program: the volume is there while it is active, as a device of this machine's memory. */
const LVCHANGE = `#!/bin/bash
echo "$*" >> /run/lvchange.log
mkdir -p /dev/${GROUP}
case "$1" in
-ay) mknod "/dev/$3" b 7 "$(cat /run/loop)" ;;
-an) rm -f "/dev/$2" ;;
esac
`;

const filesIn = async ({ path }: TestPool) =>
  (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();

/** Makes a node of a host: a VM with an image in a folder and a volume of LVM, and one on Ceph that runs. */
async function furnish(far: BareHost, folder: string, undo: AsyncDisposableStack) {
  const raw = `${folder}/boot.raw`,
    boot = `${folder}/boot.qcow2`,
    data = `${folder}/data.raw`;
  await bootableDisk(raw, 16);
  await run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, boot]);
  await run(["qemu-img", "create", "-q", "-f", "raw", data, "8M"]);
  await run(["qemu-io", "-f", "raw", "-c", "write -q -P 0x5a 1M 2M", data]);
  const loop = (await run(["losetup", "--find", "--show", "--read-only", data])).trim();
  undo.defer(() => run(["losetup", "--detach", loop]).then(() => {}));
  undo.defer(() => run(["rm", "-rf", `/dev/${GROUP}`]).then(() => {}));
  const put = async (path: string, text: string, mode = "644") => {
    const hex = new TextEncoder().encode(text).toBase64();
    await far.well(
      `mkdir -p "$(dirname ${path})"; echo ${hex} | base64 -d > ${path}; chmod ${mode} ${path}`,
    );
  };
  await put("/etc/pve/storage.cfg", STORAGES);
  await put("/etc/pve/qemu-server/100.conf", CONF);
  await put(
    "/etc/pve/qemu-server/101.conf",
    "name: busy\nmemory: 160\nscsi0: ceph:vm-101-disk-0,size=1G\n",
  );
  await put("/usr/local/sbin/lvchange", LVCHANGE, "755");
  await put("/run/loop", loop.replace(/\D/g, ""));
  await put("/var/lib/vz/images/100/vm-100-disk-0.qcow2", "");
  const bytes = (await Deno.readFile(boot)).toBase64();
  for (let at = 0; at < bytes.length; at += 100_000) {
    await far.well(`printf %s ${bytes.slice(at, at + 100_000)} >> /run/boot.b64`);
  }
  await far.well("base64 -d /run/boot.b64 > /var/lib/vz/images/100/vm-100-disk-0.qcow2");
  return { raw, data, put };
}

Deno.test({
  name: "import_foreign_vm() takes a VM of Proxmox VE by SSH with a password that is not kept, and it boots",
  ignore,
  fn: async (t) => {
    await using far = await bareHost();
    await using folder = await testFolder();
    await using pool = await testPool("pve");
    await using vm = await claimedVm("pve");
    await using server = await readyServer();
    await using undo = new AsyncDisposableStack();
    const { raw, data, put } = await furnish(far, folder.path, undo);
    const from = { kind: "proxmox-ssh", origin: far.address } as const;
    const signed = { ...from, username: "root", password: PASSWORDS.root };

    await t.step("its key is told first, and kept once it was compared", async () => {
      await refused(call(server, "list_foreign_vms", signed), "HostKeyUnknown", /SHA256/);
      const other = `SHA256:${"A".repeat(43)}`;
      await refused(call(server, "list_foreign_vms", { ...signed, hostKey: other }), "HostKeyChanged");
      const known = { ...from, hostKey: far.hostKey };
      await refused(call(server, "list_foreign_vms", known), "InvalidInput", /password/);
      await refused(
        call(server, "list_foreign_vms", { ...signed, password: "no such" }),
        "SourceLoginRefused",
      );
      await refused(
        call(server, "list_foreign_vms", { ...from, username: "ann", password: PASSWORDS.ann }),
        "ForeignVmRefused",
        /not root/,
      );
    });

    await t.step("its VMs are listed; one that runs, and a disk on Ceph, are refused", async () => {
      await far.well(
        "mkdir -p /run/qemu-server; echo $$ > /run/qemu-server/101.pid; echo 1 > /run/qemu-server/101.pid",
      );
      assert.deepEqual(await call(server, "list_foreign_vms", signed), [
        { vm: "100", name: "far-web", state: "stopped" },
        { vm: "101", name: "busy", state: "running" },
      ]);
      await refused(call(server, "inspect_foreign_vm", { ...from, vm: "101" }), "VmMustBeOff");
      await far.well("rm /run/qemu-server/101.pid");
      await refused(
        call(server, "inspect_foreign_vm", { ...from, vm: "101" }),
        "ForeignVmRefused",
        /Ceph|rbd/,
      );
    });

    await t.step("the preview has its hardware", async () => {
      const seen = await call(server, "inspect_foreign_vm", { ...from, vm: "100" });
      assert.deepEqual(
        [seen.originalName, seen.cpuCount, seen.memoryMb, seen.description],
        ["far-web", 2, 160, "from Proxmox"],
      );
      assert.deepEqual(
        seen.disks.map(({ file, format, capacityBytes, bus }) => [file, format, capacityBytes, bus]),
        [
          ["vm-100-disk-0.qcow2", "qcow2", 16 * 2 ** 20, "scsi"],
          ["vm-100-disk-1", "raw", 8 * 2 ** 20, "virtio"],
        ],
      );
      assert.deepEqual(seen.nics.map(({ network, vlan }) => [network, vlan]), [["vmbr0", 20]]);
    });

    await t.step("imported, its disks are the same and compared, and it boots", async () => {
      const made = await call(server, "import_foreign_vm", {
        ...from,
        vm: "100",
        name: vm.name,
        targetPool: pool.name,
        nics: [{ leaveOut: true }],
        disks: [{ bus: "virtio" }, {}],
      });
      const [first = "", second = ""] = made.disks.map(({ path }) => path);
      await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, first]);
      await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", data, second]);
      assert.deepEqual(await filesIn(pool), [`${vm.name}-disk1.qcow2`, `${vm.name}-disk2.qcow2`]);
      await call(server, "start_vm", { vmId: made.vmId });
      await until("it to boot", () => hasBooted(first, `${folder.path}/scratch`), {
        seconds: 60,
        every: 1000,
      });
      await call(server, "force_stop_vm", { vmId: made.vmId });
      await call(server, "delete_vm", { vmId: made.vmId, deleteDisks: true });
    });

    await t.step("the node is as before: no key was added, and the volume is inactive again", async () => {
      assert.deepEqual(await far.present(["/root/.ssh/authorized_keys"]), []);
      await until(
        "the volume to be inactive",
        async () => (await far.present([`/dev/${GROUP}/vm-100-disk-1`])).length === 0,
      );
      assert.ok(!server.log().includes(PASSWORDS.root), "the password is in no log");
    });

    await t.step("a line that breaks in the middle goes on where it was", async () => {
      // Gives the first megabyte of the copy, and waits: then the line is cut
      await put(
        "/usr/local/sbin/dd",
        '#!/bin/bash\nall="$*"\necho "$all" >> /run/dd.log\n' +
          'if [[ "$all" == *" skip=0 count=$(cat /run/whole) "* && ! -e /run/was-cut ]]; then\n' +
          '/usr/bin/dd "$@" | head -c 1000000; : > /run/was-cut; sleep 60; fi\nexec /usr/bin/dd "$@"\n',
        "755",
      );
      await far.well("stat -c %s /var/lib/vz/images/100/vm-100-disk-0.qcow2 > /run/whole; : > /run/dd.log");
      const wish = {
        ...from,
        vm: "100",
        name: vm.name,
        targetPool: pool.name,
        nics: [{ leaveOut: true }],
        disks: [{}, { leaveOut: true }],
      };
      const imported = call(server, "import_foreign_vm", wish);
      imported.catch(() => {/* told below */});
      await until("the copy", async () => (await far.present(["/run/was-cut"])).length > 0, { seconds: 60 });
      await new Promise((resolve) => setTimeout(resolve, 1000));
      await far.well("pkill -9 -P $(cat /run/sshd-test.pid) || true");
      const made = await imported;
      await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", raw, made.disks[0]!.path]);
      const start = Number(
        (await far.well("grep -o 'skip=[0-9]*' /run/dd.log | tail -n 1")).replace("skip=", ""),
      );
      assert.ok(start > 0 && start <= 1_000_000, `it went on at the byte that it had: ${start}`);
      await call(server, "delete_vm", { vmId: made.vmId, deleteDisks: true });
    });
  },
});

/** Gives copies of a disk that go to its end a MiB a second, where a file says so. */
const SLOW_DD = `#!/bin/bash
all="$*"
[[ "$all" == *" count="* ]] || exec /usr/bin/dd "$@"
echo "$all" >> /run/dd.log
skip=\${all##* skip=}; skip=\${skip%% *}; count=\${all##* count=}; count=\${count%% *}
[[ -e /run/slow && $count -gt 1048576 ]] || exec /usr/bin/dd "$@"
path=\${1#if=}
for ((at = skip; at < skip + count; at += 1048576)); do
  /usr/bin/dd "if=$path" bs=1048576 iflag=skip_bytes,count_bytes,fullblock "skip=$at" "count=$((skip + count - at < 1048576 ? skip + count - at : 1048576))" status=none || exit
  sleep 1
done
`;

Deno.test({
  name: "an import from Proxmox VE that was cut goes on with what had come, unless the disk has changed",
  ignore,
  fn: async (t) => {
    await using far = await bareHost();
    await using folder = await testFolder();
    await using pool = await testPool("pveagain");
    await using vm = await claimedVm("pveagain");
    await using undo = new AsyncDisposableStack();
    const { data, put } = await furnish(far, folder.path, undo);
    const big = `${folder.path}/big.raw`, dataDir = `${folder.path}/data`;
    const image = "/var/lib/vz/images/100/vm-100-disk-0.raw";
    const line = (path: string) => `yes "a line of the disk" | head -c ${16 * MIB} > ${path}`;
    await run(["sh", "-c", line(big)]);
    await far.well(line(image));
    await put("/etc/pve/qemu-server/100.conf", CONF.replace("disk-0.qcow2", "disk-0.raw"));
    await put("/usr/local/sbin/dd", SLOW_DD, "755");
    const name = `${vm.name}-disk1.qcow2`;
    const wish = (disk: 0 | 1) => ({
      ...{ kind: "proxmox-ssh", origin: far.address, hostKey: far.hostKey, username: "root" } as const,
      password: PASSWORDS.root,
      vm: "100",
      name: vm.name,
      targetPool: pool.name,
      nics: [{ leaveOut: true }],
      disks: [0, 1].map((each) => each === disk ? {} : { leaveOut: true }),
    });
    const isNoted = (part: string) => async () =>
      openOperations(dataDir).some((record) => record.includes('"received"')) &&
      (await filesIn(pool)).includes(part);
    /** Begins an import, and kills KVM Manager in its middle. */
    const cut = async (disk: 0 | 1) => {
      await far.well("touch /run/slow");
      await using server = await readyServer({ dataDir });
      const asked = call(server, "import_foreign_vm", wish(disk)).catch(() => "cut off");
      await until("a part to be noted", isNoted(`${name}.part`), { seconds: 60 });
      await server.kill();
      assert.equal(await asked, "cut off");
      await far.well("rm /run/slow; : > /run/dd.log");
    };
    /** Imports it once more, and looks at what has come. @returns the byte that it went on at */
    const again = async (disk: 0 | 1, source: string) => {
      await using server = await readyServer({ dataDir });
      await until("it to be settled", () => Promise.resolve(openOperations(dataDir).length === 0), {
        seconds: 60,
      });
      assert.deepEqual(await filesIn(pool), [`${name}.part`]);
      const made = await call(server, "import_foreign_vm", wish(disk));
      await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", source, made.disks[0]!.path]);
      assert.deepEqual(await filesIn(pool), [name]);
      await call(server, "delete_vm", { vmId: made.vmId, deleteDisks: true });
      const reads = (await far.well("grep -o 'skip=[0-9]* count=[0-9]*' /run/dd.log")).split("\n");
      const [, skip] = /skip=(\d+)/.exec(reads.findLast((each) => Number(each.split("count=")[1]) > MIB)!)!;
      return Number(skip);
    };

    await t.step("an image goes on at the byte that was noted, also after a second cut", async () => {
      await cut(0);
      await cut(0);
      assert.ok(await again(0, big) >= 4 * MIB, "what had come is not transferred again");
    });

    await t.step("an image that was written to meanwhile comes from the beginning", async () => {
      await cut(0);
      await far.well(`touch -d 2026-02-01 ${image}`);
      assert.equal(await again(0, big), 0);
    });

    await t.step(
      "a volume of LVM goes on, too; one that was written to comes from the beginning",
      async () => {
        await cut(1);
        assert.ok(await again(1, data) >= 3 * MIB, "what had come is not transferred again");
        await cut(1);
        await run(["dd", "if=/dev/urandom", `of=${data}`, "bs=4096", "seek=3", "count=1", "conv=notrunc"]);
        assert.equal(await again(1, data), 0);
      },
    );
  },
});
