/** The hosts as the page's events tell them. */
import { briefHosts, type HostBrief, withHeard } from "../host/brief.ts";
import { live } from "./live.ts";

/** The hosts as they are now; follows signals. @param first the hosts when the page was rendered */
export function heardHosts(first: readonly HostBrief[]): readonly HostBrief[] {
  const read = live.hosts.value, hosts = read === null ? first : briefHosts(read);
  return hosts.map((host) => withHeard(host, live.connectionOf(host.id).value, live.statsOf(host.id).value));
}
