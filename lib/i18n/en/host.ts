/** The host's panel of the dashboard. */
export const host = {
  "host.title": "Host",
  "host.cpu": "Processor",
  "host.cores": "Cores",
  "host.cores_threads": "{cores} cores, {threads} threads",
  "host.memory": "Memory",
  "host.hypervisor": "Hypervisor",
  "host.versions": "Versions",
  "host.libvirt_qemu": "libvirt {libvirt}, QEMU {qemu}",
  "host.load": "Load average",
  "host.uptime": "Uptime",
} as const;
