/** Platforms that our agent is built for, and names of its files. Pure. */

/** Names as `uname -m` and the protocol have them, and Go's. */
export const GUEST_TARGETS = [
  { name: "linux-x86_64", os: "linux", arch: "amd64" },
  { name: "linux-aarch64", os: "linux", arch: "arm64" },
  { name: "windows-x86_64", os: "windows", arch: "amd64" },
] as const;

/** One of them. */
export type GuestTarget = (typeof GUEST_TARGETS)[number];

/** The agent's file on the CD. */
export const agentFile = ({ name, os }: GuestTarget) =>
  `kvm-manager-agent-${name}${os === "windows" ? ".exe" : ""}`;

/** The agent's file in the bundle: compressed. */
export const bundledAgent = (target: GuestTarget) => `guest/${agentFile(target)}.gz`;
