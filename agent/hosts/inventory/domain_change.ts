/** Changes of VMs by others. */

/** A change of a VM without a command of ours, for the activity list. */
export interface DomainChange {
  readonly vmId: string;
  readonly vmName: string;
  readonly event: string;
  /** libvirt's number for why: of "started", `virDomainEventStartedDetailType`. */
  readonly detail?: number;
}
