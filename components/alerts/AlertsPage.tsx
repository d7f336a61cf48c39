import type { ComponentChildren } from "preact";
import { Head } from "fresh/runtime";
import { alerts as texts } from "../../lib/i18n/en/alerts.ts";
import { type PlainKeyOf, t as common, textsOf } from "../../lib/i18n/mod.ts";

const { t } = textsOf(texts);

/** The pages on alerts. */
const TABS: readonly { href: string; label: PlainKeyOf<typeof texts> }[] = [
  { href: "/alerts", label: "alerts.open" },
  { href: "/alerts/rules", label: "alerts.rules" },
  { href: "/alerts/history", label: "alerts.history" },
  { href: "/alerts/silences", label: "alerts.silences" },
];

/** Props of {@link AlertsPage}. */
export interface AlertsPageProps {
  /** The address of its tab. */
  at: string;
  /** Whether they may make alerts. */
  mayCreate: boolean;
  /** Whether they may say who is notified. */
  maySetTargets: boolean;
  children: ComponentChildren;
}

/** The frame of every page on alerts. */
export function AlertsPage({ at, mayCreate, maySetTargets, children }: AlertsPageProps) {
  const label = TABS.find(({ href }) => href === at)?.label;
  const title = label === undefined || at === "/alerts" ? common("nav.alerts") : t(label);
  return (
    <>
      <Head>
        <title>{common("title.page", { page: title })}</title>
      </Head>
      <header class="page-head">
        <h1>{common("nav.alerts")}</h1>
        <span class="actions">
          {maySetTargets && <a class="button" href="/settings/alert-targets">{t("alerts.targets")}</a>}
          {mayCreate && <a class="button primary" href="/alerts/new">{t("alerts.create")}</a>}
        </span>
      </header>
      <nav class="tabs" aria-label={t("alerts.tabs")}>
        {TABS.map(({ href, label }) => (
          <a key={href} class="tab" href={href} aria-current={href === at ? "page" : undefined}>{t(label)}</a>
        ))}
      </nav>
      {children}
    </>
  );
}
