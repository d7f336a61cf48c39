/** Watches for alerts: the collector's latest figures, and the known states of VMs and hosts. */
import { DAY_MS } from "../../lib/duration.ts";
import {
  type AlertKind,
  type AlertRatio,
  type AlertRule,
  type Hang,
  HOST_RATIOS,
  type VM,
  VM_RATIOS,
} from "../../lib/contract/mod.ts";
import type { Schedule } from "../../lib/contract/schedules.ts";
import type { Cover } from "../../lib/coverage/coverage.ts";
import type { Backup } from "../../lib/contract/backups.ts";
import {
  type CheckResult,
  type RunsBackup,
  seenOfCopies,
  seenOfRun,
  seenOfSchedule,
  seenOfTests,
} from "../../lib/alerts/backups.ts";
import { hangAlertText, hangSubject } from "../../lib/hangs/message.ts";
import { type Observation, observe } from "../../lib/alerts/watch.ts";
import type { Clock } from "../clock.ts";
import type { TakenFigures } from "../metrics/figure_feed.ts";
import type { AlertEngine, AlertRound, Watched } from "./engine.ts";

/** Milliseconds for which a crash or a disk error that libvirt told of counts as going on. */
const EVENT_MS = 10 * 60_000;

/** State of a host for alerts. */
export interface WatchedHost {
  readonly id: string;
  readonly isConnected: boolean;
  readonly vms: readonly VM[];
  /** Objects that do not respond. */
  readonly hangs: readonly Hang[];
}

/** A replica, as far as alerts see it. */
export interface ReplicaLag {
  /** The VM, and the other host. */
  readonly label: string;
  readonly isLate: boolean;
  /** Text on a late one. */
  readonly text: string;
}

/** Milliseconds after the start in which what fired before is not over because nothing is known of it yet. */
const RECALL_MS = 60_000;

/** Kinds that are checked with each round of figures. */
const WITH_FIGURES: ReadonlySet<AlertKind> = new Set([
  "vm_metric",
  "host_metric",
  "vm_crashed",
  "vm_disk_error",
  "guest_agent_silent",
]);
/** Kinds that are checked with the backups. */
const OF_BACKUPS: ReadonlySet<AlertKind> = new Set(["backup_failed", "backup_old", "backup_test_failed"]);
/** Kinds that are about one backup → what it says. */
const OF_ONE_BACKUP: Partial<Record<AlertKind, (backup: Backup) => CheckResult>> = {
  backup_failed: seenOfRun,
  backup_test_failed: seenOfTests,
};
/** libvirt's event → the alert that it is about. */
const OF_EVENT: Readonly<Record<string, AlertKind>> = {
  "crashed": "vm_crashed",
  "io-error": "vm_disk_error",
};

/** The figures of an alert's series, by their part. */
function* figuresOf(
  { series, label }: AlertRule,
  { sources, figures }: TakenFigures,
  ratios: Readonly<Record<string, AlertRatio>>,
): Generator<readonly [label: string, value: number]> {
  if (series === undefined) return;
  const ratio = Object.hasOwn(ratios, series) ? ratios[series] : undefined, wanted = ratio?.of ?? series;
  // Gone through each time: an index of each VM's series would stay in memory, a dozen megabytes for a thousand VMs
  for (const [index, { name, label: part }] of sources.entries()) {
    if (name !== wanted || (label !== undefined && label !== part)) continue;
    const value = figures[index]!;
    if (ratio === undefined) yield [part, value];
    else {
      const total = figures[sources.findIndex((other) => other.name === ratio.in && other.label === part)] ??
        NaN;
      yield [part, total > 0 ? value / total * 100 : NaN];
    }
  }
}

export class AlertWatcher {
  readonly #engine: AlertEngine;
  readonly #clock: Clock;
  readonly #startedAt: number;
  /** When libvirt last told of something bad of a VM: `kind/vmId` → monotonic milliseconds. */
  readonly #told = new Map<string, number>();
  /** VMs whose guest agent has answered since they were started. */
  readonly #answered = new Set<string>();
  /** Objects that have not responded since the start: `host/id of the VM`, or another object's key. */
  readonly #hung = new Set<string>();

  constructor(engine: AlertEngine, clock: Clock) {
    this.#engine = engine;
    this.#clock = clock;
    this.#startedAt = clock.monotonic();
  }

  /** A round of figures was taken on a host. */
  figures({ id, vms }: WatchedHost, taken: readonly TakenFigures[]): void {
    const round = this.#engine.begin(({ watches }) => WITH_FIGURES.has(watches));
    const byId = new Map(vms.map((vm) => [vm.id, vm]));
    const read = new Set(taken.map(({ subject }) => subject));
    for (const each of taken) {
      const vm = each.subject === "" ? undefined : byId.get(each.subject);
      if (each.subject !== "" && vm === undefined) continue;
      const kind = vm === undefined ? "host_metric" : "vm_metric",
        ratios = vm === undefined ? HOST_RATIOS : VM_RATIOS;
      for (const rule of round.rules) {
        if (rule.watches !== kind) continue;
        for (const [label, value] of figuresOf(rule, each, ratios)) {
          round.see(rule, { ...subjectOf(id, vm), label }, observe(value, rule), value);
        }
      }
    }
    for (const vm of vms) this.#seeStates(round, id, vm);
    this.#forgetEvents();
    // A VM that runs and could not be read, is unknown; one that is off or gone, and a part that was taken away, is no more
    round.end(({ host, vmId }, { watches }) => {
      if (host !== id) return undefined;
      const isRunning = vmId === undefined || byId.get(vmId)?.state === "running";
      return watches.endsWith("_metric") && isRunning && !read.has(vmId ?? "") ? "unknown" : "gone";
    });
  }

  /** libvirt told of something of a VM: a crash is not waited for. */
  told(host: string, vm: VM | undefined, event: string): void {
    const kind = OF_EVENT[event];
    if (vm === undefined) return;
    if (event === "started" || event === "stopped") this.#answered.delete(vm.id);
    if (kind === undefined) return;
    this.#told.set(`${kind}/${vm.id}`, this.#clock.monotonic());
    const round = this.#engine.begin((rule) => rule.watches === kind);
    this.#seeStates(round, host, vm);
    round.end();
  }

  /**
   * Checks without figures: the hosts themselves, and this program's certificate.
   *
   * @param certificateEnds milliseconds since 1970; null if there is none, undefined while unknown
   */
  program(hosts: readonly WatchedHost[], certificateEnds: number | null | undefined): void {
    const round = this.#engine.begin(({ watches }) =>
      watches === "host_connection_lost" || watches === "certificate_ends"
    );
    for (const rule of round.rules) {
      if (rule.watches === "certificate_ends") {
        if (certificateEnds === undefined || certificateEnds === null) continue;
        const days = (certificateEnds - this.#clock.now()) / DAY_MS;
        round.see(rule, { host: hosts[0]?.id ?? "", label: "" }, observe(days, rule), days);
      } else {
        for (const { id, isConnected } of hosts) {
          round.see(rule, { host: id, label: "" }, isConnected ? "good" : "bad");
        }
      }
    }
    round.end((_of, { watches }) =>
      watches === "certificate_ends" && certificateEnds === undefined ? "unknown" : "gone"
    );
  }

  /**
   * Checks the objects of a host that do not respond: after each change for alerts that need one check only,
   * and with each round.
   */
  hangs({ id, vms, hangs }: WatchedHost, isRound: boolean): void {
    const round = this.#engine.begin(({ watches, checks }) =>
      watches === "not_responding" && (isRound || checks === 1)
    );
    const byId = new Map(vms.map((vm) => [vm.id, vm]));
    for (const rule of round.rules) {
      for (const hang of hangs) {
        const vm = hang.vmId === undefined ? undefined : byId.get(hang.vmId);
        const of = hang.vmId === undefined
          ? { host: id, label: hangSubject(hang) }
          : { host: id, vmId: hang.vmId, vmName: hang.name, group: vm?.group, label: "" };
        round.see(rule, of, "bad", NaN, hangAlertText(hang));
      }
    }
    const isEarly = this.#clock.monotonic() - this.#startedAt < RECALL_MS;
    round.end(({ host, vmId, label }) => {
      if (host !== id) return undefined;
      return isEarly && !this.#hung.has(`${id}/${vmId ?? label}`) ? "unknown" : "good";
    });
    for (const hang of hangs) this.#hung.add(`${id}/${hang.vmId ?? hangSubject(hang)}`);
  }

  /**
   * The backup jobs: their last runs, and how old what they have of each VM is.
   *
   * @param local the host whose VMs they copy
   * @param others hosts whose VMs they copy no more, or never did
   */
  backups(
    local: WatchedHost,
    others: readonly WatchedHost[],
    backups: readonly Backup[],
    schedules: readonly RunsBackup[],
    newest: (backupId: string, vmId: string) => number | undefined,
  ): void {
    const round = this.#engine.begin(({ watches }) => OF_BACKUPS.has(watches));
    const hosts = [local, ...others];
    const seenOf = seenOfCopies(backups, schedules, this.#clock.now(), newest);
    for (const rule of round.rules) {
      const seenOfOne = OF_ONE_BACKUP[rule.watches];
      if (seenOfOne !== undefined) {
        for (const backup of backups) {
          const { seen, value } = seenOfOne(backup);
          round.see(rule, { host: local.id, label: backup.name }, seen, value);
        }
      } else {
        for (const { id, vms } of hosts) {
          for (const vm of vms) {
            const { seen, value } = seenOf(rule, vm);
            round.see(rule, subjectOf(id, vm), seen, value);
          }
        }
      }
    }
    round.end(({ host }) => hosts.some(({ id }) => id === host) ? "gone" : undefined);
  }

  /**
   * Checks schedules whose last run failed, and faults that leave VMs out.
   *
   * @param faults the faults, each with a sentence; undefined while unknown
   */
  schedules(
    { id }: WatchedHost,
    schedules: readonly Schedule[],
    faults: readonly { readonly cover: Pick<Cover, "kind" | "name">; readonly text: string }[] | undefined,
  ): void {
    const round = this.#engine.begin(({ watches }) =>
      watches === "schedule_failed" || watches === "coverage_lost" && faults !== undefined
    );
    for (const rule of round.rules) {
      if (rule.watches === "coverage_lost") {
        for (const { cover: { kind, name }, text } of faults ?? []) {
          round.see(rule, { host: id, label: `${kind} ${name}` }, "bad", NaN, text);
        }
        continue;
      }
      for (const schedule of schedules) {
        const { seen, value } = seenOfSchedule(schedule);
        round.see(rule, { host: id, label: schedule.name }, seen, value);
      }
    }
    round.end(({ host }, { watches }) =>
      host !== id ? undefined : watches === "coverage_lost" ? "good" : "gone"
    );
  }

  /** Replicas of VMs here and of other hosts, and how far they are behind. */
  replicas({ id }: WatchedHost, replicas: readonly ReplicaLag[]): void {
    const round = this.#engine.begin(({ watches }) => watches === "replica_late");
    for (const rule of round.rules) {
      for (const { label, isLate, text } of replicas) {
        round.see(rule, { host: id, label }, isLate ? "bad" : "good", NaN, text);
      }
    }
    round.end(({ host }) => host === id ? "gone" : undefined);
  }

  #seeStates(round: AlertRound, host: string, vm: VM): void {
    if (vm.state === "running" && vm.guestAgent === "connected") this.#answered.add(vm.id);
    for (const rule of round.rules) {
      const see = STATES[rule.watches];
      if (see === undefined) continue;
      const at = this.#told.get(`${rule.watches}/${vm.id}`);
      const wasTold = at !== undefined && this.#clock.monotonic() - at < EVENT_MS;
      round.see(rule, subjectOf(host, vm), see(vm, wasTold, this.#answered.has(vm.id)));
    }
  }

  #forgetEvents(): void {
    const now = this.#clock.monotonic();
    for (const [key, at] of this.#told) if (now - at >= EVENT_MS) this.#told.delete(key);
  }
}

const subjectOf = (host: string, vm: VM | undefined): Watched =>
  vm === undefined ? { host, label: "" } : { host, vmId: vm.id, vmName: vm.name, group: vm.group, label: "" };

/** Kind of alert → what the state of a VM says. */
const STATES: Readonly<
  Partial<Record<AlertKind, (vm: VM, wasTold: boolean, hasAnswered: boolean) => Observation>>
> = {
  vm_crashed: ({ state }, wasTold) => state === "crashed" || wasTold ? "bad" : "good",
  vm_disk_error: ({ stateReason }, wasTold) => stateReason === "I/O error" || wasTold ? "bad" : "good",
  guest_agent_silent: ({ state, guestAgent }, _wasTold, hasAnswered) => {
    if (state !== "running" || guestAgent === "not configured") return "gone";
    if (guestAgent === "connected") return "good";
    if (guestAgent === "silent") return "bad";
    // One that never answered is not installed: it has not fallen silent
    return hasAnswered ? "bad" : "unknown";
  },
};
