import { type PlainKey, t } from "../lib/i18n/mod.ts";

/** The pages of a machine: one line a tab. */
const TABS: readonly { path: string; label: PlainKey }[] = [
  { path: "", label: "vm.tab_overview" },
  { path: "/console", label: "vm.tab_console" },
  { path: "/serial", label: "vm.tab_serial" },
  { path: "/hardware", label: "vm.tab_hardware" },
  { path: "/disks", label: "vm.tab_disks" },
  { path: "/network", label: "vm.tab_network" },
  { path: "/cloud-init", label: "vm.tab_cloud_init" },
  { path: "/xml", label: "vm.tab_xml" },
];

/** Links between a machine's pages. */
export function VmTabs({ vmId, at }: { vmId: string; at: string }) {
  return (
    <nav class="tabs" aria-label={t("vm.tabs")}>
      {TABS.map(({ path, label }) => (
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
