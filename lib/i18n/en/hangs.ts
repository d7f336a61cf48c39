/** Texts about what does not respond: a VM, a storage pool, a network, a file system, libvirt itself. */
export const hangs = {
  "hangs.since": "Not responding since {time}",
  "hangs.since_cause": "Not responding since {time}: {cause}",
  "hangs.row_since": "Since {time}.",
  "hangs.of": "{what} has not responded since {time}",
  "hangs.for": "for {span}",
  "hangs.by_call": "libvirt’s function {call} does not return",

  "hangs.by_function": "{call} does not return",
  "hangs.vm_works":
    "Other VMs are not affected. Until it responds, its screen cannot be read and it can only be forced off.",
  "hangs.vm_remedy":
    "Check the storage that its disks are on. If it stays so, force it off: data that the guest has not written to its disks is lost.",
  "hangs.vm_short": "Other VMs are not affected. If it stays so, force it off.",
  "hangs.figures": "Figures shown are from {time}.",
  "hangs.figures_short": "From {time}",
  "hangs.picture": "Picture from {time}",

  "hangs.title": "Not responding",
  "hangs.known": "What is shown here was read before that.",
  "hangs.libvirt_since": "libvirt has not answered since {time}",
  "hangs.libvirt":
    "VMs go on running. If it stays so, restart libvirtd as root (systemctl restart libvirtd): that does not stop them.",
  "hangs.about.vm": "VM",
  "hangs.about.pool": "Storage pool",
  "hangs.about.network": "Network",
  "hangs.about.storage": "File system",
  "hangs.about.host": "libvirt",
} as const;
