/**
 * libvirtd, KVM Manager, or both killed while a snapshot with memory is taken or gone back to: the VM runs on or is as in the
 * snapshot, and no memory is left in a disk that no snapshot has.
 */
import assert from "node:assert/strict";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { filesOf, releaseName, testName } from "../testbed/names.ts";
import { openOperations } from "../testbed/open_operations.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, shows } from "../testbed/product.ts";
import { removeFiles } from "../testbed/removal.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

Deno.test({
  name: "a snapshot with memory that is cut short leaves the VM running, and nothing in its disk",
  ignore,
  fn: async (t) => {
    const name = await testName("snapkill"), files = filesOf(name);
    await Deno.mkdir(files, { recursive: true });
    const disk = `${files}/disk.qcow2`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", disk, "256M"]);
    await using host = await privateLibvirt("snapkill");
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    const open = async () => await readyServer({ uri: host.uri, dataDir, seconds: 90 });
    let server: TestServer | undefined;
    try {
      server = await open();
      // A guest with memory in use: taking it takes a while
      const vm = await host.machine({
        guest: true,
        start: true,
        memoryMiB: 512,
        disks: [{ path: disk, format: "qcow2", bus: "virtio" }],
      });
      await vm.waitForBoot();
      await shows(server, vm.uuid, ({ state }) => state === "running");
      const vmId = vm.uuid;
      /** Names of what is in the disk. */
      const inDisk = async () => {
        const info = JSON.parse(await run(["qemu-img", "info", "-U", "--output=json", disk]));
        return (info.snapshots ?? []).map((each: { name: string }) => each.name) as string[];
      };
      const strike = async (victim: "libvirtd" | "agent" | "both") => {
        if (victim !== "agent") await host.kill();
        if (victim !== "libvirtd") await server!.kill();
        if (victim !== "agent") await host.start();
        if (victim === "libvirtd") return;
        await server![Symbol.asyncDispose]();
        server = await open();
        await known(server, vmId);
      };
      const settled = async (about: string) => {
        await until(`all to be settled ${about}`, async () => {
          if (!(await call(server!, "get_connection_status")).connected) return false;
          const { state, operation, attention } = await call(server!, "get_vm", { vmId });
          // libvirt 9.0, ended before the QEMU of a revert has begun, waits for it for good: what its note advises
          if (/libvirt is starting it, and does not answer/.test(attention.join())) {
            await host.forget(vm.name);
          }
          // libvirt 9.0 takes QEMU's answer to the call that was cut off for one to its first question, and ends the VM
          if (
            operation === undefined && openOperations(dataDir).length === 0 &&
            /libvirt was restarted.+ended it. Start it again/.test(attention.join())
          ) {
            await call(server!, "start_vm", { vmId });
          }
          return state === "running" && operation === undefined && attention.length === 0 &&
            openOperations(dataDir).length === 0 && await vm.state() === "running";
        }, {
          seconds: 120,
          lastSeen: async () => {
            const { state, operation, attention } = await call(server!, "get_vm", { vmId });
            return JSON.stringify([await vm.state(), await inDisk(), state, operation, attention]);
          },
        });
      };
      for (const victim of ["libvirtd", "both", "agent"] as const) {
        for (const ms of [150, 600]) {
          await t.step(`${victim} ended ${ms} ms after it was begun to be taken`, async () => {
            const going = call(server!, "create_snapshot", { vmId, name: "s" }).catch(() => null);
            await pause(ms);
            await strike(victim);
            await going;
            await settled("after the snapshot");
            const { snapshots } = await call(server!, "list_snapshots", { vmId });
            await until("the disk to have what is listed alone", async () => {
              const names = (await call(server!, "list_snapshots", { vmId })).snapshots.map((each) =>
                each.name
              );
              return JSON.stringify(names) === JSON.stringify(await inDisk());
            }, { seconds: 60, lastSeen: async () => JSON.stringify([snapshots, await inDisk()]) });
            assert.equal(await vm.state(), "running");
            if ((await inDisk()).length > 0) await call(server!, "delete_snapshot", { vmId, name: "s" });
            // And again
            await call(server!, "create_snapshot", { vmId, name: "again" });
            await call(server!, "delete_snapshot", { vmId, name: "again" });
          });
        }
      }
      await t.step(
        "another program's snapshot, libvirtd ended in it: it is told, and resumed as advised",
        async () => {
          const going = host.virsh("snapshot-create-as", vm.name, "theirs").catch(() => "");
          await pause(300);
          await strike("libvirtd");
          await going;
          await until(
            "libvirt to answer",
            async () => (await call(server!, "get_connection_status")).connected,
          );
          const { state, attention } = await shows(server!, vmId, ({ operation }) => operation === undefined);
          if (state === "paused") {
            assert.match(attention.join(), /libvirt paused it while it wrote its memory.+resume the VM/);
            await call(server!, "resume_vm", { vmId });
          }
          await settled("after it was resumed");
          await host.virsh("qemu-monitor-command", vm.name, "--hmp", "delvm theirs");
          const known = (await call(server!, "list_snapshots", { vmId })).snapshots.map((each) => each.name);
          if (known.includes("theirs")) await call(server!, "delete_snapshot", { vmId, name: "theirs" });
        },
      );
      await call(server, "create_snapshot", { vmId, name: "memory" });
      for (const victim of ["libvirtd", "both", "agent"] as const) {
        for (const ms of [60, 250, 500]) {
          await t.step(`${victim} ended ${ms} ms after a revert was begun`, async () => {
            const going = call(server!, "revert_snapshot", { vmId, name: "memory" }).catch(() => null);
            await pause(ms);
            await strike(victim);
            await going;
            await settled("after the revert");
          });
        }
      }
      // Some of them were met in the middle
      const told = (await call(server, "get_activity", { limit: 500 })).filter(({ message }) =>
        /in the middle/.test(message ?? "")
      );
      for (const command of ["create_snapshot", "revert_snapshot"]) {
        assert.ok(told.some(({ action }) => action === command), JSON.stringify(told));
      }
    } finally {
      await server?.[Symbol.asyncDispose]();
      await Deno.remove(dataDir, { recursive: true });
      await removeFiles(name);
      await releaseName(name);
    }
  },
});
