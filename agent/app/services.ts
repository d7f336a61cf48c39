/** Services of the application, each made from the records and the services before it. */
import type { VM } from "../../lib/contract/mod.ts";
import { hostRolesIn } from "../../lib/access/host_roles.ts";
import type { AccessWorld } from "../access/authorise.ts";
import { HostAccounts } from "../access/host_accounts.ts";
import { Access } from "../access/mod.ts";
import type { Clock } from "../clock.ts";
import { Consoles } from "../console/consoles.ts";
import { LinkIdentity } from "../hosts/linked/identity.ts";
import { LinkedHosts } from "../hosts/linked/linked_hosts.ts";
import { PeerRecords } from "../hosts/linked/peer_records.ts";
import { Peers } from "../hosts/linked/peers.ts";
import { accessWorldOf } from "../hosts/places.ts";
import type { Membership } from "../hosts/projects.ts";
import { ManagedHosts } from "../hosts/managed_hosts.ts";
import { HostRegistry } from "../hosts/registry.ts";
import { SshFiles } from "../hosts/ssh/files.ts";
import { OperatingSystems } from "../hosts/operating_systems.ts";
import { GuestfsFolders } from "../guestfs/guestfs.ts";
import { Coverage } from "../coverage/coverage.ts";
import { IncomingMigrations } from "../vm/migration/incoming.ts";
import { Projects } from "../projects/projects.ts";
import { IncomingReplications } from "../replication/incoming.ts";
import { Promotion } from "../replication/promotion.ts";
import { ReplicaClaims } from "../replication/replica_claims.ts";
import { Jobs } from "../jobs/jobs.ts";
import { FigureFeed } from "../metrics/figure_feed.ts";
import type { Settings } from "../settings.ts";
import { AppRecords } from "./records.ts";

/** Services that features and hosts share: access, tasks, hosts of both kinds, and what comes from linked ones. */
export abstract class AppServices extends AppRecords {
  readonly jobs: Jobs;
  readonly access: Access;
  /** KVM Managers that may act on this host. */
  readonly peers: Peers;
  readonly hosts: HostRegistry;
  /** Hosts with a KVM Manager of their own. */
  readonly linked: LinkedHosts;
  /** Hosts of both kinds. */
  readonly managed: ManagedHosts;
  /** Hosts of VMs, and the host that a call is about: rights depend on it. */
  readonly places: AccessWorld;
  /** Records that go by VMs' ids, tags and groups. */
  readonly coverage: Coverage;
  /** Projects, and which VMs are in them. */
  readonly projects: Projects;
  readonly consoles: Consoles;
  /** VMs that come from linked hosts. */
  readonly incoming: IncomingMigrations;
  /** Increments of replicas that come from them. */
  readonly incomingReplications: IncomingReplications;
  readonly replicaClaims = new ReplicaClaims();
  /** VMs that are made of replicas. */
  readonly promotion: Promotion;
  /** Figures of hosts and VMs as they are taken. */
  readonly figures = new FigureFeed();
  /** How hosts are reached by SSH. */
  readonly ssh: SshFiles;
  /** Folders of libguestfs. */
  readonly guestfs: GuestfsFolders;
  /** Data of operating systems. */
  readonly systems = new OperatingSystems();

  constructor(settings: Settings, clock: Clock) {
    super(settings, clock);
    const hostRoles = hostRolesIn(settings.pam);
    this.access = new Access(this.store, settings.demo, clock, hostRoles && new HostAccounts(hostRoles));
    this.jobs = new Jobs(this.store, {
      clock,
      onChanged: (jobs) => this.hub.publishAll(jobs.map((job) => ["job-changed", { job }])),
      onProgress: (job) => this.hub.publish("job-progress", { job }),
      names: { current: () => this.hosts.vms(), former: () => this.formerNames.all() },
    });
    this.hosts = new HostRegistry(this.knownVms, (id) => this.hostRecords.get(id)?.isEnabled === false);
    this.linked = new LinkedHosts(
      (vmId) => this.hosts.isKnown(vmId),
      this.vmOwners,
      (hostId) => this.hostRecords.get(hostId) !== undefined,
      (jobId) => this.jobs.has(jobId),
    );
    this.managed = new ManagedHosts(this.hosts, this.linked);
    this.peers = new Peers(
      new PeerRecords(this.store),
      new LinkIdentity(settings.dataDir, this.store.secrets),
      clock,
    );
    this.access.peers = this.peers;
    this.coverage = this.#newCoverage();
    this.projects = this.#newProjects();
    this.ssh = new SshFiles(settings.dataDir, settings.runtimeDir, this.store.secrets);
    this.guestfs = new GuestfsFolders(settings.dataDir);
    this.consoles = new Consoles(
      this.hosts,
      this.linked,
      (vmId) => this.places.vm(vmId),
      (request, caller) => this.access.identify(request, caller),
      clock,
    );
    this.incoming = new IncomingMigrations({
      host: () => this.hosts.local,
      identify: (request, caller) => this.access.identify(request, caller),
      record: (entry) => void this.activity.record(entry),
      keepFigures: (...figures) => this.figureTransfer.get().take(...figures),
    });
    const replicaServices = {
      host: () => this.hosts.local,
      records: this.replications,
      claims: this.replicaClaims,
    };
    this.promotion = new Promotion(replicaServices);
    this.incomingReplications = new IncomingReplications({
      ...replicaServices,
      promotion: this.promotion,
      identify: (request, caller) => this.access.identify(request, caller),
      peerName: (peerId) => this.peers.records.all().find(({ id }) => id === peerId)?.name,
    });
    this.places = accessWorldOf(
      this.managed,
      this.hostRecords,
      (vmId) => this.projects.projectOf(vmId),
    );
  }

  /** Reads the VMs of all hosts, also of those that are not connected. */
  #newCoverage(): Coverage {
    return new Coverage({
      isKnown: () => this.hosts.areSettled && (this.hosts.missing().length === 0 || this.knownVms.isRead),
      vms: () => this.hosts.vms(),
      unread: () => {
        const disabled = this.hostRecords.all().filter(({ isEnabled }) => !isEnabled);
        const missing = new Set([...this.hosts.missing(), ...disabled].map(({ id }) => id));
        return missing.size === 0 ? [] : this.knownVms.present().filter(({ host }) => missing.has(host));
      },
      nameOf: (vmId) => this.hosts.vm(vmId)?.name ?? this.knownVms.get(vmId)?.name,
      isPool: (name) =>
        this.hosts.all().some(({ inventory: { storage } }) =>
          !storage.isKnown || storage.record(name) !== undefined
        ),
    });
  }

  #newProjects(): Projects {
    return new Projects(this.store, {
      vm: (vmId) => this.vm(vmId),
      isAway: (vmId) => this.knownVms.hostOf(vmId) !== undefined || this.vmOwners.hostOf(vmId) !== undefined,
      hasDisksInBin: (vmId) =>
        this.bin.all().some((entry) =>
          entry.vmId === vmId && entry.files.some(({ role }) => role === "disk")
        ),
      changed: (vmId) => this.#memberChanged(vmId),
    }, this.clock);
  }

  /** The VMs of all hosts, those that are read here before those of linked ones. */
  vms(): readonly VM[] {
    return this.managed.vms();
  }

  vm(vmId: string): VM | undefined {
    return this.managed.vm(vmId);
  }

  /** Project and end date of a VM. */
  readonly membershipOf = (vmId: string): Membership => this.projects.membershipOf(vmId);

  /** The project or the end date of a VM is another one: lists and pages are told. */
  #memberChanged(vmId: string): void {
    for (const host of this.managed.all()) host.reshow(vmId);
    this.hub.publish("projects-changed", {});
  }
}
