/** Errors: port forwards. */
import type { ErrorKind } from "./kind.ts";

export const FORWARD_ERRORS = {
  PortForwardNotFound: { text: "Port forward not found: {id}", status: 404, exit: 4 },
  InvalidPort: { text: "Invalid port: {n} (must be 1-65535)", status: 400, exit: 2 },
  InvalidPortRange: { text: "Invalid port range: {n} ({reason})", status: 400, exit: 2 },
  NetworkNotForwardable: {
    text: "Ports cannot be forwarded to the network {network}: {reason}",
    status: 409,
    exit: 5,
  },
  VmNotOnNetwork: { text: "{vm} has no card on the network {network}", status: 409, exit: 5 },
  HostAddressNotFound: { text: "The host has no address {ip}", status: 404, exit: 4 },
  PortInUse: {
    text: "Port {port}/{protocol} of the host is used by {what}. Choose another one.",
    status: 409,
    exit: 5,
  },
  PortForwardExists: {
    text: "Port {port}/{protocol} of the host is forwarded to {what} already. Choose another one.",
    status: 409,
    exit: 5,
  },
  PortForwardingUnavailable: { text: "Port forwarding unavailable: {reason}", status: 501, exit: 1 },
  PortForwardFailed: { text: "Failed to forward port: {error}", status: 502, exit: 1 },
} as const satisfies Record<string, ErrorKind>;
