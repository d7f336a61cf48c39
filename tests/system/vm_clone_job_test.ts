/** clone_vm() as a job: seen by others, with progress; cancelled, it leaves nothing. */
import assert from "node:assert/strict";
import type { Job } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { releaseName, testName } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, EventLog, known, readyServer, refused, shows } from "../testbed/product.ts";
import { removeDomain } from "../testbed/removal.ts";
import { until } from "../testbed/wait.ts";

/** Megabytes of content: enough for a copy to be seen while it is made. */
const SIZE = 700;

/** Fills a disk with what is neither zeros nor compressed away. */
const fill = (path: string, format: string) =>
  run(["qemu-io", "-f", format, "-c", `write -q -P 0x5a 0 ${SIZE}M`, path]);

async function cloneName(): Promise<{ name: string } & AsyncDisposable> {
  const name = await testName("jobcopy");
  return {
    name,
    [Symbol.asyncDispose]: async () => {
      await removeDomain(name);
      await releaseName(name);
    },
  };
}

Deno.test("clone_vm() is a job that everybody sees, with progress, and is cancelled with nothing left", async (t) => {
  await using server = await readyServer();
  await using pool = await testPool("clonejob");
  await using vm = await testMachine({ purpose: "clonejob", guest: false, disks: [{ pool }] });
  await known(server, vm.uuid);
  await run(["qemu-img", "resize", "-q", vm.disks[0]!, `${SIZE + 100}M`]);
  await fill(vm.disks[0]!, "qcow2");
  await virsh("pool-refresh", pool.name);
  const openJobs = () => call(server, "list_jobs", { open: true });

  await t.step("progress rises while it copies, and it is done when the answer is there", async () => {
    await using own = await cloneName();
    await using events = await EventLog.open(server);
    const clone = await call(server, "clone_vm", { vmId: vm.uuid, name: own.name });
    const ended = await events.waitFor("job-changed", ({ job }) => job.state === "done");
    const { job, log } = await call(server, "get_job", { jobId: ended.data.job.id });
    assert.deepEqual(
      [job.command, job.title, job.vmId, job.progress, job.error],
      ["clone_vm", `Clone ${vm.name} to ${own.name}`, vm.uuid, 1, null],
    );
    assert.ok(job.totalBytes! >= SIZE * 2 ** 20, `${job.totalBytes} bytes`);
    assert.match(log[0]!.text, /^Copying vda: /);
    assert.deepEqual(events.of("job-changed").map(({ job }) => job.state), ["running", "done"]);
    const seen = events.of("job-progress").map(({ job }) => job.progress ?? 0);
    assert.deepEqual(seen, seen.toSorted((a, b) => a - b), "it only rises");
    assert.equal(await virsh("domuuid", own.name), clone.vmId);
  });

  await t.step("cancelled in the middle: no volume, no machine, and the original is free", async () => {
    await using own = await cloneName();
    const before = await virsh("vol-list", pool.name);
    const asked = refused(call(server, "clone_vm", { vmId: vm.uuid, name: own.name }), "JobCancelled");
    const job = await until<Job>("the copy to grow", async () => {
      const [found] = await openJobs();
      const volumes = await virsh("vol-list", pool.name);
      return volumes.includes(`${own.name}-vda`) ? found : undefined;
    }, { seconds: 20, every: 10 });
    await call(server, "cancel_job", { jobId: job.id });
    await asked;
    assert.equal((await call(server, "get_job", { jobId: job.id })).job.state, "cancelled");
    await virsh("pool-refresh", pool.name);
    assert.equal(await virsh("vol-list", pool.name), before);
    assert.equal((await virsh("list", "--all", "--name")).includes(own.name), false);
    await shows(server, vm.uuid, ({ operation }) => operation === undefined);
    await refused(call(server, "cancel_job", { jobId: job.id }), "JobOver");
  });

  await t.step("what cannot be cloned makes no job", async () => {
    const before = (await call(server, "list_jobs")).length;
    await refused(call(server, "clone_vm", { vmId: vm.uuid, name: vm.name }), "VmNameExists");
    assert.equal((await call(server, "list_jobs")).length, before);
  });
  await t.step("no such job", async () => {
    await refused(call(server, "get_job", { jobId: "nothing" }), "JobNotFound", "Job not found: nothing");
    await refused(call(server, "cancel_job", { jobId: "nothing" }), "JobNotFound");
  });
});

Deno.test("clone_vm() that is cut off by the end of KVM Manager is taken back by the next run, and told", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
  await using pool = await testPool("clonecut");
  await using vm = await testMachine({ purpose: "clonecut", guest: false, disks: [{ pool }] });
  await using own = await cloneName();
  try {
    await run(["qemu-img", "resize", "-q", vm.disks[0]!, `${SIZE + 100}M`]);
    await fill(vm.disks[0]!, "qcow2");
    await virsh("pool-refresh", pool.name);
    const before = await virsh("vol-list", pool.name);
    {
      await using first = await readyServer({ dataDir });
      await known(first, vm.uuid);
      const asked = call(first, "clone_vm", { vmId: vm.uuid, name: own.name }).catch(() => "cut off");
      await until(
        "the copy to begin",
        () => exists(`${pool.path}/${own.name}-vda.qcow2`),
        { seconds: 30, every: 5 },
      );
      await first.kill();
      assert.equal(await asked, "cut off");
    }
    await using second = await readyServer({ dataDir });
    const job = await until("the job to be settled", async () => {
      const [found] = await call(second, "list_jobs");
      return /What it had made was removed/.test(found?.error?.message ?? "") ? found : undefined;
    }, { seconds: 60 });
    assert.equal(job.state, "interrupted");
    // libvirtd had gone on copying for a caller that is gone.
    await virsh("pool-refresh", pool.name);
    assert.equal(await virsh("vol-list", pool.name), before);
    await until("the activity list to tell", async () => {
      const entries = await call(second, "get_activity", { limit: 500 });
      return entries.some(({ action, message = "" }) =>
        action === "clone_vm" && message.includes("KVM Manager ended in the middle")
      );
    });
    await call(second, "clone_vm", { vmId: vm.uuid, name: own.name });
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});
