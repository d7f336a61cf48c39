import { CommandPalette } from "../components/CommandPalette.tsx";
import { ConnectionPill } from "../components/ConnectionPill.tsx";
import { TasksButton } from "../components/TasksButton.tsx";
import { ThemeSwitch } from "../components/ThemeSwitch.tsx";
import type { ConnectionStatus, Job } from "../lib/contract/mod.ts";
import type { Theme } from "../lib/page_state.ts";

/** Props of {@link TopTools}. */
export interface TopToolsProps {
  connection: ConnectionStatus;
  /** Empty while unknown. */
  libvirtVersion: string;
  theme: Theme;
  /** Long work under way. */
  jobs: readonly Job[];
}

/** The right half of the top bar. One island: it is on every page, and one module loads faster than three. */
export default function TopTools({ connection, libvirtVersion, theme, jobs }: TopToolsProps) {
  return (
    <>
      <CommandPalette />
      <ConnectionPill connection={connection} libvirtVersion={libvirtVersion} />
      <TasksButton open={jobs} />
      <ThemeSwitch theme={theme} />
    </>
  );
}
