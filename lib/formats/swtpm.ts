/** Files of swtpm, the emulator of TPMs: libvirt gives it a folder for each VM. Pure. */

/** Folder where libvirt's system daemon keeps the state of emulated TPMs, by the UUIDs of their VMs. */
export const TPM_FOLDER = "/var/lib/libvirt/swtpm";

/** Modes of a VM's folder, which swtpm's user goes through, and of the one in it, which libvirt gives to that user. */
export const TPM_MODES = { vm: 0o711, state: 0o700, file: 0o600 } as const;

/** A TPM's state, by the names that swtpm gives it; its lock is none. */
export const TPM_FILES = [
  "tpm2-00.permall",
  "tpm2-00.savestate",
  "tpm2-00.volatilestate",
  "tpm-00.permall",
  "tpm-00.savestate",
  "tpm-00.volatilestate",
] as const;
export type TpmFile = typeof TPM_FILES[number];

/** The most that is taken for a file of a TPM's state, in bytes: such files have some tens of KiB. */
export const MOST_TPM_BYTES = 1024 * 1024;

/** The folder in a VM's own that libvirt gives to a TPM of a file's version. */
export const tpmFolderOf = (file: TpmFile): "tpm2" | "tpm1.2" => file.startsWith("tpm2-") ? "tpm2" : "tpm1.2";
