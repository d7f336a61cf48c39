/** Targets that users of linked KVM Managers have set up here, which send data of this host to others. */
export interface PeerTargets {
  /** Names of the targets of alerts that users of a KVM Manager have set up. */
  names(peerId: string): string[];
  /** Deletes them. @throws {ContractError} StoreUnavailable */
  remove(peerId: string): void;
}
