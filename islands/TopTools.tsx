import { useEffect } from "preact/hooks";
import { AlertsButton } from "../components/shell/AlertsButton.tsx";
import { CommandPalette } from "../components/shell/CommandPalette.tsx";
import { ConnectionPill } from "../components/shell/ConnectionPill.tsx";
import type { PaletteRights } from "../components/shell/PaletteDialog.tsx";
import { TasksButton } from "../components/shell/TasksButton.tsx";
import { ThemeSwitch } from "../components/shell/ThemeSwitch.tsx";
import { showCurrentTab } from "../lib/client/tabs.ts";
import type { AlertSummary, ConnectionStatus, Job } from "../lib/contract/mod.ts";
import type { Theme } from "../lib/page_state.ts";

/** Props of {@link TopTools}. */
export interface TopToolsProps {
  connection: ConnectionStatus;
  /** Empty while unknown. */
  libvirtVersion: string;
  theme: Theme;
  /** Firing alerts; null while unknown. */
  alerts: AlertSummary | null;
  /** Long work under way. */
  jobs: readonly Job[];
  /** Rights of the user that the command palette needs. */
  rights: PaletteRights;
}

/** The right half of the top bar. One island: it is on every page, and one module loads faster than three. */
export default function TopTools({ connection, libvirtVersion, theme, alerts, jobs, rights }: TopToolsProps) {
  useEffect(showCurrentTab, []);
  return (
    <>
      <CommandPalette rights={rights} />
      <ConnectionPill connection={connection} libvirtVersion={libvirtVersion} />
      <AlertsButton alerts={alerts} />
      <TasksButton open={jobs} />
      <ThemeSwitch theme={theme} />
    </>
  );
}
