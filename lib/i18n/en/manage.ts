/** Texts of renaming, cloning, importing, and of what goes when a VM is deleted. */
export const manage = {
  "manage.cancel": "Cancel",
  "manage.name": "Name",
  "manage.name_hint": "1–64 letters, digits, dashes, underscores and single dots; no digit or dash first.",

  "manage.boot_title": "Boot {name} once from…",
  "manage.boot_what":
    "For this start only: its configuration stays as it is. Restarts of the guest boot from there, too, until the VM is off.",
  "manage.boot_from": "Boot from",
  "manage.boot_disk": "Disk",
  "manage.boot_disk_what": "The system that is installed, before anything else in its boot order.",
  "manage.boot_cdrom": "CD-ROM",
  "manage.boot_cdrom_what":
    "The medium in its drive: an installer, or a rescue system. It may ask for a key on the console.",
  "manage.boot_network": "Network",
  "manage.boot_network_what": "PXE: a server on the VM's network tells what to boot.",
  "manage.boot_menu": "Boot menu",
  "manage.boot_menu_what":
    "The firmware waits 30 seconds for Esc on the console, then lists what can be booted.",
  "manage.boot_no_disk": "The VM has no disk.",
  "manage.boot_no_drive": "The VM has no CD-ROM drive.",
  "manage.boot_empty_drive": "The VM's CD-ROM drive is empty. Insert a medium first.",
  "manage.boot_no_network": "The VM has no network interface.",
  "manage.boot_not_off": "Only a stopped VM can be booted from elsewhere. Shut it down first.",
  "manage.boot_suspended":
    "The VM is suspended: its memory would go on instead of booting. Resume it and shut it down first, or discard its saved memory.",
  "manage.boot_do": "Start",
  "manage.boot_do_console": "Start and open console",

  "manage.log_what":
    "What libvirt and QEMU wrote when the VM was started and ran: command lines, warnings, why a start failed.",
  "manage.log_newest": "Newest lines",
  "manage.log_changed": "Last written",
  "manage.log_lines": "Last {n} lines",
  "manage.log_all": "All {n} lines",
  "manage.log_more": "Show {n} lines",
  "manage.log_refresh": "Refresh",
  "manage.log_copy": "log",
  "manage.log_none": "No QEMU log yet",
  "manage.log_failed": "The log cannot be shown",

  "manage.rename_title": "Rename {name}",
  "manage.rename_what": "Its disks, UUID and addresses stay as they are. Their files keep their names.",
  "manage.rename_do": "Rename",
  "manage.rename_doing": "Renaming…",

  "manage.clone_title": "Clone {name}",
  "manage.clone_what":
    "The copy gets a UUID and MAC addresses of its own. CDs and shared disks are used by both.",
  "manage.clone_live":
    "The VM keeps running. Its disks are copied as of one moment: with a guest agent the file systems are consistent, without one the clone starts as after a power cut. Memory is not copied. To clone a snapshot, shut the VM down first.",
  "manage.clone_do": "Clone",
  "manage.clone_doing": "Cloning… Large disks take a while. This goes on when you leave the page.",
  "manage.clone_kind": "Disks",
  "manage.clone_of": "Copy the disks as they",
  "manage.clone_of_hint": "A copy of a snapshot is a full copy. Its hardware is that of the VM now.",
  "manage.clone_now": "are now",
  "manage.clone_snapshot": "were in the snapshot {name}",
  "manage.clone_full": "Full copy",
  "manage.clone_full_what": "The copy stands on its own. Takes time and space.",
  "manage.clone_linked": "Linked",
  "manage.clone_linked_what":
    "Made at once, keeps only what changes. Needs the original's disks: do not start the original again while linked clones exist, or they break.",
  "manage.clone_linked_live":
    "Not while the VM is on: it writes to the disks that the linked ones would be built on. Shut it down first.",

  "manage.clone_tpm": "TPM",
  "manage.clone_tpm_copy": "Copy",
  "manage.clone_tpm_copy_what":
    "What the guest has sealed with its TPM, such as BitLocker's keys, opens in the copy, too.",
  "manage.clone_tpm_new": "New",
  "manage.clone_tpm_new_what":
    "An empty TPM of its own. Keep recovery keys of disks that the TPM unlocks at hand.",

  "manage.import_title": "Import a VM",
  "manage.import_what":
    "Defines a VM from libvirt XML, for example one exported here. Its disks must be on this host already. Nothing is started.",
  "manage.import_file": "XML file",
  "manage.import_xml": "or its text",
  "manage.import_name": "Name, if not the one in the XML",
  "manage.import_new_id": "New UUID",
  "manage.import_new_macs": "New MAC addresses",
  "manage.import_allow_missing": "Import even if disks are missing",
  "manage.import_do": "Import",
  "manage.import_doing": "Importing…",
  "manage.import_empty": "Choose a file, or paste the XML.",

  "manage.plan_loading": "Looking at its disks…",
  "manage.plan_failed": "Its disks could not be looked at, so none of them can be deleted here.",
  "manage.plan_disks": "Also delete these disks? Their data is gone for good.",
  "manage.plan_disks_bin": "Also delete these disks? The bin keeps them with the VM.",
  "manage.plan_for_good": "gone for good, because the bin cannot keep it: {reason}",
  "manage.plan_bin.one": "It stays in the bin for {n} day, and can be restored from there.",
  "manage.plan_bin.other": "It stays in the bin for {n} days, and can be restored from there.",
  "manage.plan_no_bin": "This cannot be undone: the bin is off.",
  "manage.permanently": "Delete permanently",
  "manage.permanently_hint": "It does not go into the bin. This cannot be undone.",
  "manage.plan_kept": "These stay:",
  "manage.plan_kept_why": "stays: {reason}",
  "manage.plan_pool": "pool {pool}",
  "manage.plan_size": "{size} on this host",
  "manage.plan_also": "Also lost with the VM:",
  "manage.plan_snapshots.one": "{n} snapshot's record",
  "manage.plan_snapshots.other": "{n} snapshots' records",
  "manage.plan_checkpoints.one": "{n} backup checkpoint",
  "manage.plan_checkpoints.other": "{n} backup checkpoints",
  "manage.plan_saved": "its saved memory",
  "manage.plan_nvram": "its UEFI variables: {path}",
} as const;
