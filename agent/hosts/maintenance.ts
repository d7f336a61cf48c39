/** Whether a host takes VMs: while it is in maintenance, none is made, brought or started there. */

/** Maintenance of a host, which is checked before work on it. */
export interface HostMaintenance {
  readonly isOn: boolean;
  /** Reason for people; may be empty. */
  readonly reason: string;
  /** @throws {ContractError} HostInMaintenance */
  requireInService(): void;
}

/** Of a host whose maintenance nothing decides. */
export const NO_MAINTENANCE: HostMaintenance = { isOn: false, reason: "", requireInService: () => {} };
