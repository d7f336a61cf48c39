/** Texts of insights, and of the page that shows them. Of each rule: what, seen, why, what to do. */
export const insights = {
  "insights.waits": "A change waits for the next start of the VM already.",

  "insights.cpu_oversized.title": "More CPU than needed",
  "insights.cpu_oversized.seen":
    "For 95 % of the time the load was at most {p95} %, and its highest reading {max} %. vCPUs: {now}.",
  "insights.cpu_oversized.why": "vCPUs that are not used make the host's scheduler work, and other VMs wait.",
  "insights.cpu_oversized.advice":
    "Give the VM fewer vCPUs: with {next} the highest load that was seen still fits.",
  "insights.cpu_oversized.change": "vCPUs: {now} → {next}, from the next start on.",

  "insights.cpu_undersized.title": "Too little CPU",
  "insights.cpu_undersized.seen":
    "The load was {p50} % or more for half of the time, and {p95} % or more for 5 % of it. vCPUs: {now}.",
  "insights.cpu_undersized.why": "Programs in the guest wait for a CPU: everything in it is slower.",
  "insights.cpu_undersized.advice":
    "Find out what uses the CPU in the guest. If it is the guest's work, give it more vCPUs, as far as the host has them.",
  "insights.cpu_undersized.change": "vCPUs: {now} → {next}, from the next start on.",

  "insights.cpu_spikes.title": "CPU spikes",
  "insights.cpu_spikes.seen": "The load was at most {p95} % for 95 % of the time, but reached {max} %.",
  "insights.cpu_spikes.why": "Short peaks slow the guest down while they last, and are lost in averages.",
  "insights.cpu_spikes.advice":
    "Look at the graph when they come: a timer or a backup in the guest may be moved.",

  "insights.cpu_steal.title": "VM waits for the host's CPU",
  "insights.cpu_steal.seen":
    "Its vCPUs were ready and had to wait for {avg} % of the time on average, {p95} % or more for 5 % of it.",
  "insights.cpu_steal.why": "The host runs something else meanwhile. More vCPUs for this VM make it worse.",
  "insights.cpu_steal.advice": "Move VMs to another host, or give oversized ones fewer vCPUs.",

  "insights.memory_oversized.title": "More memory than needed",
  "insights.memory_oversized.seen":
    "The guest used {used} at most, {max} % of the memory that it sees. The VM has {now}.",
  "insights.memory_oversized.why": "Memory that one VM holds, others cannot have.",
  "insights.memory_oversized.advice": "Give the VM {next}: half more than the most it used.",
  "insights.memory_oversized.change": "Memory: {now} → {next}, from the next start on.",

  "insights.memory_undersized.title": "Too little memory",
  "insights.memory_undersized.seen":
    "The guest used {used} or more for 5 % of the time: {p95} % of the memory that it sees. The VM has {now}.",
  "insights.memory_undersized.why":
    "A guest without free memory swaps, drops its caches, and ends programs in the end.",
  "insights.memory_undersized.advice":
    "Find out what uses the memory in the guest. If it is the guest's work, give it {next}.",
  "insights.memory_undersized.change": "Memory: {now} → {next}, from the next start on.",

  "insights.balloon_pressure.title": "Balloon holds memory back",
  "insights.balloon_pressure.seen":
    "The VM has {now} of {next}, and the guest used {p95} % of what it sees or more for 5 % of the time.",
  "insights.balloon_pressure.why": "The guest is short of memory that was meant for it.",
  "insights.balloon_pressure.advice": "Give the VM all of its {next}, if the host has them.",
  "insights.balloon_pressure.change": "Memory: {now} → {next}, from the next start on.",

  "insights.disk_latency.title": "Slow disk",
  "insights.disk_latency.seen":
    "Operations of {disk} took {p50} ms in the middle, {p95} ms or more for 5 % of the time.",
  "insights.disk_latency.why": "Databases and whatever writes safely wait for each of these operations.",
  "insights.disk_latency.advice":
    "Look whether other VMs load the same storage, whether its pool is full, and what cache mode the disk has.",

  "insights.packet_drops.title": "Packets are dropped",
  "insights.packet_drops.seen": "The network interface {nic} lost {avg} packets each second on average.",
  "insights.packet_drops.why": "What is lost is sent again: connections are slow, and calls break up.",
  "insights.packet_drops.advice":
    "Look whether the guest has enough CPU, and whether its card is of the model virtio.",

  "insights.disk_emulated.title": "Disk without virtio",
  "insights.disk_emulated.seen": "The disk {disk} is on the bus {bus}.",
  "insights.disk_emulated.why": "QEMU emulates that bus register by register: it costs CPU and is slower.",
  "insights.disk_emulated.advice":
    "Install the virtio drivers in the guest, then move the disk to the bus virtio. Without them the guest does not boot.",

  "insights.nic_emulated.title": "Network interface without virtio",
  "insights.nic_emulated.seen": "The network interface {nic} is of the model {model}.",
  "insights.nic_emulated.why": "QEMU emulates that card register by register: it costs CPU and is slower.",
  "insights.nic_emulated.advice":
    "Install the virtio drivers in the guest, then change the card's model to virtio. Linux has them.",

  "insights.agent_missing.title": "No guest agent channel",
  "insights.agent_missing.seen": "The VM has no channel for the QEMU guest agent.",
  "insights.agent_missing.why":
    "Without it the guest cannot be frozen for a consistent copy, and its addresses are less well known.",
  "insights.agent_missing.advice":
    "Add the channel org.qemu.guest_agent.0 to the VM, and install qemu-guest-agent in the guest.",

  "insights.agent_silent.title": "Guest agent does not answer",
  "insights.agent_silent.seen": "The VM has a channel for the guest agent, and nothing in the guest uses it.",
  "insights.agent_silent.why":
    "Without it the guest cannot be frozen for a consistent copy, and its addresses are less well known.",
  "insights.agent_silent.advice": "Install and start qemu-guest-agent in the guest.",

  "insights.backup_missing.title": "No backup",
  "insights.backup_missing.seen": "No backup job backed up this VM in its last run.",
  "insights.backup_missing.why": "What is lost with its disks is lost for good.",
  "insights.backup_missing.advice": "Add the VM to a backup job, or create one, on the page Backups.",

  "insights.backup_failed.title": "Backup failed",
  "insights.backup_failed.seen": "The last run of a backup job did not back up this VM.",
  "insights.backup_failed.why": "What changed since the backup before would be lost.",
  "insights.backup_failed.advice": "See on the page Backups why it failed, and run the job again.",

  "insights.backup_old.title": "Backup is old",
  "insights.backup_old.seen": "The newest backup is {days} days old.",
  "insights.backup_old.why": "What changed since would be lost.",
  "insights.backup_old.advice":
    "Let the backup job run more often, or see on the page Backups why it does not.",

  "insights.snapshots_stale.title": "Old snapshots",
  "insights.snapshots_stale.seen": "Old ones: {n}, the oldest {days} days: {names}",
  "insights.snapshots_stale.why":
    "They take up more room the more the VM writes; external ones slow reads down, too. They are no backup.",
  "insights.snapshots_stale.advice":
    "On the tab Snapshots, delete those that are no longer needed: the VM stays as it is. Keep what is to last in a backup.",

  "insights.snapshots_many.title": "Many external snapshots",
  "insights.snapshots_many.seen": "Its disks are read through {n} external snapshots.",
  "insights.snapshots_many.why":
    "Each of them is one more image to look in: reads get slower, and one lost file is all of them.",
  "insights.snapshots_many.advice":
    "Delete on the tab Snapshots what is not needed: its content is merged while the VM runs.",

  "insights.pool_full.title": "Storage pool is nearly full",
  "insights.pool_full.seen": "The pool {pool} is {used} % full: {free} of {size} are free.",
  "insights.pool_full.why": "VMs whose disks grow stop when nothing is left.",
  "insights.pool_full.advice": "Delete what is not needed, move disks to another pool, or enlarge it.",

  "insights.volumes_unused.title": "Volumes that no VM uses",
  "insights.volumes_unused.seen":
    "Pool {pool} has disk images that no VM uses ({n}, {size} together): {names}",
  "insights.volumes_unused.why": "They take up space, and no VM or template uses them.",
  "insights.volumes_unused.advice":
    "Check what they are, and delete those you no longer need. Images that you create VMs from are listed, too, and so is what other hosts or programs use.",

  "insights.host_cpu.title": "Host is short of CPU",
  "insights.host_cpu.seen": "Its load was {p50} % in the middle, and {p95} % or more for 5 % of the time.",
  "insights.host_cpu.why": "All VMs of the host wait for each other.",
  "insights.host_cpu.advice": "Move VMs to another host, or shut down what is not needed.",

  "insights.host_memory.title": "Host is short of memory",
  "insights.host_memory.seen": "{p95} % of {size} or more were in use for 5 % of the time.",
  "insights.host_memory.why": "A host without memory swaps, and its kernel ends VMs in the end.",
  "insights.host_memory.advice": "Give oversized VMs less, or move some to another host.",

  "insights.host_cpu_overcommit.title": "Many vCPUs for the host",
  "insights.host_cpu_overcommit.seen": "Running VMs have {cpus} vCPUs on {threads} threads.",
  "insights.host_cpu_overcommit.why": "That is fine as long as they are idle; when they work, they wait.",
  "insights.host_cpu_overcommit.advice": "Give oversized VMs fewer vCPUs.",

  "insights.host_memory_overcommit.title": "VMs have more memory than the host",
  "insights.host_memory_overcommit.seen": "Running VMs have {vms}, {taken} % of the host's {size}.",
  "insights.host_memory_overcommit.why":
    "When they use it, the host swaps, and its kernel ends VMs in the end.",
  "insights.host_memory_overcommit.advice": "Give oversized VMs less, or move some to another host.",

  "insights.title": "Insights",
  "insights.range": "Time range",
  "insights.window.1h": "1 h",
  "insights.window.6h": "6 h",
  "insights.window.24h": "24 h",
  "insights.window.7d": "7 d",
  "insights.window.30d": "30 d",
  "insights.severity": "Severity",
  "insights.severity.critical": "Critical",
  "insights.severity.warning": "Warning",
  "insights.severity.info": "Info",
  "insights.category": "Category",
  "insights.category.cpu": "CPU",
  "insights.category.memory": "Memory",
  "insights.category.disk": "Disk",
  "insights.category.network": "Network",
  "insights.category.guest": "Guest",
  "insights.category.backup": "Backup",
  "insights.by_vm": "By VM",
  "insights.host": "Host",
  "insights.findings": "Findings",
  "insights.show_all": "Show all",
  "insights.when": "As of {when}. Refreshed every 5 minutes.",
  "insights.graph": "Figures",
  "insights.graph_words":
    "{series}: {mean} on average, {highest} at most. The top of the graph is {ceiling}.",
  "insights.create_backup": "Create backup job",
  "insights.show_backups": "Backups of this VM",
  "insights.apply": "Apply…",
  "insights.apply_now": "Apply",
  "insights.apply_hint": "A running VM goes on as it is until it is shut down and started.",
  "insights.applied": "{name} was changed.",
  "insights.applied_hint": "It holds from the VM's next start on.",
  "insights.undo": "Undo: back to {what}",
  "insights.undo_cpus.one": "{n} vCPU",
  "insights.undo_cpus.other": "{n} vCPUs",
  "insights.none": "Nothing found",
  "insights.none_filtered.one": "Nothing of this kind. The filters hide one finding.",
  "insights.none_filtered.other": "Nothing of this kind. The filters hide {n} findings.",
  "insights.looked.one":
    "One VM was analysed over the last {window}: size and load of CPU and memory, disks, network interfaces, guest agent; and its host and pools.",
  "insights.looked.other":
    "{n} VMs were analysed over the last {window}: size and load of CPU and memory, disks, network interfaces, guest agent; and their hosts and pools.",
  "insights.too_few": "Not enough figures yet",
  "insights.too_few.one":
    "The load of one running VM was not judged: its figures cover less than half of the range. Choose a shorter one, or wait.",
  "insights.too_few.other":
    "The load of {n} running VMs was not judged: their figures cover less than half of the range. Choose a shorter one, or wait.",
  "insights.unread": "Figures cannot be read",
} as const;
