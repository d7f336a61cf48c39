import NavCount from "../../islands/NavCount.tsx";
import SidebarToggle from "../../islands/SidebarToggle.tsx";
import type { HostStatus } from "../../lib/contract/mod.ts";
import type { Offers } from "../../lib/access/looking.ts";
import { briefHosts } from "../../lib/host/brief.ts";
import { helpFor } from "../../lib/help/chapters.ts";
import type { VmCounts } from "../../lib/host/vm_counts.ts";
import { t } from "../../lib/i18n/mod.ts";
import { REFERENCE } from "./breadcrumbs.ts";
import { Icon } from "../kit/Icon.tsx";
import { Logo } from "./Logo.tsx";
import { SidebarHosts } from "./SidebarHosts.tsx";
import { destinationsFor, isAt } from "./navigation.ts";

/** Props of {@link Sidebar}. */
export interface SidebarProps {
  path: string;
  /** Pages and actions for the user; null: all. */
  offers: Offers | null;
  folded: boolean;
  /** Null while unknown. */
  counts: VmCounts | null;
  version: string;
  hosts: readonly HostStatus[];
  /** Id of the host whose page it is. */
  host: string;
}

/** The way around. On a narrow screen a popover that the top bar's button opens, without any script. */
export function Sidebar({ path, offers, folded, counts, version, hosts, host }: SidebarProps) {
  return (
    <nav id="sidebar" class="side" popover="auto" aria-label={t("nav.label")}>
      <a class="brand" href="/">
        <Logo />
        <span class="side-text">{t("app.name")}</span>
      </a>
      <ul class="side-list">
        {destinationsFor(offers).map((destination) => (
          <li key={destination.href}>
            <a
              class="side-link"
              href={destination.href}
              title={t(destination.label)}
              aria-current={isAt(path, destination) ? "page" : undefined}
            >
              <Icon name={destination.icon} />
              <span class="side-text">{t(destination.label)}</span>
              {destination.count && counts && <NavCount counts={counts} />}
            </a>
          </li>
        ))}
      </ul>
      <SidebarHosts hosts={briefHosts(hosts)} current={host} now={Date.now()} />
      <footer class="side-foot">
        <SidebarToggle folded={folded} />
        <a class="side-text version" href={helpFor(path)}>{t("nav.help")}</a>
        <a class="side-text version" href={REFERENCE}>{t("nav.api")}</a>
        {version !== "" && <span class="side-text version">{t("app.version", { version })}</span>}
      </footer>
    </nav>
  );
}
