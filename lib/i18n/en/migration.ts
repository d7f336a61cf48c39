/** Moving VMs to other hosts: what is in the way, and what happens. */
export const migration = {
  "migration.check.devices":
    "It has devices of this host, which stay here. Detach them, or shut the VM down first.",
  "migration.check.shared_folders":
    "It has shared folders, whose content is on this host. Unmount and remove them first.",
  "migration.check.shared_memory": "It shares memory with other programs of this host.",
  "migration.check.vdpa": "A network card of it is served by this host's kernel (vDPA). Detach it first.",
  "migration.check.acceleration":
    "Its screen is drawn by this host's graphics card. Turn 3D acceleration off, and restart the VM, first.",
  "migration.check.transient":
    "What is written to disk {target} is dropped when the VM stops, and is on this host alone. Shut the VM down first.",
  "migration.check.encrypted": "Disk {target} is encrypted, and its passphrase is known on this host alone.",
  "migration.check.snapshots":
    "It has snapshots, which libvirt does not take along ({snapshots}). Delete them first, which keeps the disks as they are now.",
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
    "Only VMs of the system's libvirt (qemu:///system) of the host that KVM Manager runs on can move.",

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
  "migration.check.no_network": "{host} has no network {network}. Make it there, or choose another one.",
  "migration.check.network_off": "The network {network} of {host} is not active. Start it there first.",
  "migration.check.no_bridge": "{host} has no bridge or network device {bridge}. Make it there first.",
  "migration.check.memory":
    "{host} has {free} MiB of memory free, and the VM has {memory} MiB. It may become slow, or other VMs may be ended.",
  "migration.check.covered":
    "What goes by it stays with this KVM Manager, and does not follow it to {host}: {things}. Make its like there.",
  "migration.check.no_pool": "{host} has no storage pool that keeps files. Make one there, or choose a pool.",
  "migration.check.pool": "Disk {target} cannot be copied to the pool {pool} of {host}: {reason}",

  "migration.check.room": "The pool {pool} of {host} may have too little room: {reason}",

  "migration.check.unknown":
    "{host} says that something is in the way which this version does not know: {check}. Update KVM Manager here.",

  "migration.arrives": "Receive VM {name} from {host}",
  "migration.stayed": "The VM stays on the host it comes from.",
  "migration.was_cut": "The connection to the host it comes from was cut.",
  "migration.is_elsewhere": "The VM runs on {host}.",
  "migration.not_known": "Whether it runs on {host} is not known yet: {reason}.",
  "migration.resumed": "The VM goes on here.",
  "migration.is_incoming": "libvirt has not said yet whether the VM has come.",
  "migration.waits": "it waits to move to another host, or moves",
  "migration.full": "{host} to take another VM: as many as it takes at once are coming",
  "migration.not_there_yet": "{host} to answer",
  "migration.moving": "moving to another host",
  "migration.not_from_afar": "its own host moves it. Open KVM Manager of the host that the VM is on",
  "migration.not_let_in":
    "VMs are brought there by its administrators alone, and this host is linked to it, or you are, with less",
  "migration.too_old": "KVM Manager there is too old. Update it",
  "migration.same_host": "it is there already",
  "migration.not_linked": "no KVM Manager is linked there. Install KVM Manager on that host, and link it",
  "migration.volume_stays": "{path} stays: {reason}",
  "migration.was_started": "it was started here while it was copied",
  "migration.copy_stays":
    "The VM was started here while it was copied, and {host} has a copy of it: delete that there, and do not start it",
  "migration.is_here": "The VM is here.",
} as const;
