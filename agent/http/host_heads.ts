/** Heads of lists of all hosts: which hosts they have nothing of, and which they have as they were. */
import { type Command, type CommandName, COMMANDS } from "../../lib/contract/mod.ts";
import { STALE_HOSTS_HEADER, type StaleHost, staleHostsText } from "../../lib/rest/stale_hosts.ts";
import { seesHost } from "../../lib/access/viewer.ts";
import { type AccessWorld, viewerOf } from "../access/authorise.ts";
import type { Principal } from "../access.ts";

/** States of the hosts. */
export interface HostStates {
  readonly places: Pick<AccessWorld, "vm" | "vmsOn">;
  /** Ids of hosts that were not read yet. */
  readonly missingHosts?: () => readonly string[];
  /** Hosts that do not answer, and were read before. */
  readonly staleHosts?: () => readonly StaleHost[];
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export const MISSING_HOSTS_HEADER = "x-missing-hosts";

/** The heads of an answer. @param host the one that it is of, where one was named */
export function hostHeads(
  { places, missingHosts = () => [], staleHosts = () => [], now }: HostStates,
  name: CommandName,
  host: unknown,
  principal: Principal,
): Record<string, string> {
  const { ofAllHosts }: Command = COMMANDS[name];
  if (!ofAllHosts) return {};
  const viewer = viewerOf(principal, places);
  const missing = host === undefined ? missingHosts().filter((each) => seesHost(viewer, each)) : [];
  const stale = staleHosts().filter(({ id }) => (host === undefined || host === id) && seesHost(viewer, id));
  return {
    ...(missing.length > 0 && { [MISSING_HOSTS_HEADER]: missing.join(", ") }),
    ...(stale.length > 0 && { [STALE_HOSTS_HEADER]: staleHostsText(stale, now()) }),
  };
}
