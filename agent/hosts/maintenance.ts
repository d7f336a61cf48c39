/** Whether a host takes VMs: while it is in maintenance, none is made, brought or started there. */

/** What is asked before. */
export interface HostMaintenance {
  readonly isOn: boolean;
  /** What people are told; may be empty. */
  readonly reason: string;
  /** @throws {ContractError} HostInMaintenance */
  requireInService(): void;
}

/** Of a host whose maintenance nothing decides. */
export const NO_MAINTENANCE: HostMaintenance = { isOn: false, reason: "", requireInService: () => {} };
