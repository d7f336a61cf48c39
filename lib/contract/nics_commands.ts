/** Every command that adds, changes or removes a network card or share of a VM. */
import Type from "typebox";
import { type ExtraPermission, HOST_NETWORK } from "./access_rules.ts";
import { MAX_SHARE_TAG, NIC_MODELS, SHARE_DRIVERS, SHARE_TAG, USER_BACKENDS } from "./choices.ts";
import { command } from "./command.ts";
import { ConfigFinding } from "./create.ts";
import { NicLimits } from "./device_limits.ts";
import { CLEARABLE, closed, oneOf, SentenceText, VmId } from "./schema.ts";
import { DeviceApplied, LiveAndPersistent } from "./devices.ts";
import { LibvirtName } from "./devices_commands.ts";

/** A card on no libvirt network. */
const HOST_CARD: ExtraPermission = { permission: HOST_NETWORK, fields: ["bridge", "direct", "user"] };
const ShareTag = Type.String({
  minLength: 1,
  maxLength: MAX_SHARE_TAG,
  pattern: SHARE_TAG,
  description:
    "what the guest mounts it by: letters, digits, dash and underscore; else made of the folder's name",
});
/** A network card, by its VM and MAC address. */
const OneNic = {
  vmId: VmId,
  mac: Type.String({
    minLength: 17,
    maxLength: 80,
    description: "52:54:00:…; of cards with one address, 52:54:00:…@0000:01:00.0, as the refusal names them",
  }),
};
const FilterAddresses = Type.Array(
  Type.String({ minLength: 2, maxLength: 45, pattern: "^[0-9A-Fa-f:.]+$" }),
  { maxItems: 32, uniqueItems: true, description: "the filter's parameters IP and IPV6" },
);
/** Name of a network interface: safe in a file name and as a device of the host. */
const InterfaceName = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: "^[^/\\u0000-\\u001f\\u007f]+$",
});
const Plug = {
  network: Type.Optional(LibvirtName),
  bridge: Type.Optional(InterfaceName),
  direct: Type.Optional(InterfaceName),
  user: Type.Optional(oneOf(USER_BACKENDS, {
    description: "no network at all: a process forwards what the guest sends. passt: libvirt 9.0 and later",
  })),
};
const Mac = Type.String({ minLength: 17, maxLength: 17, description: "52:54:00:…" });
export const nicCommands = {
  attach_nic: command({
    summary: "Add a network interface to a VM",
    description: "Plugged into a libvirt network, a bridge of the host, or a device of the host (macvtap).",
    role: "operator",
    input: closed({
      vmId: VmId,
      ...Plug,
      model: Type.Optional(oneOf(NIC_MODELS)),
      mac: Type.Optional(Mac),
      filter: Type.Optional(LibvirtName),
      filterAddresses: Type.Optional(FilterAddresses),
      linkUp: Type.Optional(Type.Boolean({ default: true })),
      ...NicLimits,
      ...LiveAndPersistent,
    }),
    output: Type.Object({ ...DeviceApplied.properties, mac: Type.String() }),
    errors: [
      "VmNotFound",
      "HasSavedMemory",
      "VmNotRunning",
      "VmNotPersistent",
      "NetworkNotFound",
      "NetworkNotActive",
      "BridgeNotFound",
      "HostInterfaceNotFound",
      "FilterNotFound",
      "NotOnThisHost",
      "InvalidMac",
      "MacInUse",
      "LimitsNotSupported",
      "NoFreeSlot",
      "AttachFailed",
    ],
    route: "POST /vms/{vmId}/nics",
    cli: ["vm", "attach-nic", "<vmId>"],
    exampleFields: ["network", "mac"],
    alsoNeeds: [{ permission: "networks.view" }, HOST_CARD],
    mark: "change",
    readOnly: false,
  }),
  detach_nic: command({
    summary: "Take a network interface away from a VM",
    description: "A running guest must release it; one that does not leaves everything as it was.",
    role: "operator",
    input: closed({ ...OneNic, ...LiveAndPersistent }),
    output: DeviceApplied,
    errors: [
      "VmNotFound",
      "HasSavedMemory",
      "VmNotRunning",
      "VmNotPersistent",
      "NoSuchNic",
      "NicAmbiguous",
      "DeviceNotReleased",
      "DetachFailed",
    ],
    route: "DELETE /vms/{vmId}/nics/{mac}",
    cli: ["vm", "detach-nic", "<vmId>", "<mac>"],
    alsoNeeds: [{ permission: HOST_NETWORK, of: "filtered-nic" }],
    mark: "change",
    readOnly: false,
  }),
  update_nic: command({
    summary: "Change a VM's network interface",
    description:
      "Where it is plugged in, its cable, its filter and its limits change at once where libvirt can; model and MAC " +
      "address from the next start on. What is not named stays; a limit of 0 takes its bursts with it.",
    role: "operator",
    input: closed({
      ...OneNic,
      ...Plug,
      linkUp: Type.Optional(Type.Boolean()),
      filter: Type.Optional(Type.String({
        maxLength: 255,
        pattern: "^[^/\\u0000-\\u001f\\u007f]*$",
        description: "empty for none",
        ...CLEARABLE,
      })),
      filterAddresses: Type.Optional(FilterAddresses),
      model: Type.Optional(oneOf(NIC_MODELS)),
      newMac: Type.Optional(Mac),
      ...NicLimits,
    }),
    output: Type.Object({
      ...DeviceApplied.properties,
      warnings: Type.Optional(
        Type.Array(ConfigFinding, {
          description: "what stays with the MAC address before, where something does",
        }),
      ),
    }),
    errors: [
      "VmNotFound",
      "HasSavedMemory",
      "VmNotPersistent",
      "NoSuchNic",
      "NicAmbiguous",
      "NetworkNotFound",
      "NetworkNotActive",
      "BridgeNotFound",
      "HostInterfaceNotFound",
      "FilterNotFound",
      "NotOnThisHost",
      "InvalidMac",
      "MacInUse",
      "LimitsNotSupported",
      "UpdateFailed",
    ],
    route: "PATCH /vms/{vmId}/nics/{mac}",
    cli: ["vm", "update-nic", "<vmId>", "<mac>"],
    examples: [
      "kvm-manager vm update-nic web1 52:54:00:12:34:56 --inbound-average 100Mbit --outbound-average 20Mbit",
    ],
    exampleFields: ["network"],
    alsoNeeds: [{ permission: "networks.view", fields: ["network", "bridge", "direct"] }, HOST_CARD],
    mark: "change",
    readOnly: false,
  }),
  attach_share: command({
    summary: "Share a folder of the host with a VM",
    description:
      "Root of the guest is root of the host in that folder, so it is for administrators on everything. By virtiofs; a " +
      "read-only one by 9p, from the next start on, with the rights of QEMU's user. virtiofs takes shared memory, which is " +
      "switched on with the first share: a running VM without it has the share at its next start. The state of a share " +
      "cannot be saved: while there is one, a running VM cannot be suspended, migrated, or have its memory in a snapshot.",
    role: "administrator",
    input: closed({
      vmId: VmId,
      folder: Type.String({ maxLength: 4096, description: "absolute path on the host" }),
      tag: Type.Optional(ShareTag),
      readOnly: Type.Optional(Type.Boolean({ default: false, description: "the guest can only read it" })),
      ...LiveAndPersistent,
    }),
    output: Type.Object({
      ...DeviceApplied.properties,
      tag: Type.String(),
      folder: Type.String({ description: "without symbolic links" }),
      driver: oneOf(SHARE_DRIVERS),
      notes: Type.Array(SentenceText(), { description: "what a person should know, one sentence each" }),
    }),
    errors: [
      "VmNotFound",
      "VmNotRunning",
      "VmNotPersistent",
      "PathRefused",
      "ShareExists",
      "ShareNeedsRestart",
      "ShareWhileSaved",
      "NotOnThisHost",
      "NoFreeSlot",
      "AttachFailed",
    ],
    route: "POST /vms/{vmId}/shares",
    cli: ["vm", "attach-share", "<vmId>", "<folder>"],
    examples: [
      "kvm-manager vm attach-share web1 /srv/data --tag data",
      "kvm-manager vm attach-share web1 /srv/iso --read-only",
    ],
    exampleFields: ["tag"],
    mark: "change",
    readOnly: false,
  }),
  detach_share: command({
    summary: "Stop sharing a folder of the host with a VM",
    description: "What is in the folder stays. A running guest that has it mounted loses access at once.",
    role: "operator",
    input: closed({ vmId: VmId, tag: Type.String({ minLength: 1, maxLength: 255 }), ...LiveAndPersistent }),
    output: DeviceApplied,
    errors: [
      "VmNotFound",
      "VmNotRunning",
      "VmNotPersistent",
      "NoSuchShare",
      "ShareNeedsRestart",
      "ShareWhileSaved",
      "DeviceNotReleased",
      "DetachFailed",
    ],
    route: "DELETE /vms/{vmId}/shares/{tag}",
    cli: ["vm", "detach-share", "<vmId>", "<tag>"],
    mark: "change",
    readOnly: false,
  }),
};
