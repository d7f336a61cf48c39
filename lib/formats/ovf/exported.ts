/** Texts of what an exported archive does not have, by code. */
export const EXPORT_WARNINGS = {
  SnapshotsLeft: "Its snapshots are not exported",
  FirmwareLeft: "Its UEFI variables are not exported: the copy starts with the usual boot entries",
  TpmLeft: "The state of its TPM is not exported: disks that are sealed with it ask for their recovery key",
  MediaLeft: "CDs and floppy disks are not exported",
  SharedLeft: "Disk {target} is shared with other VMs and is not exported",
  CardReplaced:
    "Network card {was} is {taken} in the archive: other hypervisors know it. Imported here, it is {was} again",
  BusReplaced:
    "Disks are on SATA in the archive: other hypervisors know it. Imported here, they are on {was} again",
} as const;
