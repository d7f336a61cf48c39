/**
 * libvirtd, KVM Manager, or both killed at any moment of backups, restores and boot tests, many times: what a run says
 * is done comes back byte for byte, of what was cut short nothing is left, the next one works, and the VM never stays
 * paused. A few kills run always; `KVMM_KILLS=200` sets how many.
 */
import assert from "node:assert/strict";
import type { BackupRun } from "../../lib/contract/mod.ts";
import { contentOf, endOf, runOf } from "../testbed/backups.ts";
import { config, KillBench } from "../testbed/kill_scenarios.ts";
import { Mirror } from "../testbed/mirror.ts";
import { filesOf, releaseName, testName } from "../testbed/names.ts";
import { privateLibvirt } from "../testbed/private_libvirt.ts";
import { run } from "../testbed/process.ts";
import { call } from "../testbed/product.ts";
import { removeFiles } from "../testbed/removal.ts";
import { requirement } from "../testbed/skip.ts";
import { delay, until } from "../testbed/wait.ts";

const ignore = await requirement("qemu") !== null;
/** How many kills. */
const KILLS = Number(Deno.env.get("KVMM_KILLS") ?? 3);
const VICTIMS = ["agent", "libvirtd", "both", "agent"] as const;
const WORKS = ["backup", "restore", "backup", "boot"] as const;
/** Backups that are begun until libvirt has taken the VM up again. */
const MOST_TRIES = 4;
/** Size of the disk, in MiB. */
const SIZE = 48;

/** A VM that is backed up, and what its copies must be. */
class Subject {
  /** Run → SHA-256 of the disk as it was then. */
  readonly expected = new Map<string, string>();
  vmId = "";
  backupId = "";

  constructor(readonly bench: KillBench, readonly disk: string, readonly folder: string) {}

  /** Writes as the guest would, to a place of the round's own. @returns what the disk is then */
  async write(n: number): Promise<string> {
    const { host } = this.bench;
    const say = (command: string) =>
      host.virsh("qemu-monitor-command", "subject", "--hmp", `qemu-io -d ${DEVICE} "${command}"`);
    const said = [await say(`write -P ${n % 250 + 1} ${n * 3 % (SIZE - 4)}M 3M`), await say("flush")];
    for (const line of said) assert.doesNotMatch(line, /error|failed|invalid/i, line);
    const copy = await Deno.makeTempFile();
    try {
      await run(["qemu-img", "convert", "-U", "-f", "qcow2", "-O", "raw", this.disk, copy]);
      return await contentOf(copy, "raw");
    } finally {
      await Deno.remove(copy);
    }
  }

  /** The runs that say that they are done and whose copies are there. */
  async finished(): Promise<BackupRun[]> {
    const { server } = this.bench;
    return (await call(server, "list_backup_runs", { backupId: this.backupId })).filter(({ copies }) =>
      copies.some(({ state }) => state === "done")
    );
  }

  /** Restores a run's disk, and compares. */
  async comesBack(runId: string, about: string): Promise<void> {
    const { server, pool } = this.bench, name = `compared-${crypto.randomUUID().slice(0, 8)}.qcow2`;
    await call(server, "restore_backup_disk", {
      backupId: this.backupId,
      runId,
      vmId: this.vmId,
      target: "vda",
      pool: "images",
      volume: name,
    });
    const content = await contentOf(`${pool}/${name}`, "qcow2");
    await call(server, "delete_volume", { pool: "images", volume: name, permanently: true });
    assert.equal(content, this.expected.get(runId), `the copy is not what was there ${about}`);
  }

  /** Files of incomplete copies. */
  async half(): Promise<string[]> {
    const found = await run(["find", `${this.folder}/kvm-manager-backups`, "-mindepth", "2"]);
    return found.split("\n").filter((path) => /partial-|\/spool\/./.test(path));
  }
}

const DEVICE = "/machine/peripheral/virtio-disk0/virtio-backend";

/** Begins a piece of work. @returns its end, which never throws */
function begin(subject: Subject, work: typeof WORKS[number], n: number): Promise<unknown> {
  const { bench: { server }, backupId, vmId } = subject;
  const runId = [...subject.expected.keys()].at(-1)!;
  const asked = {
    backup: () => call(server, "run_backup_now", { backupId }).then(({ id }) => endOf(server, backupId, id)),
    restore: () =>
      call(server, "restore_backup", { backupId, runId, vmId, name: `restored-${n}`, pool: "images" }),
    boot: () => call(server, "verify_backup", { backupId, runId, kind: "boot", seconds: 10, pool: "images" }),
  }[work];
  return asked().then(() => "done", (error) => error instanceof Error ? error.message : String(error));
}

/** Kills, and brings back. */
async function strike(bench: KillBench, victim: typeof VICTIMS[number]): Promise<void> {
  const { host, server } = bench;
  if (victim !== "agent") await host.kill();
  if (victim !== "libvirtd") await server.kill();
  if (victim !== "agent") await host.start();
  if (victim !== "libvirtd") {
    await server[Symbol.asyncDispose]();
    await bench.start();
  }
  await until("the connection", async () => (await call(bench.server, "get_connection_status")).connected, {
    seconds: 60,
  });
}

/** Waits until nothing is under way, half done or left. */
async function settled(subject: Subject, about: string): Promise<void> {
  const { bench, backupId } = subject, { host } = bench;
  let seen: unknown;
  await until(`everything to be settled ${about}`, async () => {
    const state = await host.virsh("domstate", "subject");
    const vms = await bench.machines();
    const runs = await call(bench.server, "list_backup_runs", { backupId });
    const jobs = await call(bench.server, "list_jobs", { open: true });
    const used = new Set(await bench.used());
    const left = (await bench.files()).filter((name) => !used.has(name));
    seen = { state, vms, open: bench.open(), jobs: jobs.map(({ title }) => title), left };
    return state === "running" && bench.open().length === 0 && jobs.length === 0 && left.length === 0 &&
      !vms.some((name) => name.startsWith("boot-test-")) && runs.every(({ state }) => state !== "running");
  }, {
    seconds: 120,
    every: 250,
    lastSeen: () => `${JSON.stringify(seen)}\n${bench.server.log().slice(-3000)}`,
  });
}

async function round(
  subject: Subject,
  n: number,
  { work, victim, afterMs }: {
    readonly work: typeof WORKS[number];
    readonly victim: typeof VICTIMS[number];
    readonly afterMs: number;
  },
): Promise<string> {
  const { bench } = subject;
  const about = `after ${victim} was killed ${Math.round(afterMs)} ms into a ${work} (round ${n})`;
  const content = await subject.write(n);
  const end = begin(subject, work, n);
  await delay(afterMs);
  await strike(bench, victim);
  // A run whose caller lost its answer may still go on: only libvirt was killed.
  await end;
  await settled(subject, about);
  for (const { id } of await subject.finished()) {
    if (!subject.expected.has(id)) subject.expected.set(id, content);
  }
  const restored = `restored-${n}`;
  if ((await bench.machines()).includes(restored)) {
    const vmId = await bench.id(restored), { disks } = await call(bench.server, "get_vm", { vmId });
    const runId = [...subject.expected.keys()].at(-1)!;
    assert.equal(await contentOf(disks[0]!.source!, "qcow2"), subject.expected.get(runId), about);
    await call(bench.server, "delete_vm", { vmId, deleteDisks: true, permanently: true });
  }
  let next = await runOf(bench.server, subject.backupId), tries = 1;
  // A libvirtd that has come back does nothing on a VM before it has taken it up, which may take it longer than it waits.
  while (next.state === "failed" && /state change lock/.test(next.message!) && tries < MOST_TRIES) {
    console.log(`${n}: libvirt had not taken the VM up yet ${about}`);
    next = await runOf(bench.server, subject.backupId);
    tries++;
  }
  const { state, id, message } = next;
  assert.equal(state, "done", `the next backup failed ${about}: ${message}`);
  subject.expected.set(id, content);
  const runs = await subject.finished();
  for (const each of runs.slice(0, 2)) await subject.comesBack(each.id, about);
  assert.deepEqual(await subject.half(), [], about);
  assert.equal(
    (await call(bench.server, "verify_backup", { backupId: subject.backupId, runId: id })).ok,
    true,
    about,
  );
  await settled(subject, `${about}, and done again`);
  return `${work}, ${victim} killed ${Math.round(afterMs)} ms into it`;
}

Deno.test({
  name:
    `backups, restores and boot tests are whole or gone after ${KILLS} kills of libvirtd, KVM Manager or both`,
  ignore,
  fn: async () => {
    await using undo = new AsyncDisposableStack();
    const own = await testName("backupkills");
    undo.defer(() => releaseName(own));
    undo.defer(() => removeFiles(own));
    const [pool, dataDir, folder] = ["images", "data", "backups"].map((name) => `${filesOf(own)}/${name}`);
    for (const path of [pool!, dataDir!, folder!]) await Deno.mkdir(path, { recursive: true });
    const host = undo.use(await privateLibvirt("backupkills"));
    const disk = `${pool}/subject.qcow2`;
    await run(["qemu-img", "create", "-q", "-f", "qcow2", disk, `${SIZE}M`]);
    const random = await Deno.makeTempFile();
    undo.defer(() => Deno.remove(random));
    await run(["dd", "if=/dev/urandom", `of=${random}`, "bs=1M", `count=${SIZE - 16}`, "status=none"]);
    // Past the first sectors: the firmware must find nothing to boot.
    await run(["qemu-io", "-f", "qcow2", "-c", `write -q -s ${random} 1M ${SIZE - 16}M`, disk]);
    for (
      const args of [["pool-define-as", "images", "dir", "--target", pool!], ["pool-autostart", "images"]]
    ) {
      await host.virsh(...args);
    }
    await host.virsh("pool-start", "images");
    const bench = new KillBench(host, pool!, dataDir!, undo.use(new Mirror()));
    await bench.start();
    undo.defer(() => bench.server[Symbol.asyncDispose]());
    const subject = new Subject(bench, disk, folder!);
    await call(bench.server, "create_vm", config("subject", { disks: [{ path: "images/subject.qcow2" }] }));
    subject.vmId = await bench.id("subject");
    await call(bench.server, "start_vm", { vmId: subject.vmId });
    subject.backupId = (await call(bench.server, "create_backup", {
      name: "kills",
      folder: folder!,
      targets: { vmIds: [subject.vmId] },
      keep: 4,
    })).id;
    const content = await subject.write(0);
    const { id, state } = await runOf(bench.server, subject.backupId);
    assert.equal(state, "done");
    subject.expected.set(id, content);
    // How long each takes: a kill is to meet every moment of it.
    const took = { backup: 0, restore: 0, boot: 6000 };
    for (const work of ["backup", "restore"] as const) {
      const start = performance.now();
      assert.equal(await begin(subject, work, 0), "done");
      took[work] = performance.now() - start;
    }
    for (const each of await subject.finished()) subject.expected.set(each.id, content);
    const vmId = await bench.id("restored-0");
    await call(bench.server, "delete_vm", { vmId, deleteDisks: true, permanently: true });
    for (let n = 1; n <= KILLS; n++) {
      const work = WORKS[n % WORKS.length]!, lap = Math.floor(n / WORKS.length);
      const victim = VICTIMS[(n + lap) % VICTIMS.length]!;
      // 0.62 is near the golden ratio: its multiples fill the time evenly, whatever their number.
      const afterMs = took[work] * ((lap * 0.62 + n * 0.17) % 1.05);
      console.log(`${n}: ${await round(subject, n, { work, victim, afterMs })}`);
    }
  },
});
