/** Prerequisites for creating a VM that a host lacks, and the steps that provide them. */
export const ready = {
  "ready.pool": "Storage",
  "ready.network": "Network",
  "ready.no_pool":
    "There is no storage pool: VMs have no place for their disks, images and ISOs have none either.",
  "ready.pools_off":
    "No storage pool is running: VMs have no place for their disks, images and ISOs have none either.",
  "ready.pools_not_files": "No running storage pool keeps files: images and ISOs have no place.",
  "ready.pools_not_started":
    "No storage pool starts with the host: after a restart of the host none is running.",
  "ready.no_network": "There is no network: VMs can be connected to nothing.",
  "ready.networks_off": "No network is running: VMs can be connected to nothing.",
  "ready.networks_not_started":
    "No network starts with the host: after a restart of the host none is running.",
  "ready.create_pool": "Create pool {name} in {path}",
  "ready.start_pool": "Start pool {name}",
  "ready.autostart_pool": "Start pool {name} with the host",
  "ready.create_network": "Create NAT network {name}",
  "ready.start_network": "Start network {name}",
  "ready.autostart_network": "Start network {name} with the host",
  "ready.no_right": "An administrator can put this right.",
} as const;
