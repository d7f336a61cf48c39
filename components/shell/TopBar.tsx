import TopTools from "../../islands/TopTools.tsx";
import { oneLine } from "../../lib/text/text.ts";
import type { AlertSummary, HostStatus, Job } from "../../lib/contract/mod.ts";
import { t } from "../../lib/i18n/mod.ts";
import type { PageState } from "../../lib/page_state.ts";
import type { Crumb } from "./breadcrumbs.ts";
import { Icon } from "../kit/Icon.tsx";
import { HostMenu } from "./HostMenu.tsx";
import { UserMenu } from "./UserMenu.tsx";

/** Props of {@link TopBar}. */
export interface TopBarProps {
  state: Pick<PageState, "connection" | "theme" | "host" | "hostname" | "user" | "may">;
  hosts: readonly HostStatus[];
  crumbs: readonly Crumb[];
  libvirtVersion: string;
  /** Firing alerts; null while unknown. */
  alerts: AlertSummary | null;
  /** Long work under way. */
  jobs: readonly Job[];
}

/** The top bar: breadcrumbs, the command palette, the state of libvirt's connection, and the theme. */
export function TopBar({ state, hosts, crumbs, libvirtVersion, alerts, jobs }: TopBarProps) {
  return (
    <header class="top">
      <button type="button" class="icon-button top-menu" popovertarget="sidebar" aria-label={t("nav.open")}>
        <Icon name="menu" />
      </button>
      <nav class="crumbs" aria-label={t("nav.crumbs")}>
        <ol>
          <li class="crumb-host">
            <a href="/">
              <bdi>{oneLine(state.hostname, 40)}</bdi>
            </a>
          </li>
          {crumbs.map(({ label, href }, index) => (
            <li key={href}>
              <a href={href} aria-current={index === crumbs.length - 1 ? "page" : undefined}>
                <bdi>{label}</bdi>
              </a>
            </li>
          ))}
        </ol>
      </nav>
      <TopTools
        connection={state.connection}
        libvirtVersion={libvirtVersion}
        theme={state.theme}
        alerts={alerts}
        jobs={jobs}
        rights={{
          administrator: state.user?.administrator === true,
          maySignOut: state.user?.hasAccount === true,
          networks: state.may("get_networks"),
          pools: state.may("get_storage_pools"),
          images: state.may("list_images"),
        }}
      />
      <HostMenu hosts={hosts} current={state.host} />
      {state.user && <UserMenu user={state.user} />}
    </header>
  );
}
