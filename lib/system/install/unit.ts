/**
 * The systemd unit, as a table: what is set, to what, and why. The service is a user of its own that may do what its
 * groups and a few capabilities allow; where it can write is decided by the mount namespace.
 */

import { CREDENTIAL_NAME } from "./credential.ts";

/** One line of the unit. */
interface Directive {
  readonly name: string;
  readonly value: string;
  readonly why?: string;
}

/** The rights beyond those of the user and its groups: all that the service has, and all its children can get. */
export const CAPABILITIES: Readonly<Record<string, string>> = {
  CAP_NET_ADMIN: "port forwards: nftables, routes, a pair of devices (without it: no port forwards)",
  CAP_DAC_READ_SEARCH: "heads of disk images that root or QEMU own, before libvirt gets them (threats 1, 2)",
  CAP_DAC_OVERRIDE: "disks that no pool knows are deleted, UEFI variables copied with a machine",
  CAP_KILL:
    "a QEMU that does not respond is killed; a cancelled copy ends the qemu-img that libvirtd runs for it",
};

/** The sandbox: systemd.exec(5) has what each line does. */
const SANDBOX: readonly Directive[] = [
  { name: "NoNewPrivileges", value: "yes", why: "nothing it starts gets more rights than it has" },
  { name: "ProtectSystem", value: "strict", why: "all files are read-only but those named below" },
  {
    name: "ReadWritePaths",
    value: "-/var/lib/libvirt",
    why: "disks and UEFI variables; libvirtd itself writes wherever its pools are",
  },
  { name: "ProtectHome", value: "yes", why: "QEMU cannot use images of home folders either" },
  {
    name: "InaccessiblePaths",
    value: "-/etc/shadow -/etc/shadow- -/etc/gshadow -/etc/gshadow- -/etc/ssh -/etc/sudoers -/etc/sudoers.d",
    why: "secrets that reading everyone's disk images must not reach",
  },
  { name: "PrivateTmp", value: "yes" },
  { name: "UMask", value: "0077" },
  { name: "DevicePolicy", value: "closed", why: "of devices it sees KVM and logical volumes, nothing else" },
  { name: "DeviceAllow", value: "/dev/kvm rw" },
  { name: "DeviceAllow", value: "block-device-mapper rw" },
  { name: "ProtectKernelTunables", value: "yes" },
  { name: "ProtectKernelModules", value: "yes" },
  { name: "ProtectKernelLogs", value: "yes" },
  { name: "ProtectControlGroups", value: "yes" },
  { name: "ProtectClock", value: "yes" },
  { name: "ProtectHostname", value: "yes" },
  {
    name: "RestrictAddressFamilies",
    value: "AF_UNIX AF_INET AF_INET6 AF_NETLINK",
    why: "netlink is how nft and ip speak to the kernel",
  },
  { name: "RestrictNamespaces", value: "yes" },
  { name: "RestrictRealtime", value: "yes" },
  { name: "RestrictSUIDSGID", value: "yes" },
  {
    name: "LockPersonality",
    value: "yes",
    why: "MemoryDenyWriteExecute cannot be: V8 and FFI write code and run it",
  },
  { name: "RemoveIPC", value: "yes" },
  { name: "KeyringMode", value: "private" },
  { name: "SystemCallArchitectures", value: "native" },
  { name: "SystemCallFilter", value: "@system-service" },
  { name: "SystemCallErrorNumber", value: "EPERM" },
];

const line = ({ name, value, why }: Directive) =>
  why === undefined ? `${name}=${value}` : `# ${why}\n${name}=${value}`;

/** Paths in the unit. */
export interface UnitPlaces {
  readonly binary: string;
  readonly dataDir: string;
  readonly runtimeDir: string;
}

/** `kvm-manager.service` for these places. */
export function unitText(layout: UnitPlaces): string {
  const capabilities = Object.keys(CAPABILITIES).join(" ");
  return [
    "# KVM Manager's service. Change it in a drop-in: systemctl edit kvm-manager",
    "[Unit]",
    "Description=KVM Manager: the virtual machines of this host in a browser",
    "After=network.target nftables.service libvirtd.service virtqemud.service",
    "",
    "[Service]",
    "Type=exec",
    "User=kvm-manager",
    "Group=kvm-manager",
    "# As root, outside the sandbox: unpacks the binary where the service can only read it",
    `ExecStartPre=+${layout.binary} --version`,
    `ExecStart=${layout.binary} serve`,
    "# The first start prints a link that makes an administrator: no log may have it (kvm-manager setup-link makes another)",
    "StandardOutput=null",
    `Environment=KVMM_DATA_DIR=${layout.dataDir} KVMM_RUNTIME_DIR=${layout.runtimeDir} HOME=${layout.dataDir}`,
    "StateDirectory=kvm-manager",
    "# The keys that secrets are sealed with: backups of the other folder do not have them",
    "StateDirectory=kvm-manager-key",
    "StateDirectoryMode=0700",
    "# Seals that key, where install could make it: systemd looks in /etc/credstore.encrypted, and goes on without it",
    `LoadCredentialEncrypted=${CREDENTIAL_NAME}:${CREDENTIAL_NAME}`,
    "RuntimeDirectory=kvm-manager",
    "RuntimeDirectoryMode=0750",
    "Restart=on-failure",
    "RestartSec=2",
    "TimeoutStopSec=20",
    "LimitNOFILE=65536",
    "# A core dump would have the keys of all secrets in it",
    "LimitCORE=0",
    "",
    ...Object.entries(CAPABILITIES).map(([name, why]) => `# ${name}: ${why}`),
    `CapabilityBoundingSet=${capabilities}`,
    `AmbientCapabilities=${capabilities}`,
    "",
    ...SANDBOX.map(line),
    "",
    "[Install]",
    "WantedBy=multi-user.target",
    "",
  ].join("\n");
}
