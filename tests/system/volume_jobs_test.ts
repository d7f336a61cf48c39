/** clone_volume, convert_volume and wipe_volume as jobs: progress, cancelling, refusals, nothing left behind. */
import assert from "node:assert/strict";
import type { Job } from "../../lib/contract/mod.ts";
import { virsh } from "../testbed/libvirt.ts";
import { testMachine } from "../testbed/machine.ts";
import { freeze, thaw } from "../testbed/pid.ts";
import { filesOf } from "../testbed/names.ts";
import { testPool } from "../testbed/pool.ts";
import { exists, run } from "../testbed/process.ts";
import { call, EventLog, known, readyServer, refused } from "../testbed/product.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { slowStorage } from "../testbed/slow_storage.ts";
import { until } from "../testbed/wait.ts";
import { skippedUnlessRoot } from "../testbed/skipped_unless.ts";

const ignore = await requirement("qemu", "slowStorage") !== null;
const MIB = 2 ** 20;
/** Megabytes of content, and how many are written in a second: a copy can be seen while it is made. */
const SIZE = 96, RATE = 96;

/** An image full of what is neither zeros nor compressed away. */
async function full(path: string, format: "qcow2" | "raw", megabytes = SIZE): Promise<void> {
  await run(["qemu-img", "create", "-q", "-f", format, path, `${megabytes}M`]);
  await run(["qemu-io", "-f", format, "-c", `write -q -P 0x5a 0 ${megabytes}M`, path]);
}

const imageInfo = async (path: string): Promise<Record<string, unknown>> =>
  JSON.parse(await run(["qemu-img", "info", "-U", "--output=json", path]));

/** The one open job, as soon as it has done something. */
const underWay = (server: TestServer) =>
  until<Job>("the job to have done something", async () => {
    const [job] = await call(server, "list_jobs", { open: true });
    return (job?.doneBytes ?? 0) > 0 ? job : undefined;
  }, { seconds: 30, every: 10 });

/** Holds the program that writes a file where it is: a fast disk would be done with it while the test looks. */
async function held(path: string): Promise<AsyncDisposable> {
  const pid = Number((await run(["pgrep", "--newest", "--full", `qemu-img.*${path}`])).trim());
  await freeze(pid);
  return { [Symbol.asyncDispose]: () => thaw(pid) };
}

/** A job's progress only rises, and ends with all of it. */
async function rises(events: EventLog): Promise<void> {
  await events.waitFor("job-changed", ({ job }) => job.state === "done");
  const seen = events.of("job-progress").map(({ job }) => job.progress ?? 0);
  assert.deepEqual(seen, seen.toSorted((a, b) => a - b), "it only rises");
  assert.equal(events.of("job-changed").at(-1)?.job.progress, 1);
}

Deno.test({
  name: "volumes are copied, converted and wiped as jobs",
  ignore,
  fn: async (t) => {
    await using pool = await testPool("voljobs");
    // A file system that shares blocks copies a gigabyte in no time
    await using _slow = await slowStorage(filesOf(pool.name), { path: pool.path, writeRate: RATE });
    const path = (name: string) => `${pool.path}/${name}`;
    await full(path("a.raw"), "raw");
    await full(path("b.qcow2"), "qcow2");
    await virsh("pool-refresh", pool.name);
    await using server = await readyServer();
    const at = (volume: string) => ({ pool: pool.name, volume });
    const list = async () => {
      await virsh("pool-refresh", pool.name);
      return await virsh("vol-list", pool.name);
    };

    await t.step("clone_volume() of raw content tells how far it is, and keeps holes", async () => {
      await run(["truncate", "-s", `${SIZE + 500}M`, path("a.raw")]);
      await virsh("pool-refresh", pool.name);
      await using events = await EventLog.open(server);
      const copy = await call(server, "clone_volume", { ...at("a.raw"), name: "copy.raw" });
      assert.deepEqual([copy.format, copy.capacityBytes], ["raw", (SIZE + 500) * MIB]);
      await rises(events);
      await run(["qemu-img", "compare", "-f", "raw", "-F", "raw", path("a.raw"), copy.path]);
      const { blocks, mode } = await Deno.stat(copy.path);
      assert.ok(blocks! * 512 < (SIZE + 100) * MIB, `it takes ${blocks! * 512} bytes`);
      assert.equal(mode! & 0o777, 0o600);
    });
    await t.step("convert_volume() raw → qcow2 → raw keeps the content", async () => {
      await using events = await EventLog.open(server);
      const image = await call(server, "convert_volume", {
        ...at("a.raw"),
        name: "c.qcow2",
        format: "qcow2",
      });
      assert.equal(image.format, "qcow2");
      await rises(events);
      assert.equal((await imageInfo(image.path)).format, "qcow2");
      await run(["qemu-img", "compare", "-f", "raw", "-F", "qcow2", path("a.raw"), image.path]);
      const raw = await call(server, "convert_volume", { ...at("c.qcow2"), name: "d.raw", format: "raw" });
      await run(["qemu-img", "compare", "-f", "raw", "-F", "raw", path("a.raw"), raw.path]);
      const [job] = await call(server, "list_jobs");
      assert.deepEqual([job?.command, job?.title, job?.subject], [
        "convert_volume",
        `Convert c.qcow2 of ${pool.name} to raw: d.raw`,
        `${pool.name}/d.raw`,
      ]);
      for (const name of ["c.qcow2", "d.raw", "copy.raw"]) await call(server, "delete_volume", at(name));
    });
    await t.step("convert_volume() refuses what is so already, and names that are taken", async () => {
      await refused(
        call(server, "convert_volume", { ...at("a.raw"), name: "x.raw", format: "raw" }),
        "InvalidInput",
        /the volume is raw already/,
      );
      await refused(
        call(server, "convert_volume", { ...at("a.raw"), name: "b.qcow2", format: "qcow2" }),
        "VolumeExists",
      );
      await refused(
        server.call("convert_volume", { ...at("a.raw"), name: "x.vmdk", format: "vmdk" }),
        "InvalidInput",
      );
    });
    for (
      const [what, command, input] of [
        ["raw → raw", "clone_volume", { ...at("a.raw"), name: "x.raw" }],
        ["qcow2 → raw", "convert_volume", { ...at("b.qcow2"), name: "x.raw", format: "raw" }],
      ] as const
    ) {
      await t.step(`${command}() ${what}, cancelled in the middle, leaves nothing`, async () => {
        const before = await list();
        const asked = refused(server.call(command, input), "JobCancelled");
        asked.catch(() => {/* looked at below, if it comes to that */});
        const job = await underWay(server);
        {
          await using _held = await held(path("x.raw"));
          await refused(
            call(server, "stop_storage_pool", { pool: pool.name }),
            "StorageBusy",
            /x\.raw|a\.raw|b\./,
          );
          await refused(call(server, "delete_volume", at(input.volume)), "StorageBusy");
        }
        await call(server, "cancel_job", { jobId: job.id });
        await asked;
        assert.equal((await call(server, "get_job", { jobId: job.id })).job.state, "cancelled");
        assert.equal(await list(), before);
        assert.equal(await exists(path("x.raw")), false);
      });
    }
    await t.step("wipe_volume() writes zeros over all of it, and can be cancelled", async () => {
      await full(path("w.raw"), "raw");
      await virsh("pool-refresh", pool.name);
      const asked = refused(call(server, "wipe_volume", at("w.raw")), "JobCancelled");
      await call(server, "cancel_job", { jobId: (await underWay(server)).id });
      await asked;
      assert.equal((await Deno.stat(path("w.raw"))).size, SIZE * MIB);
      await using events = await EventLog.open(server);
      await call(server, "wipe_volume", at("w.raw"));
      await rises(events);
      await run(["cmp", "-n", String(SIZE * MIB), path("w.raw"), "/dev/zero"]);
      // With holes libvirt makes it one hole: its size stays.
      await run(["truncate", "-s", `${SIZE + 100}M`, path("w.raw")]);
      await virsh("pool-refresh", pool.name);
      await call(server, "wipe_volume", at("w.raw"));
      assert.equal((await Deno.stat(path("w.raw"))).size, (SIZE + 100) * MIB);
      // A qcow2 is no image any more.
      await run(["qemu-img", "create", "-q", "-f", "qcow2", path("small.qcow2"), "1M"]);
      await virsh("pool-refresh", pool.name);
      await call(server, "wipe_volume", at("small.qcow2"));
      assert.ok((await Deno.readFile(path("small.qcow2"))).every((byte) => byte === 0));
    });
    await t.step("formats that name other files are not copied", async () => {
      await run(["qemu-img", "create", "-q", "-f", "vmdk", path("v.vmdk"), "1M"]);
      await virsh("pool-refresh", pool.name);
      await refused(
        call(server, "clone_volume", { ...at("v.vmdk"), name: "x.raw" }),
        "DiskRefused",
        /its format is vmdk/,
      );
    });
    await t.step("a pool that vanishes in the middle fails the job, and nothing is left", async () => {
      const asked = call(server, "clone_volume", { ...at("a.raw"), name: "x.raw" }).catch((error) => error);
      await underWay(server);
      await virsh("pool-destroy", pool.name);
      try {
        assert.ok(await asked instanceof Error);
        const [job] = await call(server, "list_jobs");
        assert.equal(job?.state, "failed");
        assert.equal(await exists(path("x.raw")), false);
      } finally {
        await virsh("pool-start", pool.name);
      }
    });
  },
});

Deno.test({
  name: "convert_volume() and wipe_volume() are refused while a running VM writes to the volume",
  ignore,
  fn: async () => {
    await using pool = await testPool("voljobuse");
    await using vm = await testMachine({ purpose: "voljobuse", guest: false, disks: [{ pool }] });
    await using server = await readyServer();
    await known(server, vm.uuid);
    const volume = (await call(server, "get_volumes", { pool: pool.name }))[0]!.name;
    const at = { pool: pool.name, volume };
    const inUse = `Volume is used by ${vm.name}: ${volume} (storage pool ${pool.name})`;
    await refused(call(server, "wipe_volume", at), "VolumeInUse", inUse);
    await call(server, "start_vm", { vmId: vm.uuid });
    await refused(call(server, "convert_volume", { ...at, name: "x", format: "raw" }), "VolumeInUse", inUse);
    await call(server, "force_stop_vm", { vmId: vm.uuid });
    const raw = await call(server, "convert_volume", { ...at, name: "off.raw", format: "raw" });
    assert.equal((await imageInfo(raw.path)).format, "raw");
  },
});

Deno.test({
  name: "a disk that is full in the middle of a copy fails it, and gives its space back (fault 8)",
  ignore: ignore || skippedUnlessRoot(),
  fn: async (t) => {
    await using pool = await testPool("voljobfull");
    await using server = await readyServer();
    await run(["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", pool.path]);
    try {
      // Compressed, it takes little, and a copy of it takes all: it fits when it begins.
      await full(`${pool.path}/full.raw`, "raw", 100);
      await run([
        ...["qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2"],
        ...[`${pool.path}/full.raw`, `${pool.path}/a.qcow2`],
      ]);
      await Deno.remove(`${pool.path}/full.raw`);
      await run(["fallocate", "-l", "340M", `${pool.path}/filler`]);
      await virsh("pool-refresh", pool.name);
      await call(server, "refresh_storage_pool", { pool: pool.name });
      const free = async () => Number((await run(["stat", "-f", "-c", "%f", pool.path])).trim());
      for (
        const [command, input] of [
          ["convert_volume", { volume: "a.qcow2", name: "x.raw", format: "raw" }],
          ["clone_volume", { volume: "a.qcow2", name: "x.qcow2" }],
        ] as const
      ) {
        await t.step(command, async () => {
          const before = await free();
          await refused(
            server.call(command, { pool: pool.name, ...input }),
            command === "clone_volume" ? "VolumeCloneFailed" : "VolumeConvertFailed",
            /No space left on device/,
          );
          assert.equal(await exists(`${pool.path}/${input.name}`), false);
          assert.equal(await free(), before);
        });
      }
    } finally {
      await run(["umount", "-l", pool.path]);
    }
  },
});
