/** migrate_vm() on bad days: both ways at once, twice at once, changed in the middle, no room, the link revoked. */
import assert from "node:assert/strict";
import { link, type MigrationHost, migrationHosts, randomImage } from "../testbed/migration_hosts.ts";
import { run } from "../testbed/process.ts";
import { call, refusal, refused, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;

/** A VM with random disks of some MiB. */
async function machineOn(host: MigrationHost, sizes: readonly number[], start = true) {
  const disks = [];
  for (const size of sizes) {
    const path = await randomImage(host, `${crypto.randomUUID()}.qcow2`, size);
    disks.push({ path, format: "qcow2" as const, bus: "virtio" as const });
  }
  const { name, uuid: vmId } = await host.libvirt.machine({ start, disks });
  await shows(host.server, vmId, ({ state }) => state === (start ? "running" : "stopped"));
  return { name, vmId };
}

/** Marks a promise as handled: a later failure is reported by the code that awaits it. */
function given<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {/* told by whoever waits for it */});
  return promise;
}

/** Waits until a move is so far. */
const isUnderWay = ({ server }: MigrationHost, vmId: string, bytes = 1) =>
  until(
    "the move to be under way",
    async () =>
      (await call(server, "list_jobs", { open: true })).find((job) =>
        job.command === "migrate_vm" && job.vmId === vmId && (job.doneBytes ?? 0) >= bytes
      ),
    { seconds: 60, every: 50 },
  );

Deno.test({
  name: "moves on bad days leave each VM on exactly one host, and nothing behind",
  ignore,
  fn: async (t) => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    /** Runs a step. If one fails, it leaves the hosts in a state that no other step can start from. */
    const step = async (what: string, work: () => Promise<void>) => assert.ok(await t.step(what, work), what);
    /** The VM is where it was, can be used at once, and nothing of the move is left. */
    const stayed = async (host: MigrationHost, other: MigrationHost, name: string, state: string) => {
      assert.equal(await host.libvirt.virsh("domstate", name), state);
      assert.equal((await other.vms()).includes(name), false);
      await until("all to be settled", () => Promise.resolve(from.open().length + to.open().length === 0));
      assert.deepEqual([await from.left(), await to.left()], ["", ""]);
    };

    await step("both ways at once", async () => {
      const a = await machineOn(from, [16]), b = await machineOn(to, [16]);
      await Promise.all([
        call(from.server, "migrate_vm", { vmId: a.vmId, toHost: "there" }),
        call(to.server, "migrate_vm", { vmId: b.vmId, toHost: "there" }),
      ]);
      assert.deepEqual([await from.vms(), await to.vms()], [[b.name], [a.name]]);
      await stayed(from, to, b.name, "running");
      await dispose(from, b.name, false);
      await dispose(to, a.name, false);
    });

    for (const isOff of [false, true]) {
      const state = isOff ? "shut off" : "running", what = isOff ? "off" : "running";
      await step(`twice at once, renamed, deleted and snapshotted in the middle: ${what}`, async () => {
        const { name, vmId } = await machineOn(from, [48], !isOff);
        const wish = { vmId, toHost: "there", bandwidthMib: 4 };
        const moving = given(refusal(call(from.server, "migrate_vm", wish)));
        const job = await isUnderWay(from, vmId);
        // The very same call would wait for the first one, and give its answer
        await refused(call(from.server, "migrate_vm", { ...wish, bandwidthMib: 9 }), "VmBusy");
        const others = await Promise.all([
          refusal(call(from.server, "rename_vm", { vmId, name: "other" })),
          refusal(call(from.server, "delete_vm", { vmId })),
          refusal(call(from.server, "create_snapshot", { vmId, memory: false })),
        ]);
        const codes = others.map(({ code }) => code);
        // A VM that runs may be refused some of it for that
        if (isOff) assert.deepEqual(codes, ["VmBusy", "VmBusy", "VmBusy"]);
        else assert.equal(codes[2], "VmBusy");
        await call(from.server, "cancel_job", { jobId: job.id });
        assert.equal((await moving).code, "JobCancelled");
        await stayed(from, to, name, state);
        assert.deepEqual(await to.volumes(), []);
        await dispose(from, name, isOff);
      });

      await step(`the other host revokes the link in the middle: ${what}`, async () => {
        const { name, vmId } = await machineOn(from, [48], !isOff);
        const moving = given(
          refusal(call(from.server, "migrate_vm", { vmId, toHost: "there", bandwidthMib: 4 })),
        );
        await isUnderWay(from, vmId);
        const [peer] = await call(to.server, "list_peers");
        await call(to.server, "remove_peer", { peerId: peer!.id });
        const { code } = await moving;
        assert.ok(["MigrationFailed", "LinkedHostAway"].includes(code), code);
        await stayed(from, to, name, state);
        await until("what was made there to be gone", async () => (await to.volumes()).length === 0);
        // Nothing waits for an answer that never comes
        if (isOff) await call(from.server, "start_vm", { vmId });
        await call(from.server, "remove_host", { hostId: "there" });
        await link(from, to, "there");
        await dispose(from, name, false);
      });

      await step(`the pool there is full: ${what}`, async () => {
        const { name, vmId } = await machineOn(from, [48], !isOff);
        await to.libvirt.inside("mount", "-t", "tmpfs", "-o", "size=24M", "tmpfs", "/var/lib/libvirt/images");
        await to.libvirt.virsh("pool-refresh", "images");
        const { code, message } = await refusal(call(from.server, "migrate_vm", { vmId, toHost: "there" }));
        assert.ok(
          ["MigrationFailed", "DiskExceedsPool", "VmNotMovable"].includes(code),
          `${code}: ${message}`,
        );
        await stayed(from, to, name, state);
        await to.libvirt.inside("umount", "/var/lib/libvirt/images");
        await to.libvirt.virsh("pool-refresh", "images");
        await dispose(from, name, isOff);
      });
    }

    await step(
      "snapshotted by another program between two disks: it stays, with that snapshot",
      async () => {
        const { name, vmId } = await machineOn(from, [8, 40], false);
        const moving = given(
          refusal(call(from.server, "migrate_vm", { vmId, toHost: "there", bandwidthMib: 4 })),
        );
        await isUnderWay(from, vmId, 12 * 1024 ** 2);
        await from.libvirt.virsh(
          "snapshot-create-as",
          name,
          "late",
          "--diskspec",
          "vdb,snapshot=no",
          "--disk-only",
        );
        const { code, message } = await moving;
        assert.deepEqual([code, /its snapshots changed/.test(message)], ["MigrationFailed", true], message);
        await stayed(from, to, name, "shut off");
        assert.match(await from.libvirt.virsh("snapshot-list", name, "--name"), /late/);
        await until("what was made there to be gone", async () => (await to.volumes()).length === 0);
      },
    );
  },
});

async function dispose({ libvirt, images }: MigrationHost, name: string, isOff: boolean): Promise<void> {
  if (!isOff) await libvirt.virsh("destroy", name);
  await libvirt.virsh("undefine", name);
  await run(["sh", "-c", 'rm -f "$1"/*.qcow2', "sh", images]);
  await libvirt.virsh("pool-refresh", "images");
}
