/** The systemd credential that seals the file of encryption keys. */

/** Its name. */
export const CREDENTIAL_NAME = "kvm-manager.encryption-key";
/** File where systemd looks for it, sealed for this host. */
export const CREDENTIAL_FILE = `/etc/credstore.encrypted/${CREDENTIAL_NAME}`;
