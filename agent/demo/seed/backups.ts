/** Backups of the demo: two jobs with their runs, small copies in a folder of the demo's own, boot tests with a picture. */
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import {
  type BackupManifest,
  CHUNK_BYTES,
  copyIdAt,
  MANIFEST_VERSION,
} from "../../../lib/backup/manifest.ts";
import { ChunkList, writeChunkList } from "../../../lib/backup/chunk_list.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../../lib/duration.ts";
import { renderXml, xml } from "../../../lib/formats/xml/build.ts";
import { encodePng } from "../../../lib/formats/png/png.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import { BackupRecords, type StoredBackup, type StoredBackupRun } from "../../backups/records.ts";
import { digestOf } from "../../backups/digest.ts";
import { Repository } from "../../backups/repository.ts";
import { copyOf } from "../../backups/run_history.ts";
import { FolderStore } from "../../backups/store/folder.ts";
import { hostZone } from "../../clock.ts";
import { screenOf } from "../screen/screen.ts";
import { fractionBy, hash } from "../world/chance.ts";
import { demoHost } from "../world/hosts.ts";
import { diskTargetOf } from "../world/node_xml.ts";
import { SYSTEMS } from "../world/systems.ts";
import type { DemoVm } from "../world/vms.ts";
import { daysAgo, idFor, type Seeding, vmNamed, vmsTagged } from "./moment.ts";
import { OWNER } from "./schedules.ts";

type Copied = DemoVm & { readonly id: string };

interface Job {
  readonly name: string;
  readonly targets: StoredBackup["targets"];
  readonly vms: readonly Copied[];
  readonly hour: number;
  readonly daysAgo: readonly number[];
  readonly timing: StoredBackup["timing"];
  readonly retention: Pick<StoredBackup, "keep" | "keepDaily" | "keepWeekly" | "keepMonthly" | "keepYearly">;
  readonly bootTest: StoredBackup["bootTest"];
}

function jobs(now: number): readonly Job[] {
  const timeZone = hostZone();
  return [
    {
      name: "Production, every night",
      targets: { vmIds: [], tags: ["database", "web"], groups: [] },
      vms: [...vmsTagged("database"), ...vmsTagged("web")],
      hour: 2,
      daysAgo: [10, 9, 8, 7, 6, 5, 4, 3, 2, 1],
      timing: { frequency: "daily", time: "02:00", timeZone },
      retention: { keep: 1, keepDaily: 10, keepWeekly: 4, keepMonthly: 3, keepYearly: 0 },
      bootTest: "weekly",
    },
    {
      name: "Office, weekly",
      targets: { vmIds: [vmNamed("mail-01").id, vmNamed("dc-01").id], tags: ["branch"], groups: [] },
      vms: [vmNamed("mail-01"), vmNamed("dc-01"), ...vmsTagged("branch")],
      hour: 22,
      daysAgo: [28, 21, 14, 7].map((days) => days - 7 + daysSinceSaturday(now)),
      timing: { frequency: "weekly", time: "22:00", weekdays: ["sat"], timeZone },
      retention: { keep: 1, keepDaily: 0, keepWeekly: 6, keepMonthly: 6, keepYearly: 1 },
      bootTest: "weekly",
    },
  ];
}

/** Days since the Saturday before today. */
const daysSinceSaturday = (now: number): number => new Date(now).getDay() + 1;

const encode = (text: string) => new TextEncoder().encode(text);

/** A copy's definition: it is shown, and says what it is. */
const definition = ({ id, name, title, vcpus, memoryGib }: Copied): string =>
  renderXml(xml(
    "domain",
    { type: "kvm" },
    xml("name", {}, name),
    xml("uuid", {}, id),
    xml("title", {}, title),
    xml("memory", { unit: "GiB" }, memoryGib),
    xml("vcpu", {}, vcpus),
    xml("os", {}, xml("type", { arch: "x86_64", machine: "q35" }, "hvm")),
  ));

/** Writes a copy whose disks are nothing but zeros, which take no room. */
async function writeCopy(
  repository: Repository,
  backup: StoredBackup,
  run: Pick<StoredBackupRun, "id" | "startedAt">,
  vm: Copied,
  takenAt: number,
): Promise<BackupManifest> {
  const files: [string, Uint8Array<ArrayBuffer>][] = [["domain.xml", encode(definition(vm))]];
  for (const [index, { gib }] of vm.disks.entries()) {
    const list = writeChunkList(new ChunkList(Math.ceil(gib * GIB / CHUNK_BYTES)));
    files.push([`${diskTargetOf(index)}.chunks`, encode(list)]);
  }
  const digests = await Promise.all(files.map(([, bytes]) => digestOf(bytes)));
  const used = vm.disks.reduce((sum, { usedGib }) => sum + usedGib, 0) * GIB;
  const changed = used * (0.006 + 0.02 * fractionBy(`changed ${vm.name} ${takenAt}`));
  const manifest: BackupManifest = {
    format: "kvm-manager-backup",
    version: MANIFEST_VERSION,
    id: copyIdAt(takenAt, hash(`copy ${vm.name} ${takenAt}`).toString(16).padStart(8, "0")),
    backup: { id: backup.id, name: backup.name },
    run: { id: run.id, startedAt: run.startedAt, actor: "demo" },
    host: demoHost(vm.host).hostname,
    takenAt,
    vm: { id: vm.id, name: vm.name },
    consistency: vm.agent ? "frozen" : "crash",
    chunkBytes: CHUNK_BYTES,
    disks: vm.disks.map(({ gib }, index) => ({
      target: diskTargetOf(index),
      format: "qcow2",
      bytes: gib * GIB,
      chunks: digests[index + 1]!,
    })),
    definition: digests[0]!,
    left: [],
    storedBytes: Math.round(changed * 0.42),
    readBytes: Math.round(changed),
  };
  await repository.begin(manifest.id);
  await repository.finish(manifest.id, files, manifest);
  return manifest;
}

/** The last picture of a boot test: the screen as it is after a boot. */
function picture(vm: Copied, at: number): Uint8Array {
  const screen = screenOf({ vm, startedAt: at - MINUTE_MS, addresses: [], now: () => at });
  return encodePng(screen.draw(), (bytes) => deflateSync(bytes, { level: 9 }));
}

/** VMs whose copy did not come up when it was booted as a test. */
const FAILS_TO_BOOT: ReadonlySet<string> = new Set(["staging-web"]);

function bootTestOf(
  records: BackupRecords,
  backup: StoredBackup,
  vm: Copied,
  copyId: string,
  at: number,
): void {
  const isBad = FAILS_TO_BOOT.has(vm.name);
  records.keepBootTest(
    copyId,
    {
      at,
      ok: !isBad,
      by: isBad ? null : SYSTEMS[vm.system].family === "windows" ? "screen" : "agent",
      message: isBad ? "Its guest agent did not answer within 300 seconds" : null,
      seconds: isBad ? 300 : 19 + hash(vm.name) % 30,
      screen: true,
    },
    picture(vm, at),
    { backupId: backup.id, vmId: vm.id },
  );
}

async function seedJob(
  job: Job,
  folder: string,
  repository: Repository,
  { store, now }: Seeding,
): Promise<void> {
  const records = new BackupRecords(store);
  const backup: StoredBackup = {
    id: idFor("backup", job.name),
    name: job.name,
    enabled: true,
    targets: job.targets,
    folder,
    repository: repository.id,
    timing: job.timing,
    missed: "skip",
    bootTest: job.bootTest,
    maxMibPerSecond: 0,
    parallel: 2,
    owner: OWNER,
    createdAt: now - 200 * DAY_MS,
    handled: now - MINUTE_MS,
    ...job.retention,
  };
  records.put(backup);
  for (const days of job.daysAgo) {
    const startedAt = daysAgo(now, days, job.hour),
      run = { id: idFor("run", `${job.name} ${days}`), startedAt };
    const manifests: BackupManifest[] = [];
    for (const [index, vm] of job.vms.entries()) {
      manifests.push(await writeCopy(repository, backup, run, vm, startedAt + index * 4 * MINUTE_MS));
    }
    records.putRun(backup.id, {
      ...run,
      endedAt: startedAt + job.vms.length * 5 * MINUTE_MS,
      state: "done",
      actor: "demo",
      jobId: null,
      message: null,
      copies: manifests.map((manifest) => copyOf(manifest)),
    });
    const isLast = days === job.daysAgo.at(-1);
    manifests.forEach(({ id }, index) => {
      records.keepCheck(id, { at: startedAt + 2 * HOUR_MS, ok: true, message: null });
      if (isLast) bootTestOf(records, backup, job.vms[index]!, id, startedAt + 3 * HOUR_MS);
    });
  }
  records.keepCovered(backup.id, { covered: job.vms.map(({ id }) => id) });
}

/** Writes jobs, runs and copies. What they stored is said of them; in the folder they are a few kilobytes. */
export async function seedBackups(seeding: Seeding): Promise<void> {
  const folder = join(seeding.dataDir, "backups");
  await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
  const repository = await Repository.make(new FolderStore(folder));
  for (const job of jobs(seeding.now)) await seedJob(job, folder, repository, seeding);
  await repository.store.close();
}
