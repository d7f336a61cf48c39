/** Texts of the hosts beside the one that KVM Manager runs on. */
export const hosts = {
  "hosts.title": "Hosts",
  "hosts.switch": "Host: {name}. Choose another",
  "hosts.what":
    "The VMs, networks and storage of each are managed here. A host with KVM Manager is linked: everything works there. Of a " +
    "host that is added by its libvirt, backups, guest files and port forwards do not.",
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
  "hosts.not_connected": "KVM Manager is not connected to this host.",
  "hosts.disabled": "Disabled",
  "hosts.version": "libvirt {version}",
  "hosts.vms": "VMs",
  "hosts.vms_n.one": "{n} VM",
  "hosts.vms_n.other": "{n} VMs",
  "hosts.vms_of": "{n} of {all} running",
  "hosts.cpu": "CPU",
  "hosts.memory": "Memory",
  "hosts.memory_of": "{used} of {total}",
  "hosts.libvirt": "libvirt",
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
  "hosts.add": "Add a host by its libvirt",
  "hosts.join": "Link a host with KVM Manager",
  "hosts.join_what":
    "All of the host can be used from here then, by each user with the rights they have here, and at most with the role of the " +
    "invitation. Make the invitation on that host: Settings → Hosts, or kvm-manager host invite",
  "hosts.install": "Install KVM Manager on a host by SSH",
  "hosts.install_what":
    "KVM Manager copies itself to the host, checks it, installs its service there and links the host. What fails is undone. " +
    "Needs systemd and libvirt there, and root or sudo.",
  "hosts.install_do": "Install and link",
  "hosts.install_instead":
    "Added by its libvirt, this host has no backups, guest files or port forwards. KVM Manager can be installed there: the host gets " +
    "another name then, and this entry is removed.",
  "hosts.install_there": "Install KVM Manager there",
  "hosts.destination": "User and host",
  "hosts.destination_hint":
    "Whom SSH signs in as: root@kvm2, or ann@kvm2:2222. A user that is not root needs sudo.",
  "hosts.install_password": "Password",
  "hosts.install_password_hint":
    "Of that user, for SSH and sudo. It is not kept. Not needed if KVM Manager's key opens the host and the user is root.",
  "hosts.install_role_hint": "Nobody here can do more on that host than this role.",
  "hosts.port": "Port",
  "hosts.port_hint": "Where KVM Manager listens there by HTTPS.",
  "hosts.install_connect": "Sign in by SSH",
  "hosts.install_look": "Look at the host",
  "hosts.install_copy": "Copy the program",
  "hosts.install_check": "Check the host",
  "hosts.install_service": "Install the service",
  "hosts.install_answer": "Wait until KVM Manager answers there",
  "hosts.install_invite": "Have an invitation made there",
  "hosts.install_join": "Link the host",
  "hosts.install_present": "KVM Manager is installed there: {program}",
  "hosts.install_goes_on": "An earlier installation there was cut: this one goes on",
  "hosts.install_part": "KVM Manager on the host",
  "hosts.install_access": "the access of this KVM Manager to the host",
  "hosts.install_no_key":
    "SSH refuses KVM Manager's key. Give the user's password, or add the public key (kvm-manager host ssh-key) to the user's authorized_keys",
  "hosts.install_nonsense": "KVM Manager there answers what this version does not understand",
  "hosts.install_unreached":
    "port {port} of the host is not reached from here: {reason}. Open it in the host's firewall (nft, firewall-cmd, ufw)",
  "hosts.install_interrupted":
    "What was done on that host may still be there. Install it again: that goes on from there, or undoes it.",
  "hosts.install_undone": "What this call did on the host was undone.",
  "hosts.install_not_undone":
    "This could not be undone there: {what}. Install it again once the host answers: that goes on from there, or undoes it.",
  "hosts.install_key_stays":
    "A line of KVM Manager stays in the user's authorized_keys there: {reason}. Remove it by hand.",
  "hosts.join_do": "Link host",
  "hosts.add_do": "Add host",
  "hosts.invitation": "Invitation",
  "hosts.invitation_hint": "The line as it is shown there. It begins with https://.",
  "hosts.invitation_made":
    "It is shown only now. Enter it in the other KVM Manager before {until}: Settings → Hosts, or kvm-manager host join.",
  "hosts.peers": "KVM Managers that may act on this host",
  "hosts.peers_what":
    "Their users work on this host within the role of the invitation. The audit log names them like ann@kvm1.",
  "hosts.peers_none": "No other KVM Manager may act on this host.",
  "hosts.role": "At most as",
  "hosts.role_hint": "Nobody there can do more on this host than this role.",
  "hosts.invited_by": "Invited by",
  "hosts.used": "Last used",
  "hosts.minutes": "Minutes it is valid",
  "hosts.address": "Address of this host",
  "hosts.address_hint": "How the other one reaches KVM Manager here. If empty, the address of this page.",
  "hosts.invite": "Make an invitation",
  "hosts.revoke": "Revoke",
  "hosts.revoke_named": "Revoke the access of {name}",
  "hosts.manager": "KVM Manager {version}, as {role}",
  "hosts.foreign.one": "{n} VM is left out: another host has a VM with its id",
  "hosts.foreign.other": "{n} VMs are left out: another host has VMs with their ids",
} as const;
