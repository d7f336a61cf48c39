/** What users of linked KVM Managers have set up here and that tells others of this host. */
export interface PeerTargets {
  /** Names of the targets of alerts that users of a KVM Manager have set up. */
  names(peerId: string): string[];
  /** Deletes them. @throws {ContractError} StoreUnavailable */
  remove(peerId: string): void;
}
