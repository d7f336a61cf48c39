/** migrate_vm(): VMs move between two hosts while they run, through the link alone. */
import assert from "node:assert/strict";
import { link, type MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { exists, run } from "../testbed/process.ts";
import { call, refused, shows } from "../testbed/product.ts";
import { testFolder } from "../testbed/folder.ts";
import { noFirmware } from "../testbed/firmware.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

/** Seconds that a guest has been up. */
async function uptime({ libvirt }: MigrationHost, name: string): Promise<number> {
  const ask = {
    execute: "guest-exec",
    arguments: { path: "/bin/cat", arg: ["/proc/uptime"], "capture-output": true },
  };
  const { return: { pid } } = JSON.parse(
    await libvirt.virsh("qemu-agent-command", name, JSON.stringify(ask)),
  );
  for (;;) {
    const status = { execute: "guest-exec-status", arguments: { pid } };
    const { return: said } = JSON.parse(
      await libvirt.virsh("qemu-agent-command", name, JSON.stringify(status)),
    );
    if (said.exited) return Number(atob(said["out-data"]).split(" ")[0]);
  }
}

Deno.test({
  name: "a VM that runs moves to another host with its disk, and back",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    const path = await randomImage(from, "disk.qcow2", 64);
    const vm = await from.libvirt.machine({
      guest: true,
      start: true,
      serial: "pty",
      disks: [{ path, format: "qcow2", bus: "virtio" }],
    });
    await vm.waitForBoot();
    const vmId = vm.uuid, { name } = vm;
    await shows(from.server, vmId, ({ guestAgent }) => guestAgent === "connected", { seconds: 60 });
    await call(from.server, "set_tags", { vmId, tags: ["web"] });
    await call(from.server, "set_autostart", { vmId, autostart: true });
    const before = await uptime(from, name);

    await t.step("looked at, nothing is changed", async () => {
      const { estimate, ...look } = await call(from.server, "get_migration_plan", { vmId, toHost: "there" });
      assert.equal(estimate?.converges, true);
      assert.deepEqual(look, {
        possible: true,
        findings: [],
        disks: [{
          target: "vda",
          shared: false,
          sizeBytes: 64 * 1024 ** 2,
          pool: "images",
          volume: "disk.qcow2",
        }],
        follows: [],
        memoryMb: 256,
      });
      assert.deepEqual(await to.volumes(), []);
      assert.deepEqual(await Array.fromAsync(Deno.readDir(from.images), ({ name }) => name), ["disk.qcow2"]);
    });

    await t.step("what would not follow is said before", async () => {
      const { id } = await call(from.server, "create_schedule", {
        name: "nightly",
        action: "stop",
        frequency: "daily",
        time: "22:00",
        targets: { tags: ["web"] },
      });
      const { findings } = await call(from.server, "get_migration_plan", { vmId, toHost: "there" });
      assert.match(
        findings.map(({ level, text }) => `${level}: ${text}`).join(),
        /^warning: This stays with .*nightly/,
      );
      await call(from.server, "delete_schedule", { scheduleId: id });
    });

    await t.step("it moves, with its data, tags and autostart", async () => {
      const moved = await call(from.server, "migrate_vm", { vmId, toHost: "there", keepDisks: true });
      assert.deepEqual(moved.warnings, []);
      assert.equal(await to.libvirt.virsh("domstate", name), "running");
      assert.deepEqual(await from.vms(), []);
      // It has gone on, and was not started again
      assert.ok(await uptime(to, name) >= before);
      const there = await shows(to.server, vmId, ({ state }) => state === "running");
      assert.deepEqual([there.tags, there.autostart, there.persistent], [["web"], true, true]);
      // Where it came from it is listed as that host's
      await until(
        "the list of both",
        async () =>
          (await call(from.server, "get_vms")).some(({ id, host }) => id === vmId && host === "there"),
      );
      assert.deepEqual([await from.left(), await to.left()], ["", ""]);
      const [job] = await call(to.server, "list_jobs", { limit: 1 });
      assert.deepEqual([job?.command, job?.state, job?.vmId], ["migrate_vm", "done", vmId]);
    });

    await t.step("it moves back over its old disk's name", async () => {
      const moved = await call(to.server, "migrate_vm", { vmId, toHost: "there" });
      assert.equal(moved.disks[0]?.volume, "disk-2.qcow2");
      assert.deepEqual(await to.vms(), []);
      assert.deepEqual(await from.vms(), [name]);
      assert.deepEqual(await from.volumes(), ["disk-2.qcow2", "disk.qcow2"]);
      // What was copied is in the bin there
      assert.deepEqual(await to.volumes(), []);
      assert.equal((await call(to.server, "list_bin")).length, 1);
      await from.libvirt.virsh("destroy", name);
      await run(["qemu-img", "compare", `${from.images}/disk.qcow2`, `${from.images}/disk-2.qcow2`]);
      assert.deepEqual([await from.left(), await to.left()], ["", ""]);
    });

    await t.step("from the page of the other host, its own host moves it", async () => {
      await from.libvirt.virsh("start", name);
      await shows(from.server, vmId, ({ state }) => state === "running");
      await until(
        "the other one to list it",
        async () =>
          (await call(to.server, "get_vms")).some(({ id, state }) => id === vmId && state === "running"),
      );
      const plan = await call(to.server, "get_migration_plan", { vmId, toHost: "local" });
      assert.equal(plan.possible, true, JSON.stringify(plan));
      const moved = await call(to.server, "migrate_vm", { vmId, toHost: "local" });
      assert.equal(moved.toHost, "local");
      assert.deepEqual([await from.vms(), await to.vms()], [[], [name]]);
      await call(to.server, "migrate_vm", { vmId, toHost: "there" });
      await from.libvirt.virsh("destroy", name);
      // Whose own KVM Manager has no link to it, that says so
      await call(from.server, "remove_host", { hostId: "there" });
      const refusal = call(to.server, "get_migration_plan", { vmId, toHost: "local" });
      await refused(refusal, "VmNotMovable", /has no link to it/);
      await link(from, to, "there");
    });

    await t.step("by a link that may less, none comes", async () => {
      await call(from.server, "remove_host", { hostId: "there" });
      await link(from, to, "weak", "operator");
      await from.libvirt.virsh("start", name);
      await shows(from.server, vmId, ({ state }) => state === "running");
      await refused(
        call(from.server, "migrate_vm", { vmId, toHost: "weak" }),
        "VmNotMovable",
        /by its administrators alone/,
      );
      await from.libvirt.virsh("destroy", name);
      await call(from.server, "remove_host", { hostId: "weak" });
      await link(from, to, "there");
    });

    await t.step("unknown and here: refused", async () => {
      await shows(from.server, vmId, ({ state }) => state === "stopped");
      await refused(call(from.server, "migrate_vm", { vmId, toHost: "nowhere" }), "HostNotFound");
      await refused(
        call(to.server, "migrate_vm", { vmId, toHost: "there" }),
        "VmNotMovable",
        /it is there already/,
      );
      await refused(call(to.server, "migrate_vm", { vmId, toHost: "nowhere" }), "HostNotFound");
      await refused(
        call(from.server, "migrate_vm", { vmId, toHost: "local" }),
        "VmNotMovable",
        /it is there already/,
      );
    });
  },
});

Deno.test({
  name: "disks on shared storage stay where they are, a paused VM stays paused, and what is cancelled stays",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    await using folder = await testFolder();
    const { from, to } = hosts;
    for (const { server } of [from, to]) {
      await call(server, "create_storage_pool", { name: "shared", type: "dir", path: folder.path });
    }
    const shared = `${folder.path}/shared.qcow2`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", shared, "16M"]);
    const own = await randomImage(from, "own.qcow2", 64);
    const { name, uuid: vmId } = await from.libvirt.machine({
      start: true,
      disks: [{ path: shared, format: "qcow2", bus: "virtio" }, {
        path: own,
        format: "qcow2",
        bus: "virtio",
      }],
    });
    await shows(from.server, vmId, ({ state }) => state === "running");
    await call(from.server, "refresh_storage_pool", { pool: "shared" });

    await t.step("a folder that only looks the same is not taken for shared", async () => {
      const { disks } = await call(from.server, "get_migration_plan", { vmId, toHost: "there" });
      assert.deepEqual(disks.map(({ target, shared }) => [target, shared]), [["vda", true], ["vdb", false]]);
      // What was put there to find out is gone
      const left = await Array.fromAsync(Deno.readDir(folder.path), (entry) => entry.name);
      assert.deepEqual(left, ["shared.qcow2"]);
    });

    await t.step("cancelled in the middle: it runs here, and nothing is left there", async () => {
      const moving = refused(
        call(from.server, "migrate_vm", { vmId, toHost: "there", bandwidthMib: 5 }),
        "JobCancelled",
      );
      const job = await until(
        "the move to be under way",
        async () =>
          (await call(from.server, "list_jobs", { limit: 5 })).find((each) =>
            each.command === "migrate_vm" && (each.progress ?? 0) > 0
          ),
        { seconds: 60, every: 50 },
      );
      await call(from.server, "cancel_job", { jobId: job.id });
      await moving;
      assert.equal(await from.libvirt.virsh("domstate", name), "running");
      await until(
        "the other host to have taken it back",
        async () =>
          (await to.vms()).length === 0 && (await to.volumes()).length === 0 && to.open().length === 0,
      );
      assert.deepEqual([await from.left(), await to.left()], ["", ""]);
      assert.deepEqual(from.open(), []);
    });

    await t.step("paused, it moves and is paused; the shared disk is the same", async () => {
      await from.libvirt.virsh("suspend", name);
      await shows(from.server, vmId, ({ state }) => state === "paused");
      await call(from.server, "migrate_vm", { vmId, toHost: "there" });
      assert.equal(await to.libvirt.virsh("domstate", name), "paused");
      const disks = await to.libvirt.virsh("domblklist", name);
      assert.match(disks, new RegExp(`vda +${shared}`));
      assert.match(disks, /vdb +\/var\/lib\/libvirt\/images\/own.qcow2/);
      // The shared one was not taken away with the one that was copied
      assert.equal((await Deno.stat(shared)).isFile, true);
      assert.deepEqual(await from.volumes(), []);
      await to.libvirt.virsh("resume", name);
      assert.equal(await to.libvirt.virsh("domstate", name), "running");
    });

    await t.step("another VM there has the name: refused, with what to do", async () => {
      await from.libvirt.machine();
      const [taken] = await from.vms();
      const file = `${folder.path}/other.xml`;
      const xml = (await to.libvirt.virsh("dumpxml", name, "--inactive"))
        .replace(/<uuid>.*<\/uuid>/, "").replace(`<name>${name}</name>`, `<name>${taken}</name>`)
        .replaceAll(/<disk[\s\S]*<\/disk>/g, "");
      await Deno.writeTextFile(file, xml);
      await to.libvirt.virsh("define", file);
      await from.libvirt.virsh("start", taken!);
      const other = await until(
        "the VM to be known",
        async () =>
          (await call(from.server, "get_vms")).find((each) =>
            each.name === taken && each.state === "running"
          ),
      );
      await refused(
        call(from.server, "migrate_vm", { vmId: other.id, toHost: "there" }),
        "VmNotMovable",
        /has another VM with the name .*Rename one of them first/,
      );
    });
  },
});

Deno.test({
  name: "a VM that is off moves with its disks, its UEFI variables and its TPM, and starts there",
  ignore: ignore || await noFirmware() !== null,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts, name = "off-vm";
    const { id: vmId } = await call(from.server, "create_vm", {
      name,
      cpuCount: 1,
      memoryMb: 128,
      firmware: "uefi",
      tpm: true,
      nics: [],
      disks: [{ sizeGb: 1, pool: "images" }],
    });
    // Its variables and its TPM's state are there from the first start on
    await call(from.server, "start_vm", { vmId });
    const state = ["qemu/nvram/off-vm_VARS.fd", `swtpm/${vmId}/tpm2/tpm2-00.permall`];
    const sums = ({ libvirt }: MigrationHost) =>
      Promise.all(state.map(async (file) => {
        const bytes = await Deno.readFile(libvirt.stateFile(file));
        return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
      }));
    await until("its TPM to have a state", async () => await exists(from.libvirt.stateFile(state[1]!)));
    await call(from.server, "force_stop_vm", { vmId });
    const before = await sums(from), [image] = await from.volumes();
    await run(["qemu-io", "-f", "qcow2", "-c", "write -q -P 0x5a 64M 8M", `${from.images}/${image}`]);

    await t.step("it moves", async () => {
      const plan = await call(from.server, "get_migration_plan", { vmId, toHost: "there" });
      assert.deepEqual([plan.possible, plan.memoryMb], [true, 0]);
      await call(from.server, "migrate_vm", { vmId, toHost: "there", keepDisks: true });
      assert.deepEqual(await from.vms(), []);
      assert.equal(await to.libvirt.virsh("domstate", name), "shut off");
      assert.deepEqual(await sums(to), before);
      const [copy] = await to.volumes();
      await run(["qemu-img", "compare", "-q", `${from.images}/${image}`, `${to.images}/${copy}`]);
      assert.deepEqual([await from.left(), await to.left()], ["", ""]);
      assert.deepEqual([...from.open(), ...to.open()], []);
    });

    await t.step(
      "it starts there, comes back while it runs, and goes again off: nothing of it stays behind",
      async () => {
        const kept = ({ libvirt }: MigrationHost) => exists(libvirt.stateFile(`swtpm/${vmId}`));
        assert.deepEqual([await kept(from), await kept(to)], [false, true]);
        await call(to.server, "start_vm", { vmId });
        await shows(to.server, vmId, ({ state }) => state === "running");
        await call(to.server, "migrate_vm", { vmId, toHost: "there" });
        assert.equal(await from.libvirt.virsh("domstate", name), "running");
        assert.deepEqual([await kept(from), await kept(to)], [true, false]);
        assert.equal(await exists(to.libvirt.stateFile(state[0]!)), false);
        await shows(from.server, vmId, ({ state }) => state === "running");
        await call(from.server, "force_stop_vm", { vmId });
        await call(from.server, "migrate_vm", { vmId, toHost: "there" });
        assert.equal(await exists(from.libvirt.stateFile(state[0]!)), false);
        await call(to.server, "migrate_vm", { vmId, toHost: "there" });
        assert.deepEqual(await to.vms(), []);
        assert.deepEqual(await to.volumes(), []);
        assert.equal(await from.libvirt.virsh("domstate", name), "shut off");
      },
    );

    await t.step("suspended: refused, with what to do", async () => {
      await call(from.server, "start_vm", { vmId });
      await call(from.server, "suspend_vm", { vmId });
      await refused(call(from.server, "migrate_vm", { vmId, toHost: "there" }), "HasSavedMemory");
      await call(from.server, "discard_saved_memory", { vmId });
    });

    await t.step(
      "in the middle it cannot be started; cancelled, it stays, and nothing is left there",
      async () => {
        const asked = call(from.server, "migrate_vm", { vmId, toHost: "there", bandwidthMib: 2 });
        const moving = refused(asked, "JobCancelled");
        const job = await until(
          "a disk to be copied",
          async () =>
            (await call(from.server, "list_jobs", { limit: 5 })).find((each) =>
              each.command === "migrate_vm" && each.state === "running" && (each.progress ?? 0) > 0
            ),
          { every: 20 },
        );
        await refused(call(from.server, "start_vm", { vmId }), "VmBusy");
        await assert.rejects(from.libvirt.virsh("start", name), /Failed to get "write" lock/);
        await call(from.server, "cancel_job", { jobId: job.id });
        await moving;
        assert.equal(await from.libvirt.virsh("domstate", name), "shut off");
        await until(
          "the other host to have taken it back",
          async () =>
            (await to.vms()).length === 0 && (await to.volumes()).length === 0 && to.open().length === 0,
        );
        assert.deepEqual([await from.left(), await to.left()], ["", ""]);
      },
    );
  },
});
