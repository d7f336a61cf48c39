/** Texts of the hosts, where there are several. */
export const hosts = {
  "hosts.title": "Hosts",
  "hosts.switch": "Host: {name}. Choose another",
  "hosts.connected": "Connected",
  "hosts.connecting": "Connecting…",
  "hosts.disconnected": "Not connected",
} as const;
