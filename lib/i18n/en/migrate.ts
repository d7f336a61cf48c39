/** The page that moves a VM to another host. */
export const migrate = {
  "migrate.title": "Move {name} to another host",
  "migrate.what":
    "The VM goes on running while its memory and disks are copied through the link between both hosts, encrypted. It keeps its name, addresses and tags.",
  "migrate.what_off":
    "Its disks, UEFI variables and TPM are copied through the link between both hosts, encrypted. It cannot be started until that is done. It keeps its name, addresses and tags.",
  "migrate.stays_off": "It is off, and stays off there.",
  "migrate.none": "No other host is linked",
  "migrate.none_what":
    "A VM moves to a host that has a KVM Manager of its own and is linked to this one. Link one in Settings → Hosts.",
  "migrate.hosts": "Hosts",
  "migrate.elsewhere":
    "This VM is on {host}. Open KVM Manager of that host to move it, or move it from there once that host is linked to the other one.",
  "migrate.not_running":
    "It cannot move as it is: one that is suspended has its memory on this host, and one that is not kept is gone once it stops. Start it, or discard its saved memory, first.",
  "migrate.to": "Move it to",
  "migrate.host_load": "{free} of {total} of memory free, {vms} VMs",
  "migrate.host_vms": "{vms} VMs",
  "migrate.host_away": "Not reachable",
  "migrate.look": "Check",
  "migrate.to_host": "To {host}",
  "migrate.other_host": "Choose another host",
  "migrate.problems": "It cannot move yet",
  "migrate.choose": "Choose what is missing there",
  "migrate.warnings": "Worth knowing",
  "migrate.possible": "It can move",
  "migrate.memory": "{memory} of memory is copied while it runs.",
  "migrate.disk_shared": "{target}: on storage that both hosts have. It is not copied.",
  "migrate.disk_pool": "{target} ({size}) to the pool",
  "migrate.pool_choice": "{pool}, {free} free",
  "migrate.network_of": "Network {network} is there",
  "migrate.network_same": "the same",
  "migrate.bandwidth": "Bandwidth limit",
  "migrate.bandwidth_hint": "Left empty, as fast as the line between the hosts is.",
  "migrate.slow_guest": "Slow the guest down if needed",
  "migrate.slow_guest_hint":
    "A guest that changes its memory faster than it is copied would never be done. It gets less processor time then, until it has moved.",
  "migrate.keep_disks": "Keep the disks here, too",
  "migrate.keep_disks_hint": "Otherwise those that were copied go into the bin once the VM is there.",
  "migrate.break_rules": "Go against rules of placement",
  "migrate.cancel": "Cancel",
  "migrate.do": "Move",
} as const;
