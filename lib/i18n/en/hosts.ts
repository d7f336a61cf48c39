/** Texts of the hosts beside the one that KVM Manager runs on. */
export const hosts = {
  "hosts.title": "Hosts",
  "hosts.switch": "Host: {name}. Choose another",
  "hosts.what":
    "KVM Manager shows and manages the VMs, networks and storage of each. Backups, guests' screens and files of a " +
    "host are for KVM Manager on that host.",
  "hosts.name": "Name",
  "hosts.name_hint":
    "Small letters, digits, dots and dashes. It is part of the addresses of the host's pages.",
  "hosts.label": "Label",
  "hosts.label_hint": "What people call it. If empty, its name.",
  "hosts.uri": "Connection",
  "hosts.uri_hint":
    "libvirt's address of the host, such as qemu+ssh://root@kvm2/system or qemu+tls://kvm2/system. By SSH, a key of the user " +
    "that KVM Manager runs as must open the host, and the host's key must be in known_hosts.",
  "hosts.state": "State",
  "hosts.connected": "Connected",
  "hosts.connecting": "Connecting…",
  "hosts.disconnected": "Not connected",
  "hosts.disabled": "Disabled",
  "hosts.version": "libvirt {version}",
  "hosts.vms": "VMs",
  "hosts.on": "On",
  "hosts.off": "Off",
  "hosts.enabled_named": "Connect to {name}",
  "hosts.edit": "Edit",
  "hosts.edit_named": "Edit {name}",
  "hosts.edit_title": "Edit host",
  "hosts.save": "Save",
  "hosts.cancel": "Cancel",
  "hosts.remove_anyway": "Remove {name} and forget these",
  "hosts.since": "Since",
  "hosts.actions": "Actions",
  "hosts.this": "KVM Manager runs here",
  "hosts.remove": "Remove",
  "hosts.remove_named": "Remove {name}",
  "hosts.add": "Add host",
  "hosts.foreign.one": "{n} VM is left out: another host has a VM with its id",
  "hosts.foreign.other": "{n} VMs are left out: another host has VMs with their ids",
} as const;
