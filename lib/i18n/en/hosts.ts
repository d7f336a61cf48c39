/** Texts of the hosts beside the one that KVM Manager runs on. */
export const hosts = {
  "hosts.title": "Hosts",
  "hosts.switch": "Host: {name}. Choose another",
  "hosts.what":
    "KVM Manager manages the VMs, networks and storage of each. Backups, guest files and port forwards of another host " +
    "need KVM Manager on that host.",
  "hosts.name": "Name",
  "hosts.name_hint":
    "Small letters, digits, dots and dashes. It is part of the addresses of the host's pages.",
  "hosts.label": "Label",
  "hosts.label_hint": "What people call it. If empty, its name.",
  "hosts.uri": "Connection",
  "hosts.uri_hint":
    "libvirt's URI of the host: qemu+ssh://root@kvm2/system by SSH, qemu+tls://kvm2/system by TLS, or " +
    "qemu+unix:///system?socket=/run/other for a second socket of this host.",
  "hosts.key_same": "I have compared the host's SSH key, and it is the same:",
  "hosts.password": "SSH password",
  "hosts.password_hint":
    "Used once, to add KVM Manager's public key to the user's authorized_keys. It is not kept. Not needed if the key is there.",
  "hosts.public_key": "KVM Manager's public SSH key",
  "hosts.public_key_hint": "Or add this line to ~/.ssh/authorized_keys of the user on the host.",
  "hosts.state": "State",
  "hosts.connected": "Connected",
  "hosts.connecting": "Connecting…",
  "hosts.disconnected": "Not connected",
  "hosts.disabled": "Disabled",
  "hosts.version": "libvirt {version}",
  "hosts.vms": "VMs",
  "hosts.vms_n.one": "{n} VM",
  "hosts.vms_n.other": "{n} VMs",
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
