/** Texts of the page of a VM's snapshots. */
export const snapshots = {
  "snapshots.title": "Snapshots",
  "snapshots.what":
    "A snapshot keeps the VM's disks as they are, and its memory while it runs. It needs the images of the VM: it is no backup.",
  "snapshots.none": "No snapshots yet",
  "snapshots.none_what": "Take one before an update or an experiment: the VM can go back to it.",
  "snapshots.here": "The VM is here",
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
  "snapshots.hindered": "The VM cannot go back to it: {reason}.",

  "snapshots.take": "Take a snapshot",
  "snapshots.name": "Name",
  "snapshots.name_hint": "Named after the time when left empty",
  "snapshots.description": "Description",
  "snapshots.stands_still": "The VM stands still until its memory ({memory}) is written.",
  "snapshots.beside":
    "It will be external, because {reason}: the disks go on in new images, and the memory is not kept.",
  "snapshots.memory": "What is kept",
  "snapshots.disks_and_memory": "Disks and memory",
  "snapshots.memory_hint": "Without its memory the VM does not stand still, and the snapshot is external",
  "snapshots.no_memory": "Disks only",
  "snapshots.quiesces": "The guest agent has the guest write everything to its disks first.",
  "snapshots.disks_alone": "The VM is off: its disks are kept.",
  "snapshots.not_now": "No snapshot can be taken: {reason}.",

  "snapshots.revert_title": "Revert to {name}?",
  "snapshots.revert_lost":
    "What the VM has on its disks and in its memory now is lost, unless another snapshot has it. The VM will be {state}, with the hardware that it had then.",
  "snapshots.revert_lost_external":
    "What was written to the VM's disks since is lost, unless another snapshot has it. The VM is stopped first and will be off. Its hardware and its UEFI variables stay as they are now.",
  "snapshots.revert_deletes.one": "This image is deleted:",
  "snapshots.revert_deletes.other": "These {n} images are deleted:",
  "snapshots.taken": "It was taken",
  "snapshots.delete_title": "Delete {name}?",
  "snapshots.delete_what": "The VM stays as it is now. The VM cannot go back to this snapshot any more.",
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
