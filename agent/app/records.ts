/** Records of the application: one database, and the table of each noun in it. */
import { BackupRecords } from "../backups/records.ts";
import { TargetRecords } from "../backups/target_records.ts";
import type { Clock } from "../clock.ts";
import { EventHub } from "../events/hub.ts";
import { FEATURES } from "../features.ts";
import { VmOwners } from "../hosts/linked/vm_owners.ts";
import { HostRecords } from "../hosts/records.ts";
import { BinRecords } from "../storage/bin/records.ts";
import { AccountSshKeys } from "../access/ssh_keys.ts";
import { LeftDisks } from "../storage/images/left_disks.ts";
import { ImageRecords } from "../storage/images/records.ts";
import { FormerNames } from "../vm/former_names.ts";
import { KnownVms } from "../vm/known_vms.ts";
import { ReplicationRecords } from "../replication/records.ts";
import { MetricStore } from "../metrics/metric_store.ts";
import { TemplateRecords } from "../templates/records.ts";
import type { Settings } from "../settings.ts";
import { ActivityLog } from "../store/activity.ts";
import { ClockDrift } from "../store/clock_drift.ts";
import { Journal } from "../store/journal.ts";
import { RejectedCallLog } from "../store/rejected_call_log.ts";
import { Store } from "../store/store.ts";
import { FeatureValues } from "./feature_values.ts";

/** The database, and every record in it: what is kept over a restart. */
export abstract class AppRecords extends FeatureValues {
  readonly hub = new EventHub();
  readonly store: Store;
  /** Whether ages can be trusted. */
  readonly drift: ClockDrift;
  readonly #journal: Journal;
  readonly activity: ActivityLog;
  /** Refused anonymous calls: they are summed up. */
  readonly refusals: RejectedCallLog;
  /** Hosts besides the local one. */
  readonly hostRecords: HostRecords;
  readonly vmOwners: VmOwners;
  /** Names that VMs had. */
  readonly formerNames: FormerNames;
  /** Identities of VMs, and the tags and groups that each was given. */
  readonly knownVms: KnownVms;
  readonly replications: ReplicationRecords;
  /** VMs that were kept as they were. */
  readonly templates: TemplateRecords;
  /** Deleted VMs and volumes that can be restored. */
  readonly bin: BinRecords;
  /** Backups, and where they go. */
  readonly backups: BackupRecords;
  readonly backupTargets: TargetRecords;
  readonly sshKeys: AccountSshKeys;
  /** Policy for downloads of images. */
  readonly images: ImageRecords;
  readonly leftDisks: LeftDisks;
  /** The past of hosts and VMs: a file of its own. */
  readonly metrics: MetricStore;

  constructor(readonly settings: Settings, readonly clock: Clock) {
    super();
    this.store = new Store(
      settings.dataDir,
      (message) => this.hub.publish("error", { message }),
      FEATURES.map(({ name, migrations = [] }) => ({ name, migrations })),
    );
    this.drift = new ClockDrift(clock, this.store);
    this.#journal = new Journal(settings.journal);
    this.activity = new ActivityLog(
      this.store,
      (activity, entry) => {
        this.hub.publish("activity", activity);
        this.#journal.tell(activity, entry);
      },
      undefined,
      clock,
    );
    this.refusals = new RejectedCallLog((entry) => void this.activity.record(entry), clock);
    this.hostRecords = new HostRecords(this.store, () => queueMicrotask(() => this.serveKeptHosts()));
    this.vmOwners = new VmOwners(this.store, clock);
    this.formerNames = new FormerNames(this.store, clock);
    this.knownVms = new KnownVms(this.store, clock);
    this.replications = new ReplicationRecords(this.store);
    this.templates = new TemplateRecords(this.store);
    this.bin = new BinRecords(this.store, settings.binDays, () => this.hub.publish("bin-changed", {}));
    this.backups = new BackupRecords(this.store);
    this.backupTargets = new TargetRecords(this.store);
    this.sshKeys = new AccountSshKeys(this.store);
    this.images = new ImageRecords(this.store);
    this.leftDisks = new LeftDisks(this.store);
    this.metrics = new MetricStore(settings.dataDir, (message) => this.hub.publish("error", { message }));
  }

  /** Begins to serve the hosts that are kept and not served yet: a database that can be read later only has them then. */
  protected abstract serveKeptHosts(): void;

  /** Writes what is not written yet, and closes the database. */
  protected closeRecords(): void {
    this.activity.close();
    this.vmOwners.save();
    this.store.close();
    this.#journal[Symbol.dispose]();
  }
}
