import type { Offers } from "../../lib/access/looking.ts";
import { mayOpen } from "../../lib/access/offers.ts";
import { t } from "../../lib/i18n/mod.ts";
import { VM_TABS } from "../../lib/vm/tabs.ts";

/** Links between a VM's pages. */
export function VmTabs({ vmId, at, offers }: { vmId: string; at: string; offers: Offers | null }) {
  return (
    <nav class="tabs" aria-label={t("vm.tabs")}>
      {VM_TABS.filter(({ path }) =>
        offers === null || mayOpen(offers, `/vms/${encodeURIComponent(vmId)}${path}`)
      ).map(({ path, label }) => (
        <a
          key={path}
          class="tab"
          href={`/vms/${encodeURIComponent(vmId)}${path}`}
          aria-current={path === at ? "page" : undefined}
        >
          {t(label)}
        </a>
      ))}
    </nav>
  );
}
