/** Booting a VM once from elsewhere: what the firmware really boots, and that nothing of its definition changes. */
import assert from "node:assert/strict";
import { MENU_MS } from "../../lib/formats/xml/boot_once.ts";
import { speakingCd, speakingSector } from "../testbed/boot_media.ts";
import { CommandLine } from "../testbed/command_line.ts";
import { noFirmware } from "../testbed/firmware.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { filesOf } from "../testbed/names.ts";
import { run } from "../testbed/process.ts";
import { asRoot } from "../testbed/people.ts";
import { call, readyServer, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

const DRIVE = (inside: string) =>
  `<disk type='file' device='cdrom'><driver name='qemu' type='raw'/>${inside}<target dev='sda' bus='sata'/></disk>`;
const NIC = "<interface type='user'><mac address='52:54:00:6b:76:01'/><model type='e1000'/></interface>";

interface Shape {
  readonly drive?: "empty" | "medium";
  readonly nic?: boolean;
  /** Orders single devices instead of kinds. */
  readonly single?: boolean;
  readonly os?: (os: string) => string;
}

/** A VM with a disk that says DISK; its drive has a CD that says CD. */
async function bootable({ drive, nic = false, single = false, os = (text) => text }: Shape) {
  const vm = await testMachine({
    purpose: "bootonce",
    guest: false,
    agent: false,
    memoryMiB: 64,
    disks: [{ size: "1M" }],
    vnc: { password: "kept-1" },
  });
  const cd = `${filesOf(vm.name)}/cd.iso`, file = `${filesOf(vm.name)}/boot.xml`;
  await Deno.writeFile(cd, speakingCd("CD"));
  const sector = `${filesOf(vm.name)}/sector`;
  await Deno.writeFile(sector, speakingSector("DISK"));
  await Deno.truncate(sector, 1 << 20);
  await run(["qemu-img", "convert", "-f", "raw", "-O", "qcow2", sector, vm.disks[0]!]);
  const added = `${drive ? DRIVE(drive === "medium" ? `<source file='${cd}'/>` : "") : ""}${nic ? NIC : ""}`;
  let xml = (await virsh("dumpxml", vm.name, "--inactive", "--security-info"))
    .replace("</devices>", `${added}</devices>`);
  if (single) {
    xml = xml.replace(/\s*<boot dev='hd'\/>/, "").replace(
      "<target dev='vda'",
      "<boot order='1'/><target dev='vda'",
    );
  }
  await Deno.writeTextFile(file, os(xml));
  await virsh("define", file);
  return { vm, cd };
}

const stored = (vm: TestMachine) => virsh("dumpxml", vm.name, "--inactive", "--security-info");
const says = (vm: TestMachine, text: string) =>
  until(`${vm.name} to say ${text}`, async () => (await vm.serial()).includes(text), {
    lastSeen: () => vm.serial(),
    seconds: 10,
  });

for (const single of [false, true]) {
  Deno.test({
    name: `start_vm() boots from the CD once, then as configured by ${single ? "devices" : "kinds"}`,
    ignore,
    fn: async (t) => {
      const made = await bootable({ drive: "medium", nic: true, single });
      await using vm = made.vm;
      await using server = await readyServer();
      const vmId = vm.uuid;
      await shows(server, vmId, ({ disks }) => disks.length === 2);
      await virsh("autostart", vm.name);
      await virsh("snapshot-create-as", vm.name, "one");
      const before = await stored(vm), about = await virsh("dominfo", vm.name);
      const stop = async () => {
        await call(server, "force_stop_vm", { vmId });
        await shows(server, vmId, ({ state }) => state === "stopped");
        assert.equal(await stored(vm), before);
        assert.equal(await virsh("snapshot-list", vm.name, "--name"), "one");
      };

      await t.step("from the CD, and the definition stays", async () => {
        await call(server, "start_vm", { vmId, bootFrom: "cdrom" });
        assert.equal((await call(server, "get_vm", { vmId })).state, "running");
        await says(vm, "CD");
        assert.ok(!(await vm.serial()).includes("DISK"));
        assert.equal(await stored(vm), before, "while it runs");
        assert.match(await virsh("dumpxml", vm.name, "--security-info"), /passwd='kept-1'/);
        const { persistent, pendingChanges } = await shows(
          server,
          vmId,
          (vm) => vm.pendingChanges !== undefined,
        );
        assert.deepEqual([persistent, pendingChanges], [true, 0], "nothing waits for a start");
      });
      await t.step("discarding pending changes does not keep it", async () => {
        await call(server, "discard_pending_changes", { vmId });
        assert.equal(await stored(vm), before);
      });
      await t.step("the audit log has it", async () => {
        const [row] = await asRoot(server, "get_audit_log", { action: "start_vm" });
        assert.deepEqual(JSON.parse(row?.input ?? ""), { vmId, bootFrom: "cdrom" });
      });
      await t.step("the log of QEMU shows it", async () => {
        const { log } = await call(server, "get_vm_log", { vmId });
        assert.match(log, /"ide-cd".*"bootindex":1/);
      });
      await t.step(
        "a running VM is refused",
        () => refused(call(server, "start_vm", { vmId, bootFrom: "disk" }), "VmAlreadyRunning"),
      );
      await t.step("the next start is as configured", async () => {
        await stop();
        assert.equal(
          (await virsh("dominfo", vm.name)).replace(/CPU time.*\n/, ""),
          about.replace(/CPU time.*\n/, ""),
        );
        await call(server, "start_vm", { vmId });
        await says(vm, "DISK");
        assert.ok(!(await vm.serial()).includes("CD"));
        await stop();
      });
      await t.step("the network goes first, the disk stays behind it", async () => {
        await call(server, "start_vm", { vmId, bootFrom: "network" });
        const { log } = await call(server, "get_vm_log", { vmId, lines: 60 });
        assert.match(log, /"e1000".*"bootindex":1/);
        assert.match(log, /"virtio-blk-pci".*"bootindex":2/);
        await stop();
      });
      await t.step("the menu is offered, with time to choose; the order stays", async () => {
        await call(server, "start_vm", { vmId, bootFrom: "menu" });
        const { log } = await call(server, "get_vm_log", { vmId, lines: 60 });
        assert.match(log, new RegExp(`-boot menu=on,splash-time=${MENU_MS}`));
        assert.match(log, /"virtio-blk-pci".*"bootindex":1/);
        await stop();
      });
      await t.step("the command line does it, too", async () => {
        const cli = new CommandLine({ KVMM_SOCKET: server.socket });
        const { status, err } = await cli.run(["vm", "start", vm.name, "--boot-from", "disk"]);
        assert.equal(status, 0, err);
        await says(vm, "DISK");
        await stop();
      });
      await t.step("a start that fails leaves everything, and says which VM", async () => {
        await Deno.rename(made.cd, `${made.cd}.gone`);
        const failed = await call(server, "start_vm", { vmId, bootFrom: "cdrom" }).then(
          () => assert.fail("it started"),
          ({ body }) => body,
        );
        assert.deepEqual([failed.code, failed.details.vmId], ["StartFailed", vmId]);
        assert.equal(await stored(vm), before);
        assert.equal(await vm.state(), "shut off");
        await Deno.rename(`${made.cd}.gone`, made.cd);
        await call(server, "start_vm", { vmId });
        await says(vm, "DISK");
      });
      await t.step("a start that libvirt refuses before QEMU begins changes nothing either", async () => {
        await stop();
        const file = `${filesOf(vm.name)}/domain.xml`;
        const define = async (xml: string) => {
          await Deno.writeTextFile(file, xml);
          await virsh("define", file);
        };
        const twice = before.replace(
          "</graphics>",
          "<listen type='address' address='127.0.0.2'/></graphics>",
        );
        assert.notEqual(twice, before);
        await define(twice);
        const { code } = await call(server, "start_vm", { vmId, bootFrom: "cdrom" }).then(
          () => assert.fail("it started"),
          ({ body }) => body,
        );
        assert.equal(code, "StartFailed");
        // A second definition in libvirt would be started next, and would hide later stored definitions.
        assert.equal(await virsh("dumpxml", vm.name), await virsh("dumpxml", vm.name, "--inactive"));
        await define(before);
        assert.equal(await stored(vm), before);
        await call(server, "start_vm", { vmId });
        await says(vm, "DISK");
      });
      await t.step("saved memory would go on: refused, and kept", async () => {
        await call(server, "suspend_vm", { vmId });
        await refused(
          call(server, "start_vm", { vmId, bootFrom: "cdrom" }),
          "BootWouldResume",
          /saved memory/,
        );
        assert.match(await virsh("dominfo", vm.name), /Managed save:\s+yes/);
        await call(server, "start_vm", { vmId });
        assert.match(await virsh("dominfo", vm.name), /Managed save:\s+no/);
      });
    },
  });
}

Deno.test({
  name: "start_vm() refuses to boot from what a VM does not have",
  ignore,
  fn: async () => {
    const bare = await bootable({}), empty = await bootable({ drive: "empty" });
    await using one = bare.vm;
    await using two = empty.vm;
    await using server = await readyServer();
    const boot = (vm: TestMachine, bootFrom: "cdrom" | "network") =>
      call(server, "start_vm", { vmId: vm.uuid, bootFrom });
    await shows(server, two.uuid, ({ disks }) => disks.length === 2);
    await refused(boot(one, "cdrom"), "BootSourceMissing", /has no CD-ROM drive/);
    await refused(boot(two, "cdrom"), "BootSourceMissing", /drive is empty\. Insert a medium/);
    await refused(boot(one, "network"), "BootSourceMissing", /has no network interface/);
    for (const vm of [one, two]) assert.equal(await vm.state(), "shut off");
  },
});

Deno.test({
  name: "start_vm() boots UEFI from the network once, and its variables and TPM stay",
  ignore: ignore || await noFirmware() !== null,
  fn: async () => {
    const tpm = "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm></devices>";
    const { vm: made } = await bootable({
      nic: true,
      os: (xml) => xml.replace("<os>", "<os firmware='efi'>").replace("</devices>", tpm),
    });
    await using vm = made;
    await using server = await readyServer();
    const vmId = vm.uuid, nvram = `/var/lib/libvirt/qemu/nvram/${vm.name}_VARS.fd`;
    const inode = async (path: string) => (await Deno.stat(path)).ino;
    await shows(server, vmId, ({ state }) => state === "stopped");
    await call(server, "start_vm", { vmId });
    await call(server, "force_stop_vm", { vmId });
    const before = await stored(vm), state = `/var/lib/libvirt/swtpm/${vmId}`;
    const files = [await inode(nvram), await inode(state)];
    await call(server, "start_vm", { vmId, bootFrom: "network" });
    assert.match((await call(server, "get_vm_log", { vmId, lines: 80 })).log, /"e1000".*"bootindex":1/);
    await call(server, "force_stop_vm", { vmId });
    assert.equal(await stored(vm), before);
    assert.deepEqual([await inode(nvram), await inode(state)], files);
    await call(server, "start_vm", { vmId });
    assert.match(
      (await call(server, "get_vm_log", { vmId, lines: 80 })).log,
      /"virtio-blk-pci".*"bootindex":1/,
    );
  },
});
