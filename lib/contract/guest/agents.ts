/** The agents in guests: which there are, what they can do, and how ours gets there. All that a guest tells is its own word. */
import Type, { type Static } from "typebox";
import { command } from "../command.ts";
import { oneOf, SentenceText, Timestamp } from "../schema.ts";
import { EXEC, FILES, OneVm } from "./common.ts";

/** Abilities of an agent, in the order of pages. */
export const GUEST_ABILITIES = [
  "info",
  "network",
  "filesystems",
  "users",
  "metrics",
  "exec",
  "files",
  "power",
  "freeze",
  "time",
  "password",
  "ssh-keys",
  "processes",
  "services",
  "service-control",
  "packages",
  "security",
  "metadata",
] as const;
export type GuestAbility = typeof GUEST_ABILITIES[number];

/** The agents there are: QEMU's own, and ours. */
export const GUEST_AGENTS = ["qemu-ga", "kvm-manager-agent"] as const;
export type GuestAgentKind = typeof GUEST_AGENTS[number];

export const GuestCapability = Type.Object({
  ability: oneOf(GUEST_ABILITIES),
  available: Type.Boolean(),
  agent: Type.Optional(oneOf(GUEST_AGENTS, { description: "the agent that does it" })),
  reason: Type.Optional(SentenceText({ description: "why it is not available" })),
  remedy: Type.Optional(Type.String({ description: "how to get it" })),
});
export type GuestCapability = Static<typeof GuestCapability>;

export const AgentStatus = Type.Object({
  installed: Type.Boolean({ description: "an agent has answered, or holds its end of the channel open" }),
  connected: Type.Boolean(),
  version: Type.Optional(Type.String({ description: "of the agent, as it says itself" })),
  agents: Type.Array(Type.Object({
    agent: oneOf(GUEST_AGENTS),
    state: oneOf(["connected", "silent", "disconnected", "not configured"], {
      description:
        "silent: it is there and does not answer; disconnected: the VM has its channel, and no agent is at it",
    }),
    version: Type.Optional(Type.String()),
  })),
  abilities: Type.Array(GuestCapability),
  frozenUntil: Type.Optional(Timestamp),
});
export type AgentStatus = Static<typeof AgentStatus>;

export const guestAgentCommands = {
  guest_agent_status: command({
    summary: "Show which agents run in a VM, and what they can do",
    role: "viewer",
    input: OneVm,
    output: AgentStatus,
    errors: ["VmNotFound"],
    route: "GET /vms/{vmId}/guest",
    cli: ["guest", "status", "<vmId>"],
    rows: "abilities",
    columns: ["ability", "available", "agent", "reason", "remedy"],
    readOnly: true,
  }),
  insert_guest_tools: command({
    summary: "Put the CD with the guest tools into a VM",
    description:
      "KVM Manager's guest agent, with its installers for Linux and Windows. It goes into an empty CD drive, or into one " +
      "that is added. A VM without the agent's channel gets it: at once where it runs with a virtio-serial controller, else from its " +
      "next start on.",
    role: "operator",
    input: OneVm,
    output: Type.Object({
      target: Type.String({ description: "the drive: sda" }),
      path: Type.String({ description: "of the CD on the host" }),
      applies: oneOf(["now", "next start"], { description: "when the guest sees the CD" }),
      channel: oneOf(["present", "now", "next start"], {
        description: "whether the VM had the agent's channel, has it now, or from its next start on",
      }),
    }),
    errors: [
      ...[
        "VmNotFound",
        "VmBusy",
        "HasSavedMemory",
        "GuestToolsMissing",
        "GuestToolsFailed",
        "AttachFailed",
        "NoUsbController",
      ] as const,
      ...["MediaFailed", "NoFreeTarget", "NoFreeSlot", "NotHotpluggable", "StoragePoolNotActive"] as const,
    ],
    route: "POST /vms/{vmId}/guest/tools",
    cli: ["vm", "guest-tools", "<vmId>"],
    readOnly: false,
  }),
  install_guest_agent: command({
    summary: "Install KVM Manager's guest agent in a VM through QEMU's",
    description:
      "Copies the agent into the guest and runs its installer there, by qemu-guest-agent, in Linux guests. The VM gets " +
      "the agent's channel where it lacks it. Others: insert_guest_tools.",
    ...EXEC,
    input: OneVm,
    output: Type.Object({
      channel: oneOf(["present", "now", "next start"], {
        description: "next start: the agent runs, and is heard once the VM was shut down and started",
      }),
      output: Type.String({ description: "what the installer said" }),
    }),
    errors: [
      ...FILES,
      ...["GuestToolsMissing", "GuestInstallFailed", "GuestCopyFailed", "GuestProgramNotFound"] as const,
      ...["GuestExecTimeout", "GuestOutputLost", "AttachFailed", "VmBusy"] as const,
    ],
    route: "POST /vms/{vmId}/guest/agent",
    cli: ["guest", "install-agent", "<vmId>"],
    readOnly: false,
  }),
};
