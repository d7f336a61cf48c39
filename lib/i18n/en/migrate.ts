/** The page that moves a VM to another host. */
export const migrate = {
  "migrate.title": "Move {name} to another host",
  "migrate.what":
    "The VM goes on running while its memory and disks are copied through the link between both hosts, encrypted. It keeps its name, addresses and tags.",
  "migrate.what_off":
    "Its disks, UEFI variables and TPM are copied through the link between both hosts, encrypted. It cannot be started until that is done. It keeps its name, addresses and tags.",
  "migrate.what_by_libvirt":
    "Its disks are copied through KVM Manager. It cannot be started until that is done. It keeps its name, addresses and tags.",
  "migrate.what_live_by_libvirt":
    "A VM that is running moves between hosts only if both have KVM Manager and are linked. Shut this one down first: its disks are then copied, and it keeps its name, addresses and tags.",
  "migrate.stays_off": "It is off, and stays off there.",
  "migrate.none": "No other host is linked",
  "migrate.none_what":
    "A VM moves to a host that has a KVM Manager of its own and is linked to this one. Link one in Settings → Hosts.",
  "migrate.hosts": "Hosts",
  "migrate.not_running":
    "It cannot move as it is: one that is suspended has its memory on this host, and one that is not kept is gone once it stops. Start it, or discard its saved memory, first.",
  "migrate.to": "Move it to",
  "migrate.look": "Check",
  "migrate.to_host": "To {host}",
  "migrate.other_host": "Choose another host",
  "migrate.problems": "It cannot move yet",
  "migrate.choose": "Choose what is missing there",
  "migrate.warnings": "Warnings",
  "migrate.possible": "It can move",
  "migrate.memory": "{memory} of memory is copied while it runs.",
  "migrate.estimate": "About {time}, at {line}.",
  "migrate.estimate_dirty":
    "About {time}: the link carries {line}, and the guest changes {dirty} of its memory.",
  "migrate.no_end": "no end, unless the guest is slowed down",
  "migrate.more": "Downtime, connections, compression",
  "migrate.downtime": "Longest downtime",
  "migrate.downtime_hint": "How long the guest may stand still at the end. If empty, QEMU's limit of 300 ms.",
  "migrate.connections": "Connections",
  "migrate.connections_hint": "Memory is sent by so many at once, 2 to 16. If empty, by one.",
  "migrate.direct": "Past the link, to",
  "migrate.direct_hint":
    "A name or IP address of that host. Memory and disks go there from QEMU to QEMU, with QEMU's TLS: both hosts need certificates for it. If empty, through the link.",
  "migrate.compression": "Compression of memory",
  "migrate.compression_hint": "xbzrle by one connection; zlib and zstd by several, from libvirt 9.4 on.",
  "migrate.compression_none": "none",
  "migrate.drop_snapshots": "Leave its snapshots behind",
  "migrate.drop_snapshots_hint":
    "What it has now is copied, and its snapshots are gone. Otherwise they go along, with the images that they need.",
  "migrate.follows": "Go along: {things}.",
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
