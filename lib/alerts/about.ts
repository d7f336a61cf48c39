/** What an incident is about, in a word: apart, because browsers need nothing else of alerts. Pure. */
import type { AlertIncident } from "../contract/mod.ts";
import { LOCAL_HOST } from "../contract/local_host.ts";
import { oneLine } from "../text/text.ts";

/** Longest name in a sentence. */
const LONGEST = 64;

/** What an incident is about: a VM, or a host. */
export function aboutWord({ vmName, vmId, host }: Pick<AlertIncident, "vmName" | "vmId" | "host">): string {
  const name = vmName ?? vmId;
  if (name !== undefined) return oneLine(name, LONGEST);
  return host === LOCAL_HOST ? "This host" : `Host ${oneLine(host, LONGEST)}`;
}
