/** import_foreign_vm() cut short: cancelled or killed in the middle, it leaves nothing, and can be done again. */
import assert from "node:assert/strict";
import type { Job } from "../../lib/contract/jobs.ts";
import type { Input } from "../../lib/contract/mod.ts";
import { claimedVm } from "../testbed/claimed_vm.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { run } from "../testbed/process.ts";
import { call, readyServer, refused } from "../testbed/product.ts";
import { requirement } from "../testbed/skip.ts";
import { until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
/** MiB of noise on the disk: converting it takes a while anywhere. */
const SIZE = 256, MIB = 2 ** 20;

async function filesIn({ path }: TestPool): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(path))).map(({ name }) => name).sort();
}

Deno.test({
  name: "import_foreign_vm() leaves nothing behind when it is cancelled or killed, and can be done again",
  ignore,
  fn: async (t) => {
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    const folder = await Deno.makeTempDir({ prefix: "kvmm-test-foreignjob-" });
    await using pool = await testPool("foreignjob");
    await using vm = await claimedVm("foreignjob");
    const disk = `${folder}/vm-100-disk-0.raw`;
    {
      using file = await Deno.open(disk, { write: true, create: true });
      const piece = new Uint8Array(MIB);
      for (let written = 0; written < SIZE; written++) {
        for (let at = 0; at < MIB; at += 65536) crypto.getRandomValues(piece.subarray(at, at + 65536));
        await file.write(piece);
      }
    }
    await Deno.writeTextFile(
      `${folder}/100.conf`,
      "memory: 128\nostype: l26\nvirtio0: local:100/vm-100-disk-0.raw\n",
    );
    const wish: Input<"import_foreign_vm"> = {
      kind: "proxmox",
      origin: folder,
      name: vm.name,
      targetPool: pool.name,
      nics: [],
    };
    const begun = async () => (await filesIn(pool)).some((name) => name.startsWith(`${vm.name}-disk1`));
    const wait = { seconds: 60, every: 5 };
    try {
      {
        await using server = await readyServer({ dataDir });
        await t.step("cancelled", async () => {
          const over = refused(call(server, "import_foreign_vm", wish), "JobCancelled");
          await until("it to begin", begun, wait);
          const [job] = await call(server, "list_jobs", { open: true });
          await call(server, "cancel_job", { jobId: job!.id });
          await over;
          assert.deepEqual(await filesIn(pool), []);
        });
        await t.step("of two of one name at once, one is made", async () => {
          // Two that are the same would be one.
          const both = await Promise.allSettled(
            [128, 129].map((memoryMb) => call(server, "import_foreign_vm", { ...wish, memoryMb })),
          );
          const made = both.flatMap((each) => each.status === "fulfilled" ? [each.value] : []);
          assert.equal(made.length, 1, JSON.stringify(both));
          await call(server, "delete_vm", { vmId: made[0]!.vmId, deleteDisks: true });
          assert.deepEqual(await filesIn(pool), []);
        });
        await t.step("one that is larger than allowed is refused at once", async () => {
          await Deno.copyFile(disk, `${folder}/kept`);
          await Deno.truncate(disk, 15 * 2 ** 40);
          await refused(call(server, "import_foreign_vm", wish), "ImageTooLarge");
          await Deno.rename(`${folder}/kept`, disk);
          assert.deepEqual(await filesIn(pool), []);
        });
        await t.step("killed", async () => {
          const asked = call(server, "import_foreign_vm", wish).catch(() => "cut off");
          await until("it to begin", begun, wait);
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
        assert.deepEqual(await filesIn(pool), []);
        const made = await call(server, "import_foreign_vm", wish);
        await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", disk, made.disks[0]!.path]);
      });
    } finally {
      await Deno.remove(dataDir, { recursive: true });
      await Deno.remove(folder, { recursive: true });
    }
  },
});
