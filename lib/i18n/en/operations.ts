/** Texts for work that was interrupted, once it is settled. The activity list and the task show them. */
export const operations = {
  "operations.cause_link": "The connection to libvirt was lost in the middle.",
  "operations.cause_process": "KVM Manager ended in the middle.",
  "operations.finished": "{cause} It has been finished now.",
  "operations.begun": "{cause} A part of it is done.",
  "operations.undone": "{cause} What it had made was removed: it can be done again.",
  "operations.untouched": "{cause} Nothing was changed: it can be done again.",
  "operations.waits": "{cause} What it left cannot be settled yet: {reason}. It is tried again by itself.",
  "operations.later": "What it left is finished or removed by itself as soon as libvirt answers.",
  "operations.wiped": "A part of it is overwritten: wipe it again.",

  "operations.removed": "Removed: {what}.",
  "operations.left": "Left as it is: {what}, because {reason}.",
  "operations.binned": "Moved to the bin: {what}.",
  "operations.restored": "Restored from the bin: {what}.",
  "operations.thawed": "Thawed: {what}.",
  "operations.thaws_itself": "{what} thaws by itself: its agent does that at the time limit.",
  "operations.started": "Started: {what}.",
  "operations.not_started": "Not started: {what}, because {reason}.",

  "operations.snapshot_begun":
    "The deletion of the snapshot {name} is begun: delete it again to finish that.",
  "operations.snapshot_merged":
    "Disks whose images are merged: {disks}. The deletion of the snapshot {name} is begun: delete it again to finish that.",
  "operations.snapshot_not_reverted": "The VM was not reverted: its disks are as they were.",

  "operations.switched":
    "The disks of {name} use the new images, but libvirt ended before it had stored the snapshot. The next start uses the new images, too.",
  "operations.switched_unknown":
    "QEMU writes the disks of {name} to the new images, which libvirt does not know before the next start. The next start uses the new images: shut the VM down and start it before its next snapshot or backup.",

  "operations.moved": "Disk {target} is on {path}.",
  "operations.move_unclear":
    "disk {target} was just changing over to it from {path}, and either may have what was written last: start the VM with each of them in turn, and keep the one whose data is right",
  "operations.move_unknown":
    "libvirt, which ended meanwhile, takes it for disk {target} until the VM is off: shut the VM down, start it, and delete the old volume then",
  "operations.is_lost": "it runs as process {pid} of the host, which libvirt has lost",
  "operations.is_copied": "QEMU still copies its disk {target}",

  "operations.is_used": "it is used by {name}",
  "operations.is_open": "a program has it open: delete it once the VM is off",
  "operations.goes_on": "the next import of this disk goes on with it; without one it is deleted after a day",
  "operations.is_open_until_off": "a program has it open: it is deleted by itself once the VM is off",
  "operations.is_away": "its folder or its storage pool is not there: delete it once that is back",
  "operations.is_unlockable": "its file system does not tell whether QEMU has it open",
  "operations.is_other": "it is not the one that was made here",
  "operations.is_defined": "somebody has kept it",
  "operations.is_running": "somebody has started it",
  "operations.is_starting": "libvirt has not said yet how its start ended",
  "operations.was_used": "its disks were written to since",
  "operations.too_late": "that was too long ago",
  "operations.pool_off": "the storage pool {pool} is not active",
  "operations.copy_runs": "a program still writes to {path}",
} as const;
