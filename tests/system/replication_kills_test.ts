/**
 * Unplanned switch-overs at random moments: the whole source – QEMU, KVM Manager and libvirtd – is killed while its guest writes
 * and increments go on, now and then with the KVM Manager of the other host. The VM that is made of the replica boots, and has
 * everything that was written up to the last increment that was whole. `KVMM_KILLS=50` sets how many, `KVMM_KILL_SEED` the moments.
 */
import assert from "node:assert/strict";
import { type MigrationHost, migrationHosts } from "../testbed/migration_hosts.ts";
import { guestRuns } from "../testbed/migration_guest.ts";
import { run } from "../testbed/process.ts";
import { call, known, shows } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;
const KILLS = Number(Deno.env.get("KVMM_KILLS") ?? 4), SEED = Number(Deno.env.get("KVMM_KILL_SEED") ?? 1);
/** Milliseconds in which the source is killed. */
const SPAN_MS = 9000;
const MIB = 1024 ** 2;

/**
 * Writes numbered records for ever: at 1 MiB of the disk the newest number, before that its block of 64 KiB, each synced. So the
 * block of each number up to the newest one that is seen must be there.
 */
const WRITER = [
  "n=0; while true; do n=$((n+1));",
  'yes "record $n" | head -c 65536 | dd of=/dev/vda bs=65536 seek=$((32 + n % 256)) conv=notrunc,fsync 2>/dev/null;',
  "printf '%-512s' $n | dd of=/dev/vda bs=512 seek=2048 conv=notrunc,fsync 2>/dev/null;",
  "done",
].join(" ");

/** Starts the writer, which goes on until the guest ends. */
async function startWriter(host: MigrationHost, name: string): Promise<void> {
  const line = `setsid sh -c '${WRITER.replaceAll("'", "'\\''")}' >/dev/null 2>&1 </dev/null &`;
  await guestRuns(host, name, line);
}

/** The number of the newest record on a disk. */
async function newest(raw: string): Promise<number> {
  using file = await Deno.open(raw);
  await file.seek(MIB, Deno.SeekMode.Start);
  const bytes = new Uint8Array(16);
  await file.read(bytes);
  return Number(new TextDecoder().decode(bytes).trim());
}

/** Looks whether every record up to the newest is on a disk. @returns the newest */
async function whole(image: string): Promise<number> {
  const raw = await Deno.makeTempFile();
  try {
    await run(["qemu-img", "check", "-q", image]).catch((error) => {
      // Leaks are no damage
      if (!/leaked/.test(String(error))) throw error;
    });
    await run(["qemu-img", "convert", "-U", "-O", "raw", image, raw]);
    const last = await newest(raw);
    using file = await Deno.open(raw);
    const block = new Uint8Array(65536);
    for (let n = Math.max(1, last - 254); n <= last; n++) {
      await file.seek(65536 * (32 + n % 256), Deno.SeekMode.Start);
      await file.read(block);
      const lines = new TextDecoder().decode(block).split("\n").slice(0, -1);
      assert.ok(lines.every((line) => line === `record ${n}`), `record ${n} of ${last}: ${lines[0]}`);
    }
    return last;
  } finally {
    await Deno.remove(raw);
  }
}

/** Starts again what was killed on the source, without its VM. */
async function revive(from: MigrationHost, name: string): Promise<void> {
  await from.libvirt.start();
  await from.startServer();
  await until(
    "the VM to be known as off",
    async () => await from.libvirt.virsh("domstate", name) === "shut off",
  );
}

Deno.test({
  name:
    `${KILLS} unplanned switch-overs at random moments: each replica boots, with everything of its last increment`,
  ignore,
  fn: async () => {
    await using hosts = await migrationHosts();
    const { from, to } = hosts;
    // What was killed is started again whatever happens: else nothing is taken down
    await using _revived = {
      [Symbol.asyncDispose]: async () => {
        if (await from.libvirt.pid() === null) await from.libvirt.start();
        for (const host of [from, to]) if (!await host.answers()) await host.startServer();
      },
    };
    for (let n = 0; n < KILLS; n++) {
      const image = `disk-${n}.qcow2`;
      await run(["qemu-img", "create", "-q", "-f", "qcow2", `${from.images}/${image}`, "64M"]);
      await from.libvirt.virsh("pool-refresh", "images");
      const vm = await from.libvirt.machine({
        guest: true,
        start: true,
        serial: "pty",
        disks: [{ path: `/var/lib/libvirt/images/${image}`, format: "qcow2", bus: "virtio" }],
      });
      const { uuid: vmId, name } = vm;
      await vm.waitForBoot({ seconds: 120 });
      await known(from.server, vmId);
      await shows(from.server, vmId, ({ guestAgent }) => guestAgent === "connected", { seconds: 90 });
      await startWriter(from, name);
      const { id: replicationId } = await call(from.server, "create_replication", { vmId, toHost: "there" });
      await until("the first copy", async () => {
        const found = (await call(from.server, "list_replications")).find(({ id }) => id === replicationId);
        assert.notEqual(found?.lastRun?.state, "failed", JSON.stringify(found));
        return typeof found?.takenAt === "number" && !found.running;
      }, { seconds: 90 });
      // The number that the guest had written before each increment was begun: what is whole has it
      const written: { readonly number: number; readonly takenAt: number }[] = [];
      let isOver = false;
      const increments = (async () => {
        while (!isOver) {
          const number = Number(
            (await guestRuns(from, name, "dd if=/dev/vda bs=512 skip=2048 count=1 iflag=direct 2>/dev/null"))
              .replaceAll("\0", "").trim(),
          );
          await call(from.server, "replicate_now", { replicationId });
          const [replica] = (await call(to.server, "list_replicas")).filter(({ id }) => id === replicationId);
          written.push({ number, takenAt: replica!.takenAt! });
        }
      })().catch(() => {/* the source was killed */});
      const afterMs = ((n + 1) * SEED * 0.6180339) % 1 * SPAN_MS;
      await delay(afterMs);
      const withTarget = n % 3 === 2;
      if (withTarget) to.killServer();
      from.killServer();
      Deno.kill((await from.libvirt.qemuOf(name))!, "SIGKILL");
      await from.libvirt.kill();
      isOver = true;
      // virsh of a libvirtd that was killed may wait for ever
      await Promise.race([increments, delay(5000)]);
      if (withTarget) await to.startServer();
      const replica = await until(
        "the replica to be known",
        async () => (await call(to.server, "list_replicas")).find(({ id }) => id === replicationId) ?? null,
      );
      const plan = await until("nothing to be under way", async () => {
        const found = await call(to.server, "get_switch_over_plan", { replicaId: replicationId });
        return found.possible ? found : null;
      }, { seconds: 60 });
      assert.ok(plan.lostSeconds !== null && plan.lostSeconds < 600);
      const promoted = await call(to.server, "promote_replica", { replicaId: replicationId, start: false });
      const [volume] = await to.volumes();
      const last = await whole(`${to.images}/${volume}`);
      // Whole increments are in it
      const least = written.filter(({ takenAt }) => takenAt <= promoted.takenAt).at(-1)?.number ?? 0;
      assert.ok(
        last >= least,
        `${last} on the disk, and ${least} were written before the last whole increment`,
      );
      assert.equal(promoted.takenAt >= (written.at(-1)?.takenAt ?? 0), true);
      await call(to.server, "start_vm", { vmId });
      await shows(to.server, vmId, ({ guestAgent }) => guestAgent === "connected", { seconds: 120 });
      // The old side learns it
      await revive(from, name);
      await from.linked();
      await until("the source to know that it is no longer the owner", async () => {
        const found = (await call(from.server, "list_replications")).find(({ id }) => id === replicationId);
        if (found?.state !== "lost") {
          await call(from.server, "replicate_now", { replicationId }).catch(() => {});
        }
        return found?.state === "lost";
      }, { seconds: 60 });
      console.error(
        `${n + 1}: killed after ${Math.round(afterMs)} ms${
          withTarget ? ", with the other KVM Manager" : ""
        }:`,
        `${written.length} increments, record ${last}, at least ${least}; ${replica.vmName}`,
      );
      await call(from.server, "delete_replication", { replicationId, reclaim: true, keepReplica: true });
      await to.libvirt.virsh("destroy", name);
      await to.libvirt.virsh("undefine", name);
      await Deno.remove(`${to.images}/${volume}`);
      await call(to.server, "delete_replica", { replicaId: replicationId });
      await from.libvirt.virsh("undefine", name);
      await Deno.remove(`${from.images}/${image}`);
      assert.deepEqual([...from.open(), ...to.open()], []);
    }
  },
});
