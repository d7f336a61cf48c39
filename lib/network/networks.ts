/** Modes of networks in words. */
import type { NetworkMode } from "../contract/networks.ts";
import type { networks } from "../i18n/en/networks.ts";
import type { PlainKeyOf } from "../i18n/mod.ts";

type Text = PlainKeyOf<typeof networks>;

/** Mode → its name. */
export const MODE_NAMES: Readonly<Record<NetworkMode | "other", Text>> = {
  nat: "networks.mode_nat",
  routed: "networks.mode_routed",
  isolated: "networks.mode_isolated",
  open: "networks.mode_open",
  bridge: "networks.mode_bridge",
  macvtap: "networks.mode_macvtap",
  openvswitch: "networks.mode_openvswitch",
  sriov: "networks.mode_sriov",
  other: "networks.mode_other",
};

/** Mode → what it means for VMs. */
export const MODE_MEANINGS: Readonly<Record<NetworkMode, Text>> = {
  nat: "networks.what_nat",
  routed: "networks.what_routed",
  isolated: "networks.what_isolated",
  open: "networks.what_open",
  bridge: "networks.what_bridge",
  macvtap: "networks.what_macvtap",
  openvswitch: "networks.what_openvswitch",
  sriov: "networks.what_sriov",
};
