/** import_ova() and export_ova() cut short: cancelled or killed in the middle, they leave nothing. */
import assert from "node:assert/strict";
import { claimedVm } from "../testbed/claimed_vm.ts";
import type { Job } from "../../lib/contract/jobs.ts";
import { virsh } from "../testbed/libvirt.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, known, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
const MIB = 2 ** 20;
/** MiB of noise on the disk: packing and unpacking it takes a while anywhere. */
const SIZE = 192;

async function filesIn({ path }: TestPool): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
}

/** Writes a disk that does not compress. */
async function noise(pool: TestPool): Promise<string> {
  const path = `${pool.path}/noise.raw`;
  using file = await Deno.open(path, { write: true, create: true });
  const piece = new Uint8Array(MIB);
  for (let written = 0; written < SIZE; written++) {
    for (let at = 0; at < MIB; at += 65536) crypto.getRandomValues(piece.subarray(at, at + 65536));
    await file.write(piece);
  }
  await virsh("pool-refresh", pool.name);
  return path;
}

Deno.test({
  name: "import_ova() and export_ova() leave nothing behind when they are cancelled or killed",
  ignore,
  fn: async (t) => {
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    await using pool = await testPool("ovajob");
    await using original = await claimedVm("ovajob");
    await using copy = await claimedVm("ovajob");
    const archive = `${original.name}.ova`;
    const disk = await noise(pool);
    const begun = (part: RegExp) => async () => (await filesIn(pool)).some((name) => part.test(name));
    try {
      let id = "";
      {
        await using server = await readyServer({ dataDir });
        const disks = [{ path: disk, format: "raw" as const }];
        ({ id } = await call(server, "create_vm", { name: original.name, memoryMb: 128, nics: [], disks }));
        await known(server, id);
        const clean = await filesIn(pool);
        const cancelled = async (asked: Promise<unknown>, part: RegExp) => {
          const over = refused(asked, "JobCancelled");
          await until("it to begin", begun(part), { seconds: 60, every: 5 });
          const [job] = await call(server, "list_jobs", { open: true });
          await call(server, "cancel_job", { jobId: job!.id });
          await over;
        };

        await t.step("an export that is cancelled", async () => {
          await cancelled(call(server, "export_ova", { vmId: id, pool: pool.name }), /\.part$/);
          assert.deepEqual(await filesIn(pool), clean);
        });
        await t.step("an import that is cancelled", async () => {
          await call(server, "export_ova", { vmId: id, pool: pool.name });
          const wish = { pool: pool.name, volume: archive, name: copy.name };
          await cancelled(call(server, "import_ova", wish), new RegExp(`^${copy.name}-disk1`));
          assert.deepEqual(await filesIn(pool), [...clean, archive].sort());
        });
        await t.step("what is exported, imported or held is kept from change meanwhile", async () => {
          const wish = { pool: pool.name, volume: archive, name: copy.name };
          const asked = call(server, "import_ova", wish);
          await until("it to begin", begun(new RegExp(`^${copy.name}-disk1`)), { seconds: 60, every: 5 });
          await refused(call(server, "delete_volume", { pool: pool.name, volume: archive }), "StorageBusy");
          const { vmId, disks: [made] } = await asked;
          await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", disk, made!.path]);
          await call(server, "delete_vm", { vmId, deleteDisks: true });
          assert.deepEqual(await filesIn(pool), [...clean, archive].sort());
        });
        await t.step("an import that is killed", async () => {
          const wish = { pool: pool.name, volume: archive, name: copy.name };
          const asked = call(server, "import_ova", wish).catch(() => "cut off");
          await until("it to begin", begun(new RegExp(`^${copy.name}-disk1`)), { seconds: 60, every: 5 });
          await server.kill();
          assert.equal(await asked, "cut off");
        });
      }
      await t.step("is taken back by the next run, and can be done again", async () => {
        await using server = await readyServer({ dataDir });
        await until<Job>("the job to be settled", async () => {
          const [found] = await call(server, "list_jobs");
          return /What it had made was removed/.test(found?.error?.message ?? "") ? found : undefined;
        }, { seconds: 60 });
        assert.deepEqual(await filesIn(pool), [archive, "noise.raw"].sort());
        const made = await call(server, "import_ova", { pool: pool.name, volume: archive, name: copy.name });
        await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", disk, made.disks[0]!.path]);
      });
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});
