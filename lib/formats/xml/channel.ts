/** A domain's virtio channels: how programs in the guest and on the host speak without a network. Pure. */
import { xml, type XmlNode } from "./build.ts";
import { child, children, parseXml, type XmlElement } from "./tree.ts";

/** The channels of QEMU's guest agent and of ours. */
export const QEMU_AGENT_CHANNEL = "org.qemu.guest_agent.0", OWN_AGENT_CHANNEL = "org.kvmmanager.agent.0";

/**
 * The way to an agent: `connected` when somebody in the guest has opened its end, which libvirt knows for every virtio
 * channel of a running VM (`state` of its `<target>`).
 */
export type ChannelState = "connected" | "disconnected" | "not configured";

/** The state of a channel among a domain's `<devices>`. */
export function channelIn(devices: XmlElement | undefined, name: string): ChannelState {
  const target = children(devices, "channel")
    .map((each) => child(each, "target")?.attributes)
    .find((each) => each?.name === name);
  if (!target) return "not configured";
  return target.state === "connected" ? "connected" : "disconnected";
}

/** The states of both agents' channels. */
export const agentChannelsIn = (devices: XmlElement | undefined) => ({
  "qemu-ga": channelIn(devices, QEMU_AGENT_CHANNEL),
  "kvm-manager-agent": channelIn(devices, OWN_AGENT_CHANNEL),
});

/** One answer for several agents: whether one of them is there. */
export function anyAgent(states: Readonly<Record<string, ChannelState>>): ChannelState {
  const all = Object.values(states);
  return (["connected", "disconnected"] as const).find((state) => all.includes(state)) ?? "not configured";
}

/** A channel of a domain, as its XML has it. */
export interface FoundChannel {
  readonly state: ChannelState;
  /** QEMU's name for it; a running VM has one. */
  readonly alias?: string;
  /** Its socket on the host; a running VM has one. */
  readonly path?: string;
}

/** A channel of a domain. @throws {XmlError} */
export function channelOf(domainXml: string, name: string): FoundChannel {
  const devices = child(parseXml(domainXml), "devices");
  const found = children(devices, "channel").find((each) => child(each, "target")?.attributes.name === name);
  const alias = child(found, "alias")?.attributes.name;
  const path = child(found, "source")?.attributes.path;
  return {
    state: channelIn(devices, name),
    ...(alias !== undefined && { alias }),
    ...(path !== undefined && { path }),
  };
}

/** A channel as a device; libvirt chooses its socket on the host. */
export function channelDevice(name: string): XmlNode {
  return xml("channel", { type: "unix" }, xml("target", { type: "virtio", name }));
}
