/**
 * Moves whose last answer is lost: the VM goes on at its destination, libvirt of the source never hears of it, and lets the VM go
 * on there, too. Afterwards it is on exactly one host, and both KVM Managers tell what happened.
 */
import assert from "node:assert/strict";
import { testFolder } from "../testbed/folder.ts";
import { loseLastAnswer } from "../testbed/lost_answer.ts";
import { type MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { run } from "../testbed/process.ts";
import { call, shows } from "../testbed/product.ts";
import { CallError } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

type Hosts = { readonly from: MigrationHost; readonly to: MigrationHost };

/** Kinds of the VM: its disks are copied, seen by both hosts, or it has none. */
const VMS = ["copied disks", "shared disks", "no disks", "no disks, paused"] as const;

/** Hosts whose KVM Manager is killed at that moment. */
const KILLED: Readonly<Record<string, (hosts: Hosts) => void>> = {
  "no KVM Manager": () => {},
  "KVM Manager of the source": ({ from }) => from.killServer(),
  "KVM Manager of the destination": ({ to }) => to.killServer(),
};

/** Report of a host on a VM's finished move: its activity, and the page of its tasks. */
async function told({ server }: MigrationHost, vmId: string): Promise<{ page: string; last: string }> {
  const last = await until("what came of it to be told", async () => {
    // Asked for by the VM's id, the activity is that of the host that has it now
    const entries = await call(server, "get_activity", { actions: ["migrate_vm"], limit: 10 });
    return entries.find(({ vmId: of, message }) => of === vmId && message?.includes(" runs on "))?.message;
  }, { seconds: 20 });
  const page = await (await fetch(`${server.url}/tasks`)).text();
  return { page: page.replaceAll(/<[^>]+>/g, ""), last };
}

Deno.test({
  name: "a VM whose move ends without its last answer is on exactly one host",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    await using folder = await testFolder();
    const { from, to } = hosts;
    for (const { server } of [from, to]) {
      await call(server, "create_storage_pool", { name: "shared", type: "dir", path: folder.path });
    }
    const ranTwice = new Set<string>();
    for (const kind of VMS) {
      for (const [killed, kill] of Object.entries(KILLED)) {
        const went = await t.step(`${kind}; ${killed} is killed`, async () => {
          const isPaused = kind.endsWith("paused"), state = isPaused ? "paused" : "running";
          const image = `${crypto.randomUUID()}.qcow2`;
          let path = `${folder.path}/${image}`;
          if (kind === "copied disks") path = await randomImage(from, image, 8);
          if (kind === "shared disks") await run(["qemu-img", "create", "-q", "-f", "qcow2", path, "16M"]);
          const { name, uuid: vmId } = await from.libvirt.machine({
            start: true,
            disks: kind.startsWith("no disks") ? [] : [{ path, format: "qcow2", bus: "virtio" }],
          });
          if (isPaused) await from.libvirt.virsh("suspend", name);
          await shows(from.server, vmId, (vm) => vm.state === state);
          for (const { server } of [from, to]) await call(server, "refresh_storage_pool", { pool: "shared" });
          const { id: scheduleId } = await call(from.server, "create_schedule", {
            name,
            action: "stop",
            frequency: "daily",
            time: "22:00",
            targets: { vmIds: [vmId] },
          });

          const line = await loseLastAnswer(to.libvirt, () => kill(hosts));
          const asked = call(from.server, "migrate_vm", { vmId, toHost: "there", keepDisks: true })
            .then((answer) => ({ code: "moved", text: answer.warnings.join(" ") }), (error) => {
              if (!(error instanceof CallError)) return { code: "cut", text: "" };
              const { code, message: text } = error.body as { code: string; message: string };
              return { code, text };
            });
          await line.lost;
          const { code, text } = await asked;
          await line[Symbol.asyncDispose]();
          for (const host of [from, to]) if (!await host.answers()) await host.startServer();
          await until(
            "all to be settled",
            () => Promise.resolve(from.open().length + to.open().length === 0),
            { seconds: 90 },
          );

          // It is on one host, as it was
          assert.deepEqual([await from.vms(), await to.vms()], [[], [name]]);
          assert.deepEqual([await from.libvirt.qemuOf(name), await to.libvirt.virsh("domstate", name)], [
            null,
            state,
          ]);
          assert.deepEqual([await from.left(), await to.left()], ["", ""]);
          // Whoever asked is told as far as it is known, and the page once it is
          let last = "";
          if (killed === "no KVM Manager") {
            assert.equal(code, "moved", text);
            assert.match(text, /last answer of there was lost/);
            const schedules = await call(to.server, "list_schedules");
            assert.equal(schedules.some((each) => each.name === name), true);
          } else {
            assert.equal(code, killed.endsWith("source") ? "cut" : "LinkedHostAway", text);
            const said = await told(from, vmId);
            last = said.last;
            assert.match(last, /The VM runs on there\..*last answer of there was lost/);
            assert.match(last, new RegExp(`schedule ${name}.*Set it up there`));
            assert.ok(said.page.includes("The VM runs on there."), said.page);
          }
          if (/ran on both hosts/.test(`${text}${last}`)) ranTwice.add(kind);
          await shows(to.server, vmId, (vm) => vm.state === state);

          await to.libvirt.virsh("destroy", name);
          if (kind === "copied disks") {
            await run(["qemu-img", "compare", "-q", `${from.images}/${image}`, `${to.images}/${image}`]);
          }
          await to.libvirt.virsh("undefine", name);
          await call(from.server, "delete_schedule", { scheduleId }).catch((error) =>
            assert.equal(error.body?.code, "ScheduleNotFound")
          );
          await from.linked();
        });
        // What fails leaves hosts as no other step wants them
        assert.ok(went, `${kind}; ${killed}`);
      }
    }
    // libvirt did let both go on: without that, the test would show nothing
    assert.deepEqual([ranTwice.has("copied disks"), ranTwice.has("no disks")], [true, true]);
  },
});
