import { type ComponentChildren, Fragment } from "preact";
import { Head } from "fresh/runtime";
import type { Failure } from "../../lib/text/failure.ts";
import { SETTINGS_TABS } from "../../lib/access/settings_tabs.ts";
import { crumbs } from "../../lib/i18n/en/crumbs.ts";
import { t, textsOf } from "../../lib/i18n/mod.ts";
import type { PageUser } from "../../lib/page_state.ts";
import { Flash } from "../kit/Flash.tsx";

const texts = textsOf(crumbs);

/** Props of {@link SettingsPage}. */
export interface SettingsPageProps {
  /** Address of the tab. */
  at: string;
  user: PageUser | null;
  title?: string;
  failure?: Failure | null;
  children: ComponentChildren;
}

/** The frame of every page of the settings: its tabs, what a form did, what went wrong. */
export function SettingsPage(
  { at, user, title, failure, children }: SettingsPageProps,
) {
  const tabs = SETTINGS_TABS.filter(({ administrator }) => !administrator || user?.administrator);
  const here = texts.t(SETTINGS_TABS.find(({ href }) => href === at)!.label);
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title ?? here })}</title>
      </Head>
      <header class="page-head">
        <h1>{title ?? here}</h1>
      </header>
      <nav class="tabs" aria-label={t("nav.settings")}>
        {tabs.map(({ href, label, begins }) => (
          <Fragment key={href}>
            {begins && <span class="tab-group">{texts.t(begins)}</span>}
            <a class="tab" href={href} aria-current={href === at ? "page" : undefined}>
              {texts.t(label)}
            </a>
          </Fragment>
        ))}
      </nav>
      <Flash tone="bad" failure={failure} />
      <div class="settings-page">
        {children}
      </div>
    </>
  );
}
