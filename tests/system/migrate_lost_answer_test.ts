/**
 * Moves whose last answer is lost: the VM goes on at its destination, libvirt of the source never hears of it, and lets the VM go
 * on there, too. Afterwards it runs on exactly one host, and both KVM Managers tell what happened.
 */
import assert from "node:assert/strict";
import { testFolder } from "../testbed/folder.ts";
import { loseLastAnswer } from "../testbed/lost_answer.ts";
import { type MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { run } from "../testbed/process.ts";
import { call, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

type Hosts = { readonly from: MigrationHost; readonly to: MigrationHost };

/** Disks of the VM: copied, seen by both hosts, or none. */
const DISKS = ["copied", "shared", "none"] as const;

/** Whose KVM Manager is killed at that moment. */
const KILLED: Readonly<Record<string, (hosts: Hosts) => void>> = {
  "no KVM Manager": () => {},
  "KVM Manager of the source": ({ from }) => from.killServer(),
  "KVM Manager of the destination": ({ to }) => to.killServer(),
};

/** The states of a VM on both hosts, as libvirt has them; `gone` where there is none. */
const states = ({ from, to }: Hosts, name: string) =>
  Promise.all(
    [from, to].map(async ({ libvirt }) =>
      (await libvirt.virsh("list", "--all", "--name")).split("\n").includes(name)
        ? await libvirt.virsh("domstate", name, "--reason")
        : "gone"
    ),
  );

Deno.test({
  name: "a VM whose move ends without its last answer runs on exactly one host",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    await using folder = await testFolder();
    const { from, to } = hosts;
    for (const { server } of [from, to]) {
      await call(server, "create_storage_pool", { name: "shared", type: "dir", path: folder.path });
    }
    for (const disks of DISKS) {
      for (const [killed, kill] of Object.entries(KILLED)) {
        await t.step(`${killed} killed, disks: ${disks}`, async () => {
          const image = `${crypto.randomUUID()}.qcow2`;
          let path = `${folder.path}/${image}`;
          if (disks === "copied") path = await randomImage(from, image, 8);
          if (disks === "shared") await run(["qemu-img", "create", "-q", "-f", "qcow2", path, "16M"]);
          const { name, uuid: vmId } = await from.libvirt.machine({
            start: true,
            disks: disks === "none" ? [] : [{ path, format: "qcow2", bus: "virtio" }],
          });
          await shows(from.server, vmId, ({ state }) => state === "running");
          await call(from.server, "set_tags", { vmId, tags: ["web"] });
          for (const { server } of [from, to]) await call(server, "refresh_storage_pool", { pool: "shared" });

          const began = performance.now();
          const line = await loseLastAnswer(to.libvirt, () => kill(hosts));
          const asked = call(from.server, "migrate_vm", { vmId, toHost: "there", keepDisks: true })
            .then((answer) => JSON.stringify(answer), (error) => String(error));
          await line.lost;
          console.log("lost after", Math.round(performance.now() - began), await states(hosts, name));
          console.log("told", await asked);
          await line[Symbol.asyncDispose]();
          for (const host of [from, to]) if (!await host.answers()) await host.startServer();
          await until(
            "all to be settled",
            () => Promise.resolve(from.open().length + to.open().length === 0),
            {
              seconds: 90,
            },
          );
          console.log("settled after", Math.round(performance.now() - began), await states(hosts, name));
          for (const host of [from, to]) {
            console.log(
              (await call(host.server, "get_activity", { actions: ["migrate_vm"], limit: 2 })).map((
                { message, result },
              ) => `${result} ${message}`),
            );
            console.log(
              (await call(host.server, "list_jobs", { limit: 1 })).map((job) => JSON.stringify(job)),
            );
          }
          console.log(await shows(to.server, vmId, () => true).then(({ tags }) => tags));
          const [here, there] = [await from.libvirt.qemuOf(name), await to.libvirt.qemuOf(name)];
          assert.deepEqual([here !== null, there !== null], [false, true]);
          if (disks === "copied") await to.libvirt.virsh("destroy", name);
          if (disks === "copied") {
            await run(["qemu-img", "compare", "-q", `${from.images}/${image}`, `${to.images}/${image}`]);
          }
          assert.deepEqual([await from.left(), await to.left()], ["", ""]);
          if (disks !== "copied") await to.libvirt.virsh("destroy", name);
          await to.libvirt.virsh("undefine", name);
          await from.linked();
        });
      }
    }
  },
});
