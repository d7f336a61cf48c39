/** Status of a host's connection → its word. */
import type { HostStatus } from "../contract/hosts.ts";
import type { hosts } from "../i18n/en/hosts.ts";
import type { PlainKeyOf } from "../i18n/mod.ts";

export const HOST_STATES: Readonly<Record<HostStatus["status"], PlainKeyOf<typeof hosts>>> = {
  connected: "hosts.connected",
  connecting: "hosts.connecting",
  disconnected: "hosts.disconnected",
  disabled: "hosts.disabled",
};

/** The hosts that are not disabled. */
export const enabledHosts = (hosts: readonly HostStatus[]): HostStatus[] =>
  hosts.filter(({ status }) => status !== "disabled");
