/** The further hosts of the demo. */
import { LOCAL_HOST } from "../../../lib/contract/local_host.ts";
import { DAY_MS } from "../../../lib/duration.ts";
import { HostRecords } from "../../hosts/records.ts";
import type { Seeding } from "./moment.ts";
import { DEMO_HOSTS, uriOf } from "../world/hosts.ts";

/** Writes them. */
export function seedHosts({ store, now }: Seeding): void {
  const records = new HostRecords(store);
  for (const host of DEMO_HOSTS) {
    if (host.id === LOCAL_HOST) continue;
    const { id, label, addedDaysAgo } = host;
    records.put({ id, label, uri: uriOf(host), added: now - addedDaysAgo * DAY_MS, isEnabled: true });
  }
}
