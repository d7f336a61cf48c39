import assert from "node:assert/strict";
import { render } from "../../lib/i18n/message.ts";
import { ChunkThreads } from "./chunk_threads.ts";
import { readChunk, storeContent } from "./chunks.ts";
import { digestOf } from "./digest.ts";
import { writeChunkList } from "../../lib/backup/chunk_list.ts";
import { type BackupManifest, CHUNK_BYTES, copyIdAt, MANIFEST_VERSION } from "../../lib/backup/manifest.ts";
import type { VM } from "../../lib/contract/mod.ts";
import type { ActivityEntry } from "../store/activity.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import { Store } from "../store/store.ts";
import { TestClock } from "../testing.ts";
import { BACKUP_MIGRATIONS, BackupRecords, type StoredBackup } from "./records.ts";
import { chunkPlace, Repository } from "./repository.ts";
import { RunHistory } from "./run_history.ts";
import { BackupRuns } from "./runs.ts";
import { FolderStore } from "./store/folder.ts";

const BACKUP: StoredBackup = {
  id: "backup",
  name: "nightly",
  enabled: true,
  folder: "",
  repository: "",
  timing: null,
  // Nothing is copied: what is pruned does not depend on it.
  targets: { all: false, vmIds: ["gone"], tags: [], groups: [] },
  missed: "skip",
  bootTest: "never",
  maxMibPerSecond: 0,
  parallel: 1,
  createdAt: 0,
  handled: 0,
  owner: { kind: "host", name: "root" },
  keep: 1,
  keepDaily: 0,
  keepWeekly: 0,
  keepMonthly: 0,
  keepYearly: 0,
};

/** Runs of a backup into a folder of its own, and what their tasks say. */
async function backups() {
  const path = await Deno.makeTempDir({ prefix: "kvmm-test-runs-" });
  await Deno.mkdir(`${path}/backups`);
  const store = new Store(path, undefined, [{ name: "backups", migrations: BACKUP_MIGRATIONS }]);
  const records = new BackupRecords(store), clock = new TestClock(), lines: string[] = [];
  records.put(BACKUP);
  const opened: Repository[] = [];
  const open = async () => {
    const repository = await Repository.make(new FolderStore(`${path}/backups`));
    opened.push(repository);
    return repository;
  };
  const vms = { all: [] as VM[], since: 0, recorded: [] as ActivityEntry[] };
  const inventory = { vms: () => vms.all, hostname: "here" };
  const runs = new BackupRuns(records, {
    clock,
    stateDir: path,
    open,
    host: () =>
      ({
        requireFilled: () => ({ inventory }),
        inventory,
        record: (entry: ActivityEntry) => void vms.recorded.push(entry),
      }) as unknown as LibvirtHost,
    nameOf: (vmId) => vmId === "gone" ? "mail" : vmId,
    since: () => vms.since,
    bootTests: { after: () => Promise.resolve() },
    jobs: {
      run: (_spec, work) =>
        work({
          id: "job",
          signal: new AbortController().signal,
          progress: () => {},
          log: (line) => void lines.push(render(line)),
        }),
    },
  });
  const history = new RunHistory(records, open);
  return {
    path: `${path}/backups/kvm-manager-backups`,
    records,
    runs,
    history,
    clock,
    open,
    opened,
    vms,
    /** Runs the backup, and gives what its task said. */
    run: async () => {
      lines.length = 0;
      runs.begin(records.get(BACKUP.id)!, "root");
      while (runs.isRunning(BACKUP.id)) await new Promise((resolve) => setTimeout(resolve, 1));
      return lines.join("\n");
    },
    [Symbol.asyncDispose]: async () => {
      store.close();
      await Deno.remove(path, { recursive: true });
    },
  };
}

const STORING = { signal: new AbortController().signal, onBytes: () => {} };

/** Puts a disk of this content into the folder. */
async function stored(repository: Repository, content: Uint8Array<ArrayBuffer>) {
  const file = await Deno.makeTempFile();
  await Deno.writeFile(file, content);
  const { chunks, storedBytes } = await storeContent(repository, file, content.length, STORING);
  await Deno.remove(file);
  return { storedBytes, list: writeChunkList(chunks), digest: chunks.at(0)! };
}

/** Writes a copy of a VM whose disk has this content. @returns its id, and its chunk */
async function copyWith(repository: Repository, content: Uint8Array<ArrayBuffer>, takenAt: number) {
  const id = copyIdAt(takenAt, takenAt.toString(16).padStart(8, "0").slice(-8)), encoder = new TextEncoder();
  await repository.begin(id);
  const { list: text, digest } = await stored(repository, content);
  const list = encoder.encode(text), definition = encoder.encode("<domain/>");
  const manifest: BackupManifest = {
    format: "kvm-manager-backup",
    version: MANIFEST_VERSION,
    id,
    host: "here",
    takenAt,
    backup: { id: BACKUP.id, name: BACKUP.name },
    run: { id: `run ${id}`, startedAt: takenAt, actor: "root" },
    vm: { id: "vm", name: "web" },
    consistency: "stopped",
    chunkBytes: CHUNK_BYTES,
    disks: [{ target: "vda", format: "raw", bytes: content.length, chunks: await digestOf(list) }],
    definition: await digestOf(definition),
    left: [],
    storedBytes: 0,
  };
  await repository.finish(id, [["vda.chunks", list], ["domain.xml", definition]], manifest);
  return { id, digest };
}

const content = (byte: number) => new Uint8Array(5000).fill(byte);
const ids = async (repository: Repository) => (await repository.copies()).map(({ id }) => id).sort();

Deno.test("a run deletes no copy while copies are being read; the next one does", async () => {
  await using all = await backups();
  const repository = await all.open();
  const old = await copyWith(repository, content(1), 1e12),
    young = await copyWith(repository, content(2), 1.5e12);
  for (const { id } of [old, young]) all.records.keepCheck(id, { at: 1, ok: true, message: null });
  let said = "";
  // As a restore that has found its copy.
  await repository.locked("content", false, async () => {
    said = await all.run();
    assert.deepEqual(await ids(repository), [old.id, young.id], "a copy was deleted that is being read");
    assert.ok(await repository.hasChunk(old.digest));
    assert.ok(all.records.check(old.id));
  });
  assert.match(said, /Copies are being read/);
  assert.doesNotMatch(said, /Deleted/);
  assert.match(await all.run(), /Deleted 1 older copies/);
  assert.equal(all.records.check(old.id), null, "what was found of it stays for ever");
  assert.ok(all.records.check(young.id));
  assert.deepEqual(await ids(repository), [young.id]);
  assert.equal(await repository.hasChunk(old.digest), false);
});

Deno.test("what a run cut short has left is relied on unread by no new copy, while it cannot be swept", async () => {
  await using all = await backups();
  const before = await all.open();
  const whole = await copyWith(before, content(1), 1e12);
  await before.begin("20260101-000000-00000000");
  const torn = await stored(before, content(2)), sound = await stored(before, content(3));
  await Deno.truncate(`${all.path}/${chunkPlace(torn.digest)}`, 10); // as a power failure does
  await before.locked("content", false, async () => {
    assert.match(await all.run(), /earlier run has left\nCopies are being read/);
  });
  const repository = all.opened.at(-1)!;
  assert.equal((await stored(repository, content(1))).storedBytes, 0);
  assert.equal(repository.isDoubted(whole.digest), false, "what a whole copy names, need not be read");
  assert.equal((await stored(repository, content(3))).storedBytes, 0);
  assert.equal(repository.isDoubted(sound.digest), false, "it is read once");
  assert.ok((await stored(repository, content(2))).storedBytes > 0, "a torn chunk was relied on");
  using threads = new ChunkThreads(repository.codec.nameKey);
  assert.deepEqual(await readChunk(repository, threads, torn.digest, 5000), content(2));
  assert.equal(repository.lacks([torn.digest]), false);
  // There is no reader: it is swept, and what is there is taken for sound again.
  await all.run();
  assert.equal(await before.hasLeftovers(), false);
  assert.equal(await before.hasChunk(torn.digest), false);
  assert.equal(all.opened.at(-1)!.isDoubted(torn.digest), false);
});

Deno.test("while a copy cannot be read, nothing is deleted; what was cut short is swept once it is gone", async () => {
  for (const file of ["manifest.json", "vda.chunks"]) {
    await using all = await backups();
    const repository = await all.open();
    const damaged = await copyWith(repository, content(1), 1e12),
      other = await copyWith(repository, content(2), 1.5e12);
    await repository.begin("20260101-000000-00000000");
    const left = await stored(repository, content(3));
    await Deno.remove(`${all.path}/copies/${damaged.id}/${file}`);
    assert.equal(await repository.sweep(), undefined);
    assert.ok(
      await repository.hasLeftovers(),
      "what was cut short is forgotten, and its chunks stay for ever",
    );
    assert.ok(await repository.hasChunk(left.digest) && await repository.hasChunk(damaged.digest));
    await repository.remove(damaged.id);
    assert.ok(await repository.sweep());
    assert.equal(await repository.hasLeftovers(), false);
    assert.equal(await repository.hasChunk(left.digest) || await repository.hasChunk(damaged.digest), false);
    assert.ok(await repository.hasChunk(other.digest));
  }
});

Deno.test("what is left out is no run: the last one stays the last, and one that is under way fills no history", async () => {
  await using all = await backups();
  await all.run();
  const states = async () => (await all.history.list(BACKUP, 10)).map(({ state }) => state);
  const last = all.history.lastRun(BACKUP.id)!;
  const skip = () => all.runs.skipped(BACKUP, "root", all.clock.now(), "why");
  for (let times = 0; times < 3; times++) {
    await all.clock.advance(60_000);
    skip();
  }
  assert.deepEqual(await states(), ["skipped", "skipped", "skipped", "failed"]);
  assert.deepEqual(all.history.lastRun(BACKUP.id), last);
  await all.clock.advance(60_000);
  all.runs.begin(BACKUP, "root");
  assert.ok(all.runs.isRunning(BACKUP.id));
  for (let times = 0; times < 3; times++) {
    await all.clock.advance(60_000, 60_000);
    skip();
  }
  while (all.runs.isRunning(BACKUP.id)) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.equal((await states()).length, 6, "one row for all that the run was in the way of");
});

Deno.test("each run is found, also where there are more than one answer tells", async () => {
  await using all = await backups();
  const repository = await all.open(), backup = { ...BACKUP, keep: 1000 };
  const made: string[] = [];
  for (let at = 1; at <= 210; at++) made.push((await copyWith(repository, content(at), at * 1e9)).id);
  const ofRun = (id: string) => `run ${id}`, newest = made.toReversed().map(ofRun);
  const idsOf = async (...args: [limit?: number, which?: { runId?: string; until?: number }]) =>
    (await all.history.list(backup, ...args)).map(({ id }) => id);
  assert.deepEqual(await idsOf(), newest);
  assert.deepEqual(await idsOf(50), newest.slice(0, 50));
  assert.deepEqual(await idsOf(50, { until: 160e9 }), newest.slice(50, 100), "the next page");
  assert.deepEqual(await idsOf(50, { until: 10e9 }), newest.slice(200), "the last one");
  assert.deepEqual(await idsOf(1, { runId: ofRun(made[0]!) }), [ofRun(made[0]!)]);
  assert.deepEqual(await idsOf(1, { runId: "none" }), []);
});

Deno.test("a run deletes no copy of a VM that had the id before", async () => {
  await using all = await backups();
  const repository = await all.open();
  const others = [
    await copyWith(repository, content(1), 1e12),
    await copyWith(repository, content(2), 1.1e12),
  ];
  const own = [
    await copyWith(repository, content(3), 1.3e12),
    await copyWith(repository, content(4), 1.4e12),
  ];
  all.vms.since = 1.2e12;
  await all.run();
  assert.deepEqual(await ids(repository), [others[1]!.id, own[1]!.id], "the newest of each VM stays");
});

Deno.test("a run says which VMs the one before had, and names a VM that is gone", async () => {
  await using all = await backups();
  const vm = (id: string, tags: string[]) => ({ id, name: id, tags, disks: [] }) as unknown as VM;
  all.records.put({ ...BACKUP, targets: { all: false, vmIds: ["gone"], tags: ["gold"], groups: [] } });
  const last = () => all.history.lastRun(BACKUP.id)!;
  all.vms.all = [vm("a", ["gold"]), vm("b", ["gold"]), vm("c", [])];
  await all.run();
  assert.doesNotMatch(render(last().message), /left out/);
  assert.equal(last().copies.find(({ vmId }) => vmId === "gone")?.name, "mail", "its last name");
  all.vms.all = [vm("a", ["gold"]), vm("b", []), vm("c", [])];
  assert.match(await all.run(), /It left out b, which it had before/);
  assert.match(render(last().message), /It left out b, which it had before$/);
  await all.run();
  assert.match(render(last().message), /It left out b/, "until it is there again");
  assert.deepEqual(all.vms.recorded.map(({ action, vmId }) => [action, vmId]), [["backup-left-out", "b"]]);
  all.vms.all = [vm("a", ["gold"]), vm("b", ["gold"])];
  await all.run();
  assert.doesNotMatch(render(last().message), /left out/);
  all.vms.all = [vm("a", ["gold"])];
  await all.run();
  assert.doesNotMatch(render(last().message), /left out/, "a VM that is deleted is not left out");
});

Deno.test("a run that is asked for once more is the same, also while all is read; all is read by no run that does not", async () => {
  await using all = await backups();
  const backup = all.records.get(BACKUP.id)!;
  const over = async () => {
    while (all.runs.isRunning(BACKUP.id)) await new Promise((resolve) => setTimeout(resolve, 1));
  };
  const full = all.runs.begin(backup, "ann", true);
  assert.equal(full.joined, undefined);
  for (const isFull of [true, false]) {
    const same = all.runs.begin(backup, "schedule", isFull);
    assert.deepEqual([same.id, same.actor, same.joined], [full.id, "ann", true]);
  }
  await over();
  all.runs.begin(backup, "ann");
  assert.throws(() => all.runs.begin(backup, "ann", true), { code: "BackupRunning" });
  await over();
});
