/** Moving VMs to other hosts: what is in the way, and what happens. */
export const migration = {
  "migration.check.devices":
    "It has devices of this host, which stay here. Detach them, or shut the VM down first.",
  "migration.check.shared_folders":
    "It has shared folders, whose content is on this host. Unmount and remove them first.",
  "migration.check.shared_memory": "It shares memory with other programs of this host.",
  "migration.check.vdpa":
    "A network interface of it is served by this host's kernel (vDPA). Detach it first.",
  "migration.check.acceleration":
    "Its screen is drawn by this host's graphics card. Turn 3D acceleration off, and restart the VM, first.",
  "migration.check.transient":
    "What is written to disk {target} is dropped when the VM stops, and is on this host alone. Shut the VM down first.",
  "migration.check.encrypted": "Disk {target} is encrypted, and its passphrase is known on this host alone.",
  "migration.check.snapshots":
    "It has snapshots, which libvirt does not take along while it runs ({snapshots}). Shut it down, and they go along, or delete them first, which keeps the disks as they are now.",
  "migration.check.snapshots_dropped":
    "Its snapshots are not there any more once it has moved: {snapshots}. What it has now goes along.",
  "migration.check.snapshot_memory":
    "The memory of snapshot {snapshot} is in a file of its own, which is not moved. Delete that snapshot first, or move the VM without its snapshots.",
  "migration.check.snapshot_image":
    "The images of disk {target} cannot be copied with its snapshots: {reason} Move the VM without its snapshots.",
  "migration.check.image_apart":
    "Disk {target} is on storage that {host} has, too, and {path}, which a snapshot needs, is not. Move that image there, or delete the snapshot.",
  "migration.check.image_pool":
    "The pool {pool} of {host} keeps no files, which the snapshots of disk {target} need. Choose another pool, or move the VM without its snapshots.",
  "migration.check.checkpoint":
    "It has a checkpoint of another program ({checkpoint}), which would be lost. Delete it with that program.",
  "migration.check.copied": "Its disks are being copied or merged just now. Wait until that has ended.",
  "migration.check.changed_disk":
    "Disk {target} changes at the VM's next start. Restart the VM, or discard that change, first.",
  "migration.check.disk_kind": "Disk {target} is of the kind {kind}, which is not copied. Detach it first.",
  "migration.check.shareable":
    "Disk {target} is shared with other VMs of this host, and its image is not on storage that {host} has, too.",
  "migration.check.medium":
    "The medium in drive {target} ({path}) is not on storage that {host} has, too. Eject it first.",
  "migration.check.not_local": "{host} does not run its VMs by the system's libvirt (qemu:///system).",

  "migration.check.source_not_local":
    "To a linked host, only VMs of the system's libvirt (qemu:///system) of a KVM Manager's own host can move. Move it to the host of this KVM Manager first, or install KVM Manager on its host, and link that.",

  "migration.check.maintenance":
    "{host} is in maintenance, and takes no VMs. Choose another host, or end the maintenance there.",
  "migration.check.placement":
    "On {host} it goes against rules of placement ({rules}). It moves there only if that is confirmed.",
  "migration.check.name_taken": "{host} has another VM with the name {name}. Rename one of them first.",
  "migration.check.id_taken":
    "{host} has a VM with the same id ({name}): what was left of this VM there. Look at it, and delete it there first.",
  "migration.check.arch": "{host} runs no VMs of the architecture {arch}.",
  "migration.check.kvm":
    "{host} has no KVM: virtualization is off in its firmware, or its modules are not loaded.",
  "migration.check.machine":
    "QEMU of {host} does not know the machine type {machine}. Update QEMU there, or change the VM's machine type and restart it.",
  "migration.check.emulator": "{host} has no {path}. Install QEMU there at the same place.",
  "migration.check.firmware": "{host} has no firmware {path}. Install it there (Debian: ovmf).",
  "migration.check.cpu_mode":
    "Its processor is that of this host ({mode}). On a host with another processor it does not start, or its guest fails: choose a CPU model that both have for hosts that differ.",
  "migration.check.cpu":
    "The processor of {host} lacks what the VM has: {missing}. Choose a CPU model that both hosts have, or turn those features off, and restart the VM.",
  "migration.check.dirty":
    "The guest changes {dirty} of its memory, and the link carries {line}. Without slowing it down, the move would not end: leave that on, allow a longer downtime or more bandwidth, or move it when it has less to do.",
  "migration.check.direct":
    "QEMU sends memory and disks to {address} itself, with TLS. Both hosts need certificates for QEMU in /etc/pki/qemu that name them, and {host} must let ports 49152 to 49215 in.",
  "migration.check.compression_one":
    "The compression {compression} is for memory that is sent by one connection. Leave out the number of connections, or choose zstd.",
  "migration.check.compression_several":
    "The compression {compression} is for memory that is sent by several connections. Set their number, or choose xbzrle.",
  "migration.check.compression_version":
    "The compression {compression} needs libvirt 9.4 on this host and on {host}. Choose xbzrle, or none.",
  "migration.check.no_network": "{host} has no network {network}. Make it there, or choose another one.",
  "migration.check.network_off": "The network {network} of {host} is not active. Start it there first.",
  "migration.check.no_bridge": "{host} has no bridge or network device {bridge}. Make it there first.",
  "migration.check.memory":
    "{host} has {free} MiB of memory free, and the VM has {memory} MiB. It may become slow, or other VMs may be ended.",
  "migration.check.covered":
    "This stays with KVM Manager of the host that it leaves, and does nothing for it on {host}: {things}. Set it up there.",
  "migration.check.rights":
    "Who has rights to it here keeps them, through the link to {host} ({things}). KVM Manager there has users and rights of its own.",
  "migration.check.no_pool": "{host} has no storage pool that keeps files. Make one there, or choose a pool.",
  "migration.check.pool": "Disk {target} cannot be copied to the pool {pool} of {host}: {reason}",

  "migration.check.room": "The pool {pool} of {host} may have too little room: {reason}",

  "migration.check.agentless_live":
    "The VM is running. Without KVM Manager on both hosts, only a VM that is off can move. Shut it down first, or install KVM Manager on both hosts and link them.",
  "migration.check.agentless_snapshots":
    "It has snapshots ({snapshots}), which move only with KVM Manager on both hosts. Delete them first, or install KVM Manager on both hosts and link them.",
  "migration.check.agentless_state":
    "Its UEFI variables or the state of its TPM are in files that libvirt does not hand out. Install KVM Manager on both hosts, and link them: they go along then.",
  "migration.check.agentless_disk":
    "Disk {target} ({path}) is in no started storage pool of its host. Create a pool for its folder there first.",
  "migration.check.agentless_base":
    "Disk {target} is built on {path}, which would stay. Clone the VM, and move the clone: its disks stand alone.",
  "migration.check.agentless_format":
    "Disk {target} is an image file that is copied as it is, and the pool {pool} of {host} keeps no files of its format. Choose another pool.",
  "migration.check.bridge_unseen":
    "Whether {host} has the bridge or network device {bridge} cannot be seen by its libvirt. Without it the VM does not start there.",

  "migration.check.unknown":
    "{host} says that something is in the way which this version does not know: {check}. Update KVM Manager here.",

  "migration.arrives": "Receive VM {name} from {host}",
  "migration.stayed": "The VM stays on the host it comes from.",
  "migration.was_cut": "The connection to the host it comes from was cut.",
  "migration.ran_twice":
    "It ran on both hosts for a moment, for the last answer of {host} was lost: the copy here was ended.",
  "migration.answer_lost": "The last answer of {host} was lost: the copy here, which stood still, was ended.",
  "migration.is_elsewhere": "The VM runs on {host}.",
  "migration.not_known": "Whether it runs on {host} is not known yet: {reason}.",
  "migration.resumed": "The VM goes on here.",
  "migration.is_incoming": "libvirt has not said yet whether the VM has come.",
  "migration.waits": "it waits to move to another host, or moves",
  "migration.full": "{host} to take another VM: as many as it takes at once are coming",
  "migration.not_there_yet": "{host} to answer",
  "migration.moving": "moving to another host",
  "migration.that_host": "that host",
  "migration.no_link_there":
    "KVM Manager of the VM's host has no link to it. Open that one, and link it there (Settings → Hosts)",
  "migration.not_let_in":
    "VMs are brought there by its administrators alone, and this host is linked to it, or you are, with less",
  "migration.too_old": "KVM Manager there is too old. Update it",
  "migration.same_host": "it is there already",
  "migration.not_linked": "no KVM Manager is linked there. Install KVM Manager on that host, and link it",
  "migration.round": "Memory, round {round}: {left} left, {rate}",
  "migration.round_downtime":
    "Memory, round {round}: {left} left, {rate}; the guest will stand still for about {downtime} ms",
  "migration.thing_stays": "{name} stays with the host that it left: {reason}. Set it up on the other one.",
  "migration.figures_stay": "Its earlier figures stay with the host that it left: {reason}.",
  "migration.volume_stays": "{path} stays: {reason}",
  "migration.was_started": "it was started here while it was copied",
  "migration.was_snapshotted": "its snapshots changed while it was copied. Try again",
  "migration.copy_stays":
    "The VM was started here while it was copied, and {host} has a copy of it: delete that there, and do not start it",
  "migration.is_here": "The VM is here.",
} as const;
