/** Why something cannot be done in a guest, and how to get it. Pure. */
import { message, type Sentence } from "../i18n/message.ts";

/** Reason why a command is not available, and its remedy. */
export interface BlockedReason {
  readonly reason: Sentence;
  readonly remedy: string;
}

/** Reasons that mean no agent is there: of two agents, the one that is there gives the better reason. */
const absent = new Set<BlockedReason>();
function ofAbsence(hindrance: BlockedReason): BlockedReason {
  absent.add(hindrance);
  return hindrance;
}

/** Whether it is said because no agent is there. */
export const isAbsence = (hindrance: BlockedReason): boolean => absent.has(hindrance);

/** Commands that install QEMU's guest agent, by system. */
export const INSTALL_COMMANDS = [
  { system: "Debian, Ubuntu", command: "apt-get install qemu-guest-agent" },
  { system: "Fedora, RHEL, AlmaLinux, Rocky", command: "dnf install qemu-guest-agent" },
  { system: "openSUSE", command: "zypper install qemu-guest-agent" },
  { system: "Arch", command: "pacman -S qemu-guest-agent" },
  { system: "Alpine", command: "apk add qemu-guest-agent && rc-update add qemu-guest-agent" },
  { system: "Windows", command: "guest-agent\\qemu-ga-x86_64.msi on the virtio-win CD" },
] as const;

/** The VM has no way to an agent. */
export const NO_CHANNEL: BlockedReason = ofAbsence({
  reason: "the VM has no channel for a guest agent",
  remedy: "Add the channel org.qemu.guest_agent.0 to its XML, then shut it down and start it",
});

/** There is no program at the other end. */
export const NOT_INSTALLED: BlockedReason = ofAbsence({
  reason: "no guest agent runs in it",
  remedy:
    "Insert the guest tools and run their installer in the guest, or install qemu-guest-agent: apt-get install qemu-guest-agent, or dnf install qemu-guest-agent",
});

/** The VM has no way to our agent. */
export const OWN_NO_CHANNEL: BlockedReason = ofAbsence({
  reason: "the VM has no channel for KVM Manager's guest agent",
  remedy:
    "Insert the guest tools: that adds it, to some VMs at their next start. Then run their installer in the guest",
});

/** There is no program at the other end of our channel. */
export const OWN_NOT_INSTALLED: BlockedReason = ofAbsence({
  reason: "KVM Manager's guest agent does not run in it",
  remedy: "Insert the guest tools, and run their installer in the guest",
});

/** Reason for functions that QEMU's agent has no command for. */
export const OWN_ALONE: BlockedReason = {
  reason: "QEMU's guest agent cannot do it: KVM Manager's can",
  remedy: "Insert the guest tools, and run their installer in the guest",
};

/** Another program has opened the one line there is. */
export const LINE_TAKEN: BlockedReason = {
  reason: "another program on the host has the line to its agent open",
  remedy: "Close it: another KVM Manager, or a script",
};

/** Our agent does not offer a method: its configuration, or its age. */
export function methodNotOffered(method: string): BlockedReason {
  return {
    reason: message`KVM Manager's agent in it does not offer ${method}`,
    remedy: "See agent.json in the guest (/etc/kvm-manager-agent), or install newer guest tools",
  };
}

/** Reason for functions that our agent lacks on Windows. */
export const NOT_ON_WINDOWS: BlockedReason = {
  reason: "KVM Manager's guest agent cannot do that on Windows",
  remedy: "Install QEMU's guest agent as well, or use the VM's console",
};

/** Our agent is installed through QEMU's in Linux guests alone. */
export const NOT_ON_WINDOWS_BY_QEMU: BlockedReason = {
  reason: "KVM Manager installs its agent through QEMU's in Linux guests on x86-64 and ARM alone",
  remedy: "Insert the guest tools, and run their installer in the guest",
};

/** The two have no version of the protocol in common. */
export const OTHER_VERSION: BlockedReason = {
  reason: "KVM Manager's agent in it speaks another version of the protocol",
  remedy: "Insert the guest tools, and run their installer in the guest",
};

/** The agent is there and says nothing. */
export const SILENT: BlockedReason = {
  reason: "its guest agent does not answer",
  remedy: "Look at the guest's console: it may hang",
};

/** Reason while the VM does not respond. */
export const NOT_RESPONDING: BlockedReason = {
  reason: "the VM does not respond",
  remedy: "Wait until it does, or force it off",
};

/** The guest is frozen for a copy of its disks: its agent does nothing else meanwhile. */
export const FROZEN: BlockedReason = {
  reason: "it is frozen for a copy of its disks",
  remedy: "Wait until it thaws, or thaw it",
};

/** The agent knows it, and may not do it. */
export function switchedOff(command: string): BlockedReason {
  return {
    reason: message`its guest agent has ${command} switched off`,
    remedy:
      "Take it out of the blocked RPCs in the guest's /etc/sysconfig/qemu-ga or /etc/qemu/qemu-ga.conf, and restart the agent",
  };
}

/** The agent does not know it. */
export function unknownTo(command: string, version: string | undefined): BlockedReason {
  return {
    reason: message`its guest agent${version === undefined ? "" : ` ${version}`} does not know ${command}`,
    remedy: "Install a newer qemu-guest-agent in the guest",
  };
}

/** Reason for functions that only Linux guests have. */
export const LINUX_ALONE: BlockedReason = {
  reason: "QEMU's guest agent can do that in Linux guests alone",
  remedy: "Use the VM's console",
};
