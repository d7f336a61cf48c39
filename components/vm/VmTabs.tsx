import { t } from "../../lib/i18n/mod.ts";
import { VM_TABS } from "../../lib/vm/tabs.ts";

/** Links between a VM's pages. */
export function VmTabs({ vmId, at }: { vmId: string; at: string }) {
  return (
    <nav class="tabs" aria-label={t("vm.tabs")}>
      {VM_TABS.map(({ path, label }) => (
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
