import { live } from "../lib/client/live.ts";
import type { VmCounts } from "../lib/host/vm_counts.ts";
import { number, plural } from "../lib/i18n/mod.ts";

/** How many VMs there are, in the sidebar. */
export default function NavCount({ counts }: { counts: VmCounts }) {
  const { total, active } = live.counts.value ?? counts;
  return (
    <span class="nav-count" title={plural("vms.running_of", active, { total: number(total) })}>
      {number(total)}
    </span>
  );
}
