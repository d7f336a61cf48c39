/** Errors: networks. */
import type { ErrorKind } from "./kind.ts";

export const NETWORK_ERRORS = {
  InvalidNetworkName: {
    text: "Invalid network name: must be 1-50 characters, alphanumeric with dot/dash/underscore only",
    status: 400,
    exit: 2,
  },
  NetworkNotResponding: {
    text: "Network {name} has not responded since {since} ({call}). Check the host's firewall service; " +
      "if it does not come back, restart libvirtd: running VMs go on.",
    status: 503,
    exit: 3,
  },
  NetworkNameExists: { text: "Network name already exists: {name}", status: 409, exit: 5 },
  InvalidSubnet: { text: "Invalid subnet: {n} ({reason})", status: 400, exit: 2 },
  NetworkOverlaps: {
    text: "Subnet {subnet} overlaps with {other}, which {what} uses. Choose another one.",
    status: 409,
    exit: 5,
  },
  DhcpOutsideSubnet: {
    text: "DHCP range {start} – {end} does not fit into the subnet {subnet}: {reason}",
    status: 400,
    exit: 2,
  },
  AddressOutsideSubnet: {
    text: "Address {ip} is none for a VM of {subnet}: {reason}",
    status: 400,
    exit: 2,
  },
  StaticLeaseTaken: { text: "There is a static lease for {what} already", status: 409, exit: 5 },
  AddressLeased: {
    text:
      "{ip} is leased to {holder} ({until}). Choose another address, or tick that it may be leased (--allow-leased, " +
      "REST: allowLeased): then it is reserved from the end of that lease.",
    status: 409,
    exit: 5,
  },
  NoSuchStaticLease: { text: "Network {network} has no static lease or range {what}", status: 404, exit: 4 },
  InterfaceNameTaken: { text: "The host has a network device {name} already", status: 409, exit: 5 },
  NetworkMismatch: { text: "The network does not fit together: {reason}", status: 400, exit: 2 },
  NetworkInUse: {
    text:
      "Network {network} is used by {vms}. Move or stop them first, or force it: they lose their connection.",
    status: 409,
    exit: 5,
  },
  NetworkAlreadyActive: { text: "Network is active already: {network}", status: 409, exit: 5 },
  NetworkNotPersistent: {
    text: "Network is transient: it disappears when it stops, so this setting cannot be kept",
    status: 409,
    exit: 5,
  },
  NetworkCreateFailed: { text: "Failed to create network: {error}", status: 502, exit: 1 },
  NetworkStartFailed: { text: "Failed to start network: {error}", status: 502, exit: 1 },
  NetworkStopFailed: { text: "Failed to stop network: {error}", status: 502, exit: 1 },
  NetworkDeleteFailed: { text: "Failed to delete network: {error}", status: 502, exit: 1 },
  NetworkUpdateFailed: { text: "Failed to change network: {error}", status: 502, exit: 1 },
} as const satisfies Record<string, ErrorKind>;
