/** Texts of the page of a VM's snapshots. */
export const snapshots = {
  "snapshots.title": "Snapshots",
  "snapshots.what":
    "A snapshot keeps the VM's disks, and its memory while it runs. It is stored with the VM's own disks, so it does not replace a backup.",
  "snapshots.none": "No snapshots yet",
  "snapshots.none_what": "Take one before an update or an experiment, so that you can revert to it.",
  "snapshots.here": "Current",
  "snapshots.with_memory": "Disks and memory, {state}",
  "snapshots.disks": "Disks, while the VM was off",
  "snapshots.external": "Disks, in images of their own (external)",
  "snapshots.was_running": "running",
  "snapshots.was_paused": "paused",
  "snapshots.was_stopped": "stopped",
  "snapshots.was_otherwise": "in another state",
  "snapshots.revert": "Revert",
  "snapshots.revert_named": "Revert to {name}",
  "snapshots.delete": "Delete",
  "snapshots.delete_named": "Delete {name}",
  "snapshots.hindered": "The VM cannot be reverted to it: {reason}.",

  "snapshots.take": "Take a snapshot",
  "snapshots.name": "Name",
  "snapshots.name_hint": "Leave empty to name it after the time",
  "snapshots.description": "Description",
  "snapshots.stands_still": "The VM is paused until its memory ({memory}) is written.",
  "snapshots.beside":
    "It will be external, because {reason}: the VM continues in new images, and its memory is not kept.",
  "snapshots.memory": "Include",
  "snapshots.disks_and_memory": "Disks and memory",
  "snapshots.memory_hint": "Without memory the VM is not paused, and the snapshot is external",
  "snapshots.no_memory": "Disks only",
  "snapshots.quiesces": "The guest agent flushes the guest's file systems first.",
  "snapshots.disks_alone": "The VM is off: only its disks are included.",
  "snapshots.not_now": "No snapshot can be taken: {reason}.",

  "snapshots.revert_title": "Revert to {name}?",
  "snapshots.revert_lost":
    "What is on the VM's disks and in its memory now is lost, unless another snapshot has it. The VM will be {state}, with the hardware that it had then.",
  "snapshots.revert_lost_external":
    "What was written to the VM's disks since is lost, unless another snapshot has it. The VM is stopped first and will be off. Its hardware and its UEFI variables stay as they are now.",
  "snapshots.revert_deletes.one": "This image is deleted:",
  "snapshots.revert_deletes.other": "These {n} images are deleted:",
  "snapshots.taken": "Taken",
  "snapshots.delete_title": "Delete {name}?",
  "snapshots.delete_what": "The VM stays as it is now, but can no longer be reverted to this snapshot.",
  "snapshots.delete_merges":
    "Its images are merged, so that the VM's disks are made of fewer. That takes a while on large disks, and is a task; the VM may run meanwhile.",
  "snapshots.chain_title": "Images of the disks",
  "snapshots.chain_what":
    "A disk of a VM with external snapshots is made of several images, each built on the next. Deleting a snapshot merges its images.",
  "snapshots.chain_of": "Disk {target}",
  "snapshots.chain_head": "The VM writes here",
  "snapshots.chain_snapshot": "Snapshot {name}",
  "snapshots.delete_children.one": "With the snapshot that came from it",
  "snapshots.delete_children.other": "With the {n} snapshots that came from it",
  "snapshots.cancel": "Cancel",
} as const;
