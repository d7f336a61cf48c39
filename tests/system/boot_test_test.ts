/** Boot tests of backups: real guests that come up, and some that do not; what is there meanwhile, and what stays. */
import assert from "node:assert/strict";
import { backupFolder, done, runOf } from "../testbed/backups.ts";
import { virsh, virshUnless } from "../testbed/libvirt.ts";
import { type TestMachine, testMachine } from "../testbed/machine.ts";
import { testNetwork } from "../testbed/network.ts";
import { type TestPool, testPool } from "../testbed/pool.ts";
import { call, known, readyServer, refusal, refused } from "../testbed/product.ts";
import { run } from "../testbed/process.ts";
import { testerHeaders } from "../testbed/sign_in.ts";
import type { TestServer } from "../testbed/server.ts";
import { requirement } from "../testbed/skip.ts";
import { parallelSteps } from "../testbed/parallel_steps.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("guest") !== null;
const PNG = "iVBORw0KGgo";

/** Domains that are there for a test of a copy. */
const allTrials = async () =>
  (await virsh("list", "--all", "--name")).split("\n").filter((name) => name.startsWith("boot-test-"));

/** Those with disks in a pool: other test files have their own. */
async function trials({ path }: TestPool): Promise<string[]> {
  const own = await Promise.all((await allTrials()).map(async (name) => {
    const xml = await virshUnless(/failed to get domain|Domain not found/, "dumpxml", name);
    return xml?.includes(`${path}/`) ? [name] : [];
  }));
  return own.flat();
}

const volumesOf = async ({ name, path }: TestPool) => {
  await virsh("pool-refresh", name);
  return (await Array.fromAsync(Deno.readDir(path))).map((each) => each.name);
};

/** VMs and files that a test has left. */
async function leftovers(pool: TestPool): Promise<string[]> {
  await virsh("pool-refresh", pool.name);
  const before = await allTrials();
  // A folder that goes while it is searched, of a VM that ends elsewhere, is an error to find
  const found = await run(["find", "/var/lib/libvirt", "-ignore_readdir_race", "-name", "boot-test-*"]);
  const own = await trials(pool);
  const others = [...before, ...await allTrials()].filter((name) => !own.includes(name));
  const nvram = found.split("\n").filter((path) =>
    path !== "" && !others.some((name) => path.includes(name))
  );
  return [
    ...own,
    ...(await Array.fromAsync(Deno.readDir(pool.path))).map(({ name }) => name).filter((name) =>
      name.startsWith("boot-test-")
    ),
    ...nvram,
  ];
}

/** A backup of a VM that has one copy. */
async function backedUp(server: TestServer, vm: TestMachine, folder: string, more: object = {}) {
  await known(server, vm.uuid);
  const { id: backupId } = await call(server, "create_backup", {
    name: vm.name,
    folder,
    targets: { vmIds: [vm.uuid] },
    ...more,
  });
  const { id: runId, ...rest } = await runOf(server, backupId);
  done({ id: runId, ...rest });
  return { backupId, runId };
}

Deno.test({
  name: "a guest that comes up passes its boot test, cut off from everything, and nothing of it stays",
  ignore,
  fn: async (t) => {
    await using network = await testNetwork();
    await using pool = await testPool();
    await using folder = await backupFolder();
    await using vm = await testMachine({
      purpose: "boot",
      disks: [{ pool }],
      network,
      vnc: true,
      start: true,
    });
    await using server = await readyServer();
    await known(server, vm.uuid);
    await vm.waitForAgent();
    await until(
      "the agent is known",
      async () => (await call(server, "get_vm", { vmId: vm.uuid })).guestAgent === "connected",
    );
    const of = await backedUp(server, vm, folder.path);
    const [first] = await call(server, "list_backup_runs", { backupId: of.backupId });
    assert.deepEqual([first!.copies[0]!.consistency, first!.copies[0]!.bootTest], ["frozen", null]);
    await refused(call(server, "get_backup_screen", { ...of, vmId: vm.uuid }), "NoBootScreen");
    const testing = call(server, "verify_backup", { ...of, kind: "boot", pool: pool.name });

    await t.step("the VM for it has no link, no screen to open, and other marks", async () => {
      const [name] = await until("the VM", async () => {
        const found = await trials(pool);
        return found.length > 0 ? found : null;
      });
      const xml = await virsh("dumpxml", name!, "--security-info");
      assert.match(xml, /<interface type='ethernet'>/);
      assert.match(xml, /<link state='down'\/>/);
      for (const gone of [network.name, vm.mac!, vm.uuid, "<graphics", vm.serialLog]) {
        assert.ok(!xml.includes(gone), gone);
      }
      assert.match(await virsh("dominfo", name!), /Persistent:\s+no/);
      assert.match(xml, /<kvmm:vm [^>]*throw-away=["']boot-test["']/);
    });
    await t.step("no list, count or command has it; its task names it", async () => {
      const [name] = await trials(pool), trial = await virsh("domuuid", name!);
      const activeNames = async () =>
        (await virsh("list", "--name")).split("\n").filter((each) => each !== "");
      const seen = (await call(server, "get_vms")).map((each) => each.name);
      assert.ok(seen.includes(vm.name) && !seen.some((each) => each.startsWith("boot-test-")), seen.join());
      assert.ok((await activeNames()).includes(name!));
      // Other test files have VMs that come and go, and are told of a moment later: at rest, it is one less.
      await until("the count without it", async () => {
        const before = await activeNames();
        const { activeVms } = await call(server, "get_host_info");
        return activeVms < before.length && `${before}` === `${await activeNames()}`;
      });
      for (const command of ["get_vm", "force_stop_vm", "delete_vm", "get_vm_stats", "get_vm_xml"] as const) {
        await refused(call(server, command, { vmId: trial }), "VmNotFound");
      }
      const [disk] = (await volumesOf(pool)).filter((each) => each.startsWith("boot-test-"));
      const { code } = await refusal(call(server, "delete_volume", { pool: pool.name, volume: disk! }));
      assert.match(code, /^(StorageBusy|VolumeInUse)$/);
      const job = (await call(server, "list_jobs", { open: true })).find(({ command }) =>
        command === "verify_backup"
      );
      const { log } = await call(server, "get_job", { jobId: job!.id });
      assert.match(JSON.stringify(log), new RegExp(`Starting ${name}, a VM that is in no list`));
      assert.equal(await virsh("domstate", name!), "running");
    });
    await t.step("it passes, and what was made is gone; the VM itself goes on", async () => {
      const { ok, run: tested, checkedBytes } = await testing;
      const { bootTest, verified } = tested.copies[0]!;
      assert.deepEqual([ok, bootTest!.ok, bootTest!.by, bootTest!.message], [true, true, "agent", null]);
      assert.deepEqual([bootTest!.screen, verified, checkedBytes], [true, null, 64 * 1024 ** 2]);
      assert.deepEqual(await leftovers(pool), []);
      assert.equal(await vm.state(), "running");
      const activity = await call(server, "get_activity", { limit: 200 });
      const told = activity.filter(({ vmName }) => vmName?.startsWith("boot-test-"));
      assert.deepEqual(told.filter(({ action }) => action !== "verify_backup"), []);
    });
    await t.step("its screen is kept, and has an address", async () => {
      const { format, data } = await call(server, "get_backup_screen", { ...of, vmId: vm.uuid });
      assert.equal(format, "image/png");
      assert.ok(data.startsWith(PNG));
      const path = `/api/v1/backups/${of.backupId}/runs/${of.runId}/vms/${vm.uuid}/screen.png`;
      const response = await fetch(`${server.url}${path}`, { headers: testerHeaders(server.url) });
      assert.deepEqual([response.status, response.headers.get("content-type")], [200, "image/png"]);
      assert.equal(new Uint8Array(await response.arrayBuffer()).toBase64(), data);
    });
    await t.step("cancelled, nothing stays and nothing is said of the copy", async () => {
      const again = call(server, "verify_backup", { ...of, kind: "boot", pool: pool.name });
      again.catch(() => {/* awaited below */});
      await until("the VM", async () => (await trials(pool)).length > 0);
      const jobs = await call(server, "list_jobs", {});
      const { id: jobId } = jobs.find(({ command, endedAt }) =>
        command === "verify_backup" && endedAt === null
      )!;
      await call(server, "cancel_job", { jobId });
      await refused(again, "JobCancelled");
      assert.deepEqual(await leftovers(pool), []);
      const [now] = await call(server, "list_backup_runs", { backupId: of.backupId });
      assert.equal(now!.copies[0]!.bootTest!.ok, true);
    });
  },
});

Deno.test({
  name: "without an agent the screen decides: an empty disk fails, a system that shows itself passes",
  ignore,
  fn: async (t) => {
    await using server = await readyServer();
    const empty = async () => {
      await using pool = await testPool();
      await using folder = await backupFolder();
      await using vm = await testMachine({
        purpose: "noboot",
        guest: false,
        agent: false,
        disks: [{ pool }],
      });
      // Each run is followed by a test.
      const of = await backedUp(server, vm, folder.path, { bootTest: "each-run" });
      const tested = await until("the test after the run", async () => {
        const [latest] = await call(server, "list_backup_runs", { backupId: of.backupId });
        return latest!.copies[0]!.bootTest;
      }, { seconds: 180, every: 1000 });
      assert.equal(tested.ok, false);
      assert.match(tested.message!, /^Its screen says: (No bootable device|Boot failed)/);
      assert.equal(tested.screen, true);
      assert.deepEqual(await leftovers(pool), []);
    };
    const greeting = async () => {
      await using pool = await testPool();
      await using folder = await backupFolder();
      await using vm = await testMachine({
        purpose: "screen",
        guest: false,
        agent: false,
        disks: [{ pool, format: "raw" }],
      });
      await Deno.writeFile(vm.disks[0]!, greeter("Debian GNU/Linux 12 db1 tty1  login:"), { create: false });
      await Deno.truncate(vm.disks[0]!, 64 * 1024 ** 2);
      const of = await backedUp(server, vm, folder.path);
      const { ok, run: tested } = await call(server, "verify_backup", {
        ...of,
        kind: "boot",
        pool: pool.name,
      });
      const { bootTest } = tested.copies[0]!;
      assert.deepEqual([ok, bootTest!.by, bootTest!.message], [true, "screen", null]);
      assert.ok(bootTest!.seconds >= 30, String(bootTest!.seconds));
    };
    const without = async () => {
      await using pool = await testPool();
      await using folder = await backupFolder();
      await using vm = await testMachine({ purpose: "room", guest: false, disks: [{ pool, size: "8M" }] });
      const of = await backedUp(server, vm, folder.path);
      await refused(
        call(server, "verify_backup", { ...of, kind: "boot", pool: "no-such-pool" }),
        "StoragePoolNotFound",
      );
      const [latest] = await call(server, "list_backup_runs", { backupId: of.backupId });
      assert.equal(latest!.copies[0]!.bootTest, null);
    };
    await parallelSteps(t, 3, {
      "an empty disk": empty,
      "a system that reads its disk and says who it is": greeting,
      "no room for its disks is said, and nothing is said of the copy": without,
    });
  },
});

Deno.test({
  name: "a boot test that is killed in the middle leaves nothing once KVM Manager is back",
  ignore,
  fn: async () => {
    await using pool = await testPool();
    await using folder = await backupFolder();
    await using vm = await testMachine({
      purpose: "bootkill",
      guest: false,
      agent: false,
      disks: [{ pool }],
    });
    const dataDir = await Deno.makeTempDir({ prefix: "kvmm-test-" });
    try {
      for (const ms of [0, 300, 3000]) {
        await using server = await readyServer({ dataDir });
        const backups = await call(server, "list_backups", {});
        const backupId = backups[0]?.id ?? (await backedUp(server, vm, folder.path)).backupId;
        const runId = (await call(server, "list_backup_runs", { backupId }))[0]!.id;
        const testing = call(server, "verify_backup", { backupId, runId, kind: "boot", pool: pool.name });
        testing.catch(() => {/* its server is killed */});
        if (ms > 0) await until("the VM", async () => (await trials(pool)).length > 0);
        await delay(ms);
        await server.kill();
        await testing.catch(() => {/* its server is killed */});
        await using next = await readyServer({ dataDir });
        await until("all is gone", async () => (await leftovers(pool)).length === 0, {
          seconds: 60,
          lastSeen: async () => (await leftovers(pool)).join(" "),
        });
        const [latest] = await call(next, "list_backup_runs", { backupId });
        assert.equal(latest!.copies[0]!.bootTest, null);
      }
    } finally {
      await Deno.remove(dataDir, { recursive: true });
    }
  },
});

/** A disk whose boot sector reads 3 MiB of it, says something, and stays. */
function greeter(text: string): Uint8Array {
  const bytes = new TextEncoder().encode(text), packet = 0x7c80, words = 0x7ca0;
  const low = (word: number) => [word & 0xff, word >> 8];
  const read = [
    ...[0x31, 0xc0, 0x8e, 0xd8, 0x8e, 0xc0, 0xbc, 0x00, 0x7c], // ds = es = 0; sp below the code
    ...[0xb9, 96, 0], // cx = 96 times
    ...[0x51, 0xbe, ...low(packet), 0xb4, 0x42, 0xcd, 0x13], // again: push cx; si = packet; int 13h: read 64 sectors
    ...[0x83, 0x06, ...low(packet + 8), 64], // the next 64
    0x59, // pop cx
    ...[0xe2, 0x100 - 16], // loop again
  ];
  const say = [
    ...[0xb9, ...low(bytes.length), 0xbd, ...low(words), 0xbb, 7, 0], // cx = length; bp = text; bx = page and colour
    ...[0xba, 0, 10, 0xb8, 1, 0x13, 0xcd, 0x10], // dx = row 10; int 10h: write it
    ...[0xfa, 0xf4, 0xeb, 0xfd], // cli; hlt; once more
  ];
  const sector = new Uint8Array(512);
  sector.set([...read, ...say]);
  // 64 sectors to 1000:0000, from the first one.
  sector.set([16, 0, 64, 0, 0, 0, 0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0], packet - 0x7c00);
  sector.set(bytes, words - 0x7c00);
  sector.set([0x55, 0xaa], 510);
  return sector;
}
