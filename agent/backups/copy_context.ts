/** Context of a copy: its repository, backup, run and job. */
import type { Clock } from "../clock.ts";
import type { LibvirtHost } from "../hosts/libvirt_host.ts";
import type { JobHandle } from "../jobs/jobs.ts";
import type { Pace } from "../pace.ts";
import type { StoredBackup, StoredBackupRun } from "./records.ts";
import type { Repository } from "./repository.ts";

/** Repository, backup, run and job that a copy is part of. */
export interface CopyContext {
  readonly host: LibvirtHost;
  readonly repository: Repository;
  readonly backup: Pick<StoredBackup, "id" | "name">;
  readonly run: Pick<StoredBackupRun, "id" | "startedAt" | "actor">;
  readonly job: Pick<JobHandle, "signal" | "log">;
  readonly clock: Clock;
  /** KVM Manager's state folder. */
  readonly stateDir: string;
  /** Reads disks in full, also where only what changed could be read. */
  readonly isFull: boolean;
  /** How fast content may be read. */
  readonly pace?: Pace | undefined;
  /** Told how many bytes of disks were copied and kept, each of which counts. */
  readonly onBytes: (done: number) => void;
}
