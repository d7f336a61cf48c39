/** Port forwards: ports of the host that lead to a VM behind NAT. */
import Type, { type Static } from "typebox";
import { command } from "./command.ts";
import { refusedAs } from "./refusal.ts";
import { closed, NOTHING_OUT, oneOf, SentenceText, Timestamp, VmId, withLast } from "./schema.ts";

export const FORWARD_PROTOCOLS = ["tcp", "udp"] as const;
export type ForwardProtocol = typeof FORWARD_PROTOCOLS[number];

/**
 * `active`: the kernel forwards. `waiting`: it will, once the network runs and the target's address is known.
 * `conflict`: something on the host has the port. `lost`: the network or the VM is gone. `failed`: the kernel
 * refused the rules. `unavailable`: this host cannot forward at all. Why, is the forward's `reason`.
 */
export const FORWARD_STATES = [
  "active",
  "waiting",
  "conflict",
  "lost",
  "failed",
  "unavailable",
  "disabled",
] as const;
export type ForwardState = typeof FORWARD_STATES[number];

const PORT_REFUSALS = refusedAs({ minimum: "InvalidPort", maximum: "InvalidPort" });
const port = (description: string, more = {}) =>
  Type.Integer({ minimum: 1, maximum: 65_535, description, ...PORT_REFUSALS, ...more });
const Ip = Type.String({ minLength: 2, maxLength: 45, pattern: "^[0-9A-Fa-f:.]+$" });
const NetworkName = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: "^[^/\\u0000-\\u001f\\u007f]+$",
  description: "the network the target is on",
});
const ForwardId = Type.String({ minLength: 1, maxLength: 64, pattern: "^[0-9A-Za-z-]+$" });

/** Fields of a new port forward. */
export const NewPortForward = closed({
  network: NetworkName,
  protocol: oneOf(FORWARD_PROTOCOLS),
  hostPort: port("port of the host, or the first of a range", withLast("hostPortEnd")),
  hostPortEnd: Type.Optional(port("last of a range")),
  hostAddress: Type.Optional({ ...Ip, description: "one address of the host; left out: every one" }),
  vmId: Type.Optional({ ...VmId, description: "the target: its address is followed" }),
  mac: Type.Optional(
    Type.String({
      pattern: "^[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}$",
      maxLength: 17,
      description: "which of the VM's cards, where it has several on the network",
    }),
  ),
  address: Type.Optional({
    ...Ip,
    description: "the target: a fixed address of the network, instead of a VM",
  }),
  targetPort: Type.Optional(port("first port of the target; left out: the same as the host's")),
  description: Type.Optional(Type.String({ maxLength: 200 })),
  enabled: Type.Optional(Type.Boolean({ default: true })),
  keepAddress: Type.Optional(
    Type.Boolean({ default: false, description: "makes the VM's present address a static lease" }),
  ),
});
export type NewPortForward = Static<typeof NewPortForward>;

export const PortForward = Type.Object({
  id: Type.String(),
  network: Type.String(),
  protocol: oneOf(FORWARD_PROTOCOLS),
  hostAddress: Type.Optional(Type.String({ description: "absent: every address of the host" })),
  hostPort: Type.Integer(),
  hostPortEnd: Type.Integer({ description: "the same as hostPort for a single one" }),
  targetPort: Type.Integer(),
  targetPortEnd: Type.Integer(),
  vmId: Type.Optional(Type.String()),
  vmName: Type.Optional(Type.String({ description: "as it is called now, or was called last" })),
  mac: Type.Optional(Type.String()),
  address: Type.Optional(
    Type.String({ description: "the fixed address; with vmId, of that VM: it holds while the VM has it" }),
  ),
  description: Type.Optional(Type.String()),
  enabled: Type.Boolean(),
  state: oneOf(FORWARD_STATES),
  reason: Type.Optional(SentenceText({ description: "why it is not active" })),
  targetAddress: Type.Optional(Type.String({ description: "where it leads now" })),
  createdAt: Timestamp,
});
export type PortForward = Static<typeof PortForward>;

/** Whether this host can forward ports. */
export const PortForwarding = Type.Object({
  available: Type.Boolean(),
  reason: Type.Optional(SentenceText({ description: "why not, and what to do" })),
});
export type PortForwarding = Static<typeof PortForwarding>;

export const forwardCommands = {
  list_port_forwards: command({
    summary: "List port forwards",
    role: "viewer",
    input: closed({ network: Type.Optional(NetworkName), vmId: Type.Optional(VmId) }),
    output: Type.Array(PortForward),
    errors: [],
    route: "GET /port-forwards",
    cli: ["forward", "list"],
    lookup: { fields: ["id"], by: "id", more: "network", missing: "PortForwardNotFound" },
    columns: [
      "id",
      "network",
      "protocol",
      "hostPort",
      "hostPortEnd",
      "vmName",
      "targetAddress",
      "targetPort",
      "state",
    ],
    wide: ["hostAddress", "description", "createdAt"],
    readOnly: true,
  }),
  get_port_forwarding: command({
    summary: "Say whether this host can forward ports",
    role: "viewer",
    input: closed({}),
    output: PortForwarding,
    errors: [],
    route: "GET /port-forwarding",
    cli: ["forward", "status"],
    readOnly: true,
    withoutLibvirt: true,
  }),
  add_port_forward: command({
    summary: "Forward a port of the host, or a range, to a VM on a NAT network",
    description: "The target is a VM, whose address is followed, or a fixed address of the network. " +
      "It stays over restarts of the host, of libvirt and of the network.",
    role: "operator",
    input: NewPortForward,
    output: PortForward,
    errors: [
      "NetworkNotFound",
      "NetworkNotForwardable",
      "VmNotFound",
      "VmNotOnNetwork",
      "InvalidPort",
      "InvalidPortRange",
      "AddressOutsideSubnet",
      "HostAddressNotFound",
      "PortInUse",
      "PortForwardExists",
      "StaticLeaseTaken",
      "NetworkMismatch",
      "NetworkUpdateFailed",
      "PortForwardingUnavailable",
      "PortForwardFailed",
      "StoreUnavailable",
    ],
    route: "POST /networks/{network}/port-forwards",
    makesAt: "/port-forwards/{id}",
    cli: ["forward", "add", "<network>", "<protocol>", "<hostPort>"],
    examples: [
      "kvm-manager forward add web1:80 8080",
      "kvm-manager forward add dns1:53 53/udp",
      "kvm-manager forward add default tcp 8080 --vm-id web1 --target-port 80",
    ],
    exampleFields: ["vmId", "targetPort"],
    readOnly: false,
  }),
  enable_port_forward: command({
    summary: "Switch a port forward on or off",
    role: "operator",
    input: closed({ id: ForwardId, enabled: Type.Boolean() }),
    output: PortForward,
    errors: [
      "PortForwardNotFound",
      "PortInUse",
      "PortForwardExists",
      "PortForwardingUnavailable",
      "PortForwardFailed",
      "StoreUnavailable",
    ],
    route: "PUT /port-forwards/{id}/enabled",
    cli: ["forward", "enable", "<id>", "<enabled>"],
    readOnly: false,
  }),
  remove_port_forward: command({
    summary: "Remove a port forward",
    description: "New connections are no longer forwarded; those that are open already go on until they end.",
    role: "operator",
    input: closed({ id: ForwardId }),
    output: NOTHING_OUT,
    errors: ["PortForwardNotFound", "PortForwardFailed", "StoreUnavailable"],
    route: "DELETE /port-forwards/{id}",
    cli: ["forward", "remove", "<id>"],
    readOnly: false,
  }),
};
