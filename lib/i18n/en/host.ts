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
  "host.cpus_promised.one": "{n} vCPU in running VMs, {ratio} per thread",
  "host.cpus_promised.other": "{n} vCPUs in running VMs, {ratio} per thread",
  "host.memory_promised": "{memory} assigned to running VMs, {percent} %",
  "host.fullest": "is the fullest pool",
} as const;
