/** The hosts beside the local one. */
import { LOCAL_HOST } from "../../../lib/contract/local_host.ts";
import { DAY_MS } from "../../../lib/duration.ts";
import { HostRecords } from "../../hosts/records.ts";
import type { Store } from "../../store/store.ts";
import { DEMO_HOSTS, uriOf } from "../world/hosts.ts";

/** @param now milliseconds since 1970 */
export function seedHosts(store: Store, now: number): void {
  const records = new HostRecords(store);
  for (const host of DEMO_HOSTS) {
    if (host.id === LOCAL_HOST) continue;
    const { id, label, addedDaysAgo } = host;
    records.put({ id, label, uri: uriOf(host), added: now - addedDaysAgo * DAY_MS, isEnabled: true });
  }
}
