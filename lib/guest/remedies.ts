/** Why something cannot be done in a guest, and how to get it. Pure. */

/** What is missing, and what to do about it. */
export interface Hindrance {
  readonly reason: string;
  readonly remedy: string;
}

/** What installs QEMU's guest agent, by system. */
export const INSTALL_COMMANDS = [
  { system: "Debian, Ubuntu", command: "apt-get install qemu-guest-agent" },
  { system: "Fedora, RHEL, AlmaLinux, Rocky", command: "dnf install qemu-guest-agent" },
  { system: "openSUSE", command: "zypper install qemu-guest-agent" },
  { system: "Arch", command: "pacman -S qemu-guest-agent" },
  { system: "Alpine", command: "apk add qemu-guest-agent && rc-update add qemu-guest-agent" },
  { system: "Windows", command: "guest-agent\\qemu-ga-x86_64.msi on the virtio-win CD" },
] as const;

/** The VM has no way to an agent. */
export const NO_CHANNEL: Hindrance = {
  reason: "the VM has no channel for a guest agent",
  remedy: "Add the channel org.qemu.guest_agent.0 to its XML, then shut it down and start it",
};

/** Nobody is at the other end. */
export const NOT_INSTALLED: Hindrance = {
  reason: "no guest agent runs in it",
  remedy: "Install it in the guest: apt-get install qemu-guest-agent, or dnf install qemu-guest-agent",
};

/** The agent is there and says nothing. */
export const SILENT: Hindrance = {
  reason: "its guest agent does not answer",
  remedy: "Look at the guest's console: it may hang",
};

/** The guest is frozen for a copy of its disks: its agent does nothing else meanwhile. */
export const FROZEN: Hindrance = {
  reason: "it is frozen for a copy of its disks",
  remedy: "Wait until it thaws, or thaw it",
};

/** The agent knows it, and may not do it. */
export function switchedOff(command: string): Hindrance {
  return {
    reason: `its guest agent has ${command} switched off`,
    remedy:
      "Take it out of the blocked RPCs in the guest's /etc/sysconfig/qemu-ga or /etc/qemu/qemu-ga.conf, and restart the agent",
  };
}

/** The agent does not know it. */
export function unknownTo(command: string, version: string | undefined): Hindrance {
  return {
    reason: `its guest agent${version === undefined ? "" : ` ${version}`} does not know ${command}`,
    remedy: "Install a newer qemu-guest-agent in the guest",
  };
}

/** What only Linux guests have. */
export const LINUX_ALONE: Hindrance = {
  reason: "QEMU's guest agent can do that in Linux guests alone",
  remedy: "Use the VM's console",
};
