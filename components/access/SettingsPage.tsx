import type { ComponentChildren } from "preact";
import { Head } from "fresh/runtime";
import type { Failure } from "../../lib/format/failure.ts";
import { SETTINGS_TABS } from "../../lib/format/settings_tabs.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { crumbs } from "../../lib/i18n/en/crumbs.ts";
import { type PlainKeyOf, t, textsOf } from "../../lib/i18n/mod.ts";
import type { PageUser } from "../../lib/page_state.ts";
import { FailureText } from "../FailureText.tsx";
import { Icon } from "../Icon.tsx";

const texts = textsOf(crumbs);
const own = textsOf(access);

/** What forms did, by the word in `?done=`: a text of ours, whatever the address says. */
const DONE: Readonly<Record<string, PlainKeyOf<typeof access>>> = {
  saved: "access.done_saved",
  password: "access.done_password",
  totp_off: "access.done_totp_off",
  passkey: "access.done_passkey",
  passkey_renamed: "access.done_passkey_renamed",
  passkey_removed: "access.done_passkey_removed",
  revoked: "access.done_revoked",
  user: "access.done_user",
  deleted: "access.done_deleted",
};

/** Props of {@link SettingsPage}. */
export interface SettingsPageProps {
  /** Address of the tab. */
  at: string;
  user: PageUser | null;
  title?: string;
  url: URL;
  failure?: Failure | null;
  children: ComponentChildren;
}

/** The frame of every page of the settings: its tabs, what a form did, what went wrong. */
export function SettingsPage({ at, user, title, url, failure, children }: SettingsPageProps) {
  const tabs = SETTINGS_TABS.filter(({ administrator }) => !administrator || user?.administrator);
  const here = texts.t(SETTINGS_TABS.find(({ href }) => href === at)!.label);
  const done = url.searchParams.get("done") ?? "";
  return (
    <>
      <Head>
        <title>{t("title.page", { page: title ?? here })}</title>
      </Head>
      <header class="page-head">
        <h1>{title ?? here}</h1>
      </header>
      <nav class="tabs" aria-label={t("nav.settings")}>
        {tabs.map(({ href, label }) => (
          <a key={href} class="tab" href={href} aria-current={href === at ? "page" : undefined}>
            {texts.t(label)}
          </a>
        ))}
      </nav>
      {failure && (
        <div class="banner inset" data-tone="bad" role="alert">
          <Icon name="circleAlert" />
          <div>
            <FailureText failure={failure} />
          </div>
        </div>
      )}
      {!failure && Object.hasOwn(DONE, done) && (
        <p class="banner inset" data-tone="ok" role="status">
          <Icon name="check" />
          <span>{own.t(DONE[done]!)}</span>
        </p>
      )}
      <div class="settings-page">{children}</div>
    </>
  );
}
