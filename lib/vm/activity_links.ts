/** Decides which entries of the activity link to their VMs. */
import type { Activity } from "../contract/mod.ts";

/** Entries without the ids of VMs that are gone, or that who looks may not see: a link to those is refused. */
export function withLinks(entries: readonly Activity[], vms: readonly { readonly id: string }[]): Activity[] {
  const there = new Set(vms.map(({ id }) => id));
  return entries.map(({ vmId, ...entry }) =>
    vmId !== undefined && there.has(vmId) ? { vmId, ...entry } : entry
  );
}
