/** The pages of a VM: one line a tab, for the tab bar and for the way to a page. */
import type { PlainKey } from "../i18n/mod.ts";

/** A page of a VM. */
export interface VmTab {
  /** Below the VM's own address; empty for the VM itself. */
  readonly path: string;
  readonly label: PlainKey;
}

export const VM_TABS: readonly VmTab[] = [
  { path: "", label: "vm.tab_overview" },
  { path: "/console", label: "vm.tab_console" },
  { path: "/serial", label: "vm.tab_serial" },
  { path: "/monitoring", label: "vm.tab_monitoring" },
  { path: "/snapshots", label: "vm.tab_snapshots" },
  { path: "/backups", label: "vm.tab_backups" },
  { path: "/guest", label: "vm.tab_guest" },
  { path: "/hardware", label: "vm.tab_hardware" },
  { path: "/disks", label: "vm.tab_disks" },
  { path: "/network", label: "vm.tab_network" },
  { path: "/cloud-init", label: "vm.tab_cloud_init" },
  { path: "/xml", label: "vm.tab_xml" },
];
