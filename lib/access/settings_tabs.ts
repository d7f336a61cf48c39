/** The pages of the settings: one line a tab. */
import type { crumbs } from "../i18n/en/crumbs.ts";
import type { PlainKeyOf } from "../i18n/mod.ts";

/** A page of the settings. */
export interface SettingsTab {
  readonly href: string;
  readonly label: PlainKeyOf<typeof crumbs>;
  /** For administrators alone. */
  readonly administrator: boolean;
  /** The word before it, where a group of tabs begins. */
  readonly begins?: PlainKeyOf<typeof crumbs>;
}

export const SETTINGS_TABS: readonly SettingsTab[] = [
  {
    href: "/settings/account",
    label: "crumbs.account",
    administrator: false,
    begins: "crumbs.group_account",
  },
  { href: "/settings/tokens", label: "crumbs.tokens", administrator: false },
  { href: "/settings/sessions", label: "crumbs.sessions", administrator: false },
  { href: "/settings/users", label: "crumbs.users", administrator: true, begins: "crumbs.group_access" },
  { href: "/settings/roles", label: "crumbs.roles", administrator: true },
  { href: "/settings/mcp", label: "crumbs.mcp", administrator: true },
  { href: "/settings/audit", label: "crumbs.audit", administrator: true },
  { href: "/settings/hosts", label: "crumbs.hosts", administrator: true, begins: "crumbs.group_system" },
  { href: "/settings/placement", label: "crumbs.placement", administrator: true },
  { href: "/settings/metrics", label: "crumbs.metrics", administrator: true },
  { href: "/settings/alert-targets", label: "crumbs.alert_targets", administrator: true },
  { href: "/settings/backup-targets", label: "crumbs.backup_targets", administrator: true },
  { href: "/settings/certificate", label: "crumbs.certificate", administrator: true },
  { href: "/settings/credentials", label: "crumbs.credentials", administrator: true },
  { href: "/settings/lock-manager", label: "crumbs.lock_manager", administrator: true },
  { href: "/settings/health", label: "crumbs.health", administrator: true },
];
