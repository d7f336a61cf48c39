/** Texts about libvirt's lock manager, and a cluster around the host. */
export const lockManager = {
  "lock_manager.what":
    "A VM that is started on two hosts at the same time destroys its disks. With virtlockd, libvirt takes a lease of each writable disk before a VM runs, and another host that shares the storage is refused.",
  "lock_manager.docs": "What guards what is in docs/double-starts.md.",
  "lock_manager.now": "Now",
  "lock_manager.driver": "Lock manager",
  "lock_manager.driver_none": "None: QEMU's own locks only",
  "lock_manager.driver_lockd": "virtlockd",
  "lock_manager.driver_sanlock": "sanlock",
  "lock_manager.driver_unknown": "Not known",
  "lock_manager.daemon": "Lock daemon",
  "lock_manager.daemon_on": "Listens",
  "lock_manager.daemon_off": "Does not run",
  "lock_manager.leases": "Leases held",
  "lock_manager.lockspace": "Folder for leases",
  "lock_manager.lockspace_none": "None: on the disks' own files",
  "lock_manager.lockspace_local": "{folder}, which is this host's own",
  "lock_manager.running": "Running VMs",
  "lock_manager.shared": "Disks that other hosts may reach",
  "lock_manager.shared_none": "None known",
  "lock_manager.vm": "VM",
  "lock_manager.disk": "Disk",
  "lock_manager.storage": "Storage",
  "lock_manager.shareable": "{storage} (shareable)",
  "lock_manager.unguarded": "{storage} (virtlockd gives no leases for it)",
  "lock_manager.others": "Linked hosts",
  "lock_manager.host": "Host",
  "lock_manager.common": "In common with this host",
  "lock_manager.common_none": "nothing known",
  "lock_manager.no_answer": "No answer",
  "lock_manager.turn_on": "Turn virtlockd on",
  "lock_manager.change": "Change",
  "lock_manager.turn_off": "Turn virtlockd off",
  "lock_manager.on_means_leases":
    "VMs get leases when they are started or resumed next. VMs that run now have none until then.",
  "lock_manager.on_means_daemon":
    "While virtlockd is away, no VM can be started or resumed. VMs that run go on running.",
  "lock_manager.on_means_restart":
    "Never restart virtlockd while VMs run: they lose their leases without a sign. Package updates reload it, which keeps them.",
  "lock_manager.on_means_pause":
    "A paused VM gives its lease back, and is refused when another host has it by then.",
  "lock_manager.on_means_all":
    "Turn it on on every host that shares the storage, with the same folder for leases.",
  "lock_manager.on_means_files":
    "qemu.conf and qemu-lockd.conf are changed, with copies next to them, and libvirt is restarted. A small VM shows that it gets a lease; when that fails, everything is put back.",
  "lock_manager.off_means":
    "VMs get no leases any more when they are started. Leases that are held now stay until their VMs end. libvirt is restarted; VMs go on running.",
  "lock_manager.lockspace_hint":
    "Empty for NFS and other shared file systems. For block devices: a folder on storage that all hosts share.",
  "lock_manager.restart": "Restart libvirt now",
  "lock_manager.while_running.one":
    "Although one VM runs. If it is paused and resumed before it was shut down, its lease stays behind when it ends, until virtlockd is restarted.",
  "lock_manager.while_running.other":
    "Although {n} VMs run. One that is paused and resumed before it was shut down leaves its lease behind when it ends, until virtlockd is restarted.",
  "lock_manager.turn_on_sanlock": "Turn sanlock on",
  "lock_manager.turn_off_sanlock": "Turn sanlock off",
  "lock_manager.sanlock_means_reset":
    "sanlock must run already, with its watchdog: it ends VMs when the storage of the leases is lost, and resets this host when they cannot be ended.",
  "lock_manager.sanlock_means_leases":
    "VMs get leases when they are started next. A paused VM gives its lease back, and is refused when another host has it by then.",
  "lock_manager.sanlock_means_all":
    "Turn it on on every host that shares the storage, with the same folder for leases and another number. It sees nothing of hosts with virtlockd.",
  "lock_manager.sanlock_means_files":
    "qemu.conf and qemu-sanlock.conf are changed, with copies next to them, and libvirt is restarted, which takes 20 seconds or more. A small VM shows that it gets a lease; when that fails, everything is put back.",
  "lock_manager.sanlock_lockspace_hint": "On storage that all of these hosts share.",
  "lock_manager.sanlock_while_running.one":
    "Although one VM runs. It has no lease until it is shut down and started again.",
  "lock_manager.sanlock_while_running.other":
    "Although {n} VMs run. They have no leases until they are shut down and started again.",
  "lock_manager.host_number": "Number of this host",
  "lock_manager.host_number_hint": "From 1 to 2000, another one on each host that shares the folder.",
  "lock_manager.as_root": "On the host, as root:",
  "lock_manager.command": "command",
  "lock_manager.obstacle": "It cannot be changed from here: {reason}",
  "lock_manager.not_root":
    "KVM Manager's service may not change /etc/libvirt or restart libvirt. Run on the host, as root: kvm-manager lock-manager lockd --restart",
  "lock_manager.elsewhere":
    "KVM Manager changes it on the host that it runs on only. Run kvm-manager lock-manager there",
  "lock_manager.tasks":
    "tasks are under way on this host, which a restart of libvirt would end. Wait for them.",
  "lock_manager.busy_elsewhere":
    "another KVM Manager on this host changes it just now. Try again when that is done.",
  "lock_manager.busy": "another change of it is under way. See Tasks for progress.",
  "lock_manager.job_on": "Turn virtlockd on",
  "lock_manager.job_off": "Turn virtlockd off",
  "lock_manager.interrupted":
    "Look at Settings, Disk leases: the files may be changed without libvirt having been restarted. Set it once more.",
  "lock_manager.step_daemon": "Starting virtlockd",
  "lock_manager.step_folder": "Looking at the folder for leases",
  "lock_manager.step_files": "Changing libvirt's files",
  "lock_manager.step_restart": "Restarting libvirt",
  "lock_manager.step_verify": "Seeing whether a VM gets a lease",
  "lock_manager.copied": "{path} changed; {backup} has what was there before",
  "lock_manager.undo_restart": "restarting libvirt with the former files",
  "lock_manager.lost_vms": "libvirt does not know {n} of the VMs that ran before",
  "lock_manager.no_folder": "{folder} is no folder on this host. Mount or create it first",
  "lock_manager.not_loaded": "libvirt was restarted and has not taken the setting over",
  "lock_manager.libvirt_ended": "libvirt ended after its restart. Its log says why",
  "lock_manager.not_joined":
    "sanlock has not joined as {wanted}. Another host may have this number, or its daemon may not reach the folder",
  "lock_manager.undone": "All changes were rolled back.",
  "lock_manager.left": "Not everything could be rolled back: {what}",
  "cluster.title": "Pacemaker cluster",
  "cluster.nodes": "Hosts",
  "cluster.resources": "Resources",
  "cluster.resource": "Resource",
  "cluster.role": "State",
  "cluster.on": "On",
  "cluster.failed": "{role}, failed",
  "cluster.unmanaged": "{role}, not managed",
  "cluster.quorum": "Quorum",
  "cluster.fencing": "Fencing",
  "cluster.yes": "Yes",
  "cluster.no": "No",
  "cluster.online": "Online",
  "cluster.offline": "Offline",
  "cluster.unclean": "To be fenced",
  "cluster.standby": "Standby",
  "cluster.error": "Its state cannot be seen: {reason}",
  "cluster.warning":
    "Pacemaker decides where these VMs run: {vms}. Start, stop and move them there (crm_resource), or it does so against you.",
} as const;
