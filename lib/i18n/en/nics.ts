/** Texts of a VM's network page, and of the forms of its network interfaces. */
export const nics = {
  "devices.add_nic": "Add network interface",
  "devices.none": "None",
  "devices.nic_named": "interface {mac}",
  "devices.detach_nic_what":
    "A running guest is asked to release it; if it does not, nothing is changed. Its connections through it end.",
  "devices.nics": "Network interfaces",
  "devices.no_nics": "No network interfaces yet",
  "devices.no_nics_what": "An interface plugs the VM into a network of libvirt or of the host.",
  "devices.mac": "MAC address",
  "devices.network": "Network",
  "devices.model": "Model",
  "devices.addresses": "Addresses",
  "devices.traffic": "In / out",
  "devices.link": "Cable",
  "devices.port_group": "Port group {name}",
  "devices.vlan": "VLAN {tags}",
  "devices.link_of": "Cable of {mac}",
  "devices.link_up": "Plugged in",
  "devices.link_down": "Unplugged",
  "devices.filter": "Filter",
  "devices.field_source": "Plugged into",
  "devices.source_network": "Network {name}",
  "devices.source_bridge": "Bridge {name}",
  "devices.source_direct": "Host device {name} (macvtap)",
  "devices.source_choose": "Choose a network…",
  "devices.not_active": "not active",
  "devices.source_slirp": "User networking (QEMU)",
  "devices.source_passt": "User networking (passt)",
  "devices.field_other_filter": "Another network filter",
  "devices.field_anti_spoofing": "Anti-spoofing",
  "devices.anti_spoofing_hint":
    "The guest can send with its own MAC and IP address only (filter clean-traffic).",
  "devices.anti_spoofing": "Anti-spoofing",
  "devices.filters_unavailable": "Filters are not available: {reason}.",
  "devices.filter_locked":
    "The filter {filter} limits what this interface may send. Its filter and MAC address can be changed by administrators only.",
  "devices.filter_add_locked":
    "An interface of this VM has a network filter. Another interface could get around it: ask an administrator to add one.",
  "devices.nic_running":
    "This VM runs: model and MAC address change at its next start, the rest at once where libvirt can.",
  "devices.failed_update_nic": "The network interface was not changed",
} as const;
