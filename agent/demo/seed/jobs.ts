/** Tasks of the demo's last days. */
import { HOUR_MS, MINUTE_MS } from "../../../lib/duration.ts";
import { message, type Sentence, vmName } from "../../../lib/i18n/message.ts";
import { GIB } from "../../../lib/text/byte_units.ts";
import { type JobRecord, JobRecords } from "../../jobs/records.ts";
import { idFor, type Seeding, vmNamed } from "./moment.ts";

interface Row {
  readonly command: string;
  readonly title: Sentence;
  readonly vm?: string;
  readonly actor: string;
  readonly hoursAgo: number;
  readonly minutes: number;
  readonly gib?: number;
  readonly error?: Sentence;
  readonly log: readonly string[];
}

const rows = (): readonly Row[] => [
  {
    command: "run_backup",
    title: message`Backup job ${"Production, every night"}`,
    actor: "demo",
    hoursAgo: 9,
    minutes: 21,
    gib: 31,
    log: ["db-01: read 14.2 GiB that changed", "web-01: read 0.6 GiB that changed", "All VMs are backed up"],
  },
  {
    command: "download_image",
    title: "Download debian-12-generic-amd64.qcow2",
    actor: "ben",
    hoursAgo: 27,
    minutes: 1,
    gib: 0.43,
    log: ["Checksum is right (SHA-512)", "Ready in media"],
  },
  {
    command: "clone_vm",
    title: message`Clone ${vmName(vmNamed("ci-runner-02"))} as ci-runner-03`,
    vm: "ci-runner-02",
    actor: "carla",
    hoursAgo: 98,
    minutes: 4,
    gib: 81,
    log: ["Disk vda is copied", "New identity: MAC address, machine id, host keys"],
  },
  {
    command: "migrate_vm",
    title: message`Move ${vmName(vmNamed("monitoring"))} to kvm-02`,
    vm: "monitoring",
    actor: "anna",
    hoursAgo: 146,
    minutes: 12,
    gib: 241,
    log: ["Memory: 4 rounds, 11.3 GiB", "Downtime: 84 ms"],
  },
  {
    command: "export_ova",
    title: message`Export ${vmName(vmNamed("erp-old"))} as an archive`,
    vm: "erp-old",
    actor: "anna",
    hoursAgo: 171,
    minutes: 3,
    error: message`The pool ${"media"} has ${"38 GiB"} free, and the archive needs ${"61 GiB"}`,
    log: ["Nothing was kept"],
  },
];

function recordOf(row: Row, now: number): JobRecord {
  const { command, title, actor, hoursAgo, minutes, gib = 0, error, log } = row;
  const startedAt = now - hoursAgo * HOUR_MS, vm = row.vm === undefined ? undefined : vmNamed(row.vm);
  const bytes = gib === 0 ? null : Math.round(gib * GIB);
  return {
    job: {
      id: idFor("job", `${command} ${hoursAgo}`),
      command,
      title,
      ...(vm !== undefined && { vmId: vm.id, host: vm.host }),
      actor,
      state: error === undefined ? "done" : "failed",
      progress: error === undefined ? 1 : 0.2,
      doneBytes: bytes,
      totalBytes: bytes,
      startedAt,
      endedAt: startedAt + minutes * MINUTE_MS,
      secondsLeft: null,
      error: error === undefined ? null : { code: "NoSpace", message: error },
      cancellable: false,
      cancelling: false,
    },
    log: log.map((text, index) => ({ at: startedAt + (index + 1) * MINUTE_MS / 2, text })),
    advice: "",
  };
}

/** Writes them. */
export function seedJobs({ store, now }: Seeding): void {
  const records = new JobRecords(store, () => {});
  records.save(rows().map((row) => recordOf(row, now)).sort((a, b) => a.job.startedAt - b.job.startedAt));
}
