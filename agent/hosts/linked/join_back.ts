/** The second half of a link that goes both ways: the one that was invited has sent an invitation of its own. */
import { settlingPrincipal } from "../../access.ts";
import type { Dispatch } from "../../dispatch.ts";
import { log } from "../../log.ts";
import type { ListedHosts } from "../statuses.ts";
import type { PeerRecord } from "./peer_records.ts";

/** A name for a host that no other one has here: its own as far as it may be, with a number where that is taken. */
export function freeHostName(hostname: string, isTaken: (name: string) => boolean): string {
  const name = hostname.toLowerCase().replace(/[^a-z0-9.-]+/g, "-").replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, "")
    .slice(0, 36);
  const first = name === "" ? "host" : name.replace(/[^a-z0-9]+$/, "");
  for (let number = 2, each = first;; number++) {
    if (!isTaken(each)) return each;
    each = `${first}-${number}`;
  }
}

/** Joins the host of a KVM Manager that was let in, as the one who invited it. What fails is in the log and the audit. */
export async function joinBack(
  { hosts, hostRecords, dispatch }: Pick<ListedHosts, "hosts" | "hostRecords"> & {
    readonly dispatch: Dispatch;
  },
  { name: hostname, invitedBy }: PeerRecord,
  invitation: string,
): Promise<void> {
  const name = freeHostName(hostname, (each) => (hosts.named(each) ?? hostRecords.get(each)) !== undefined);
  try {
    await dispatch("join_host", { name, invitation }, settlingPrincipal(invitedBy));
  } catch (error) {
    log.warn("a host could not be linked both ways", { host: name, error });
  }
}
