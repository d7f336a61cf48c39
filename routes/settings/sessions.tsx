import { page } from "fresh";
import { RowButton } from "../../components/kit/RowButton.tsx";
import { DataTable } from "../../components/kit/DataTable.tsx";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { RelativeTime } from "../../components/kit/RelativeTime.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { browserName } from "../../lib/access/browser_name.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { fail } from "../(_shared)/fail.ts";

const { t } = textsOf(access);
const AT = "/settings/sessions";

export const handler = define.handlers({
  async GET({ state, url }) {
    const all = state.user?.administrator === true && url.searchParams.has("all");
    const own = state.user?.hasAccount || all || state.user?.administrator;
    return page({
      all,
      now: Date.now(),
      sessions: own ? await state.api.listSessions({ all }).catch(fail) : [],
    });
  },
});

/** A browser as people call it, or as it calls itself. */
function clientText(client: string): string {
  const known = browserName(client);
  if (known === undefined) return oneLine(client, 48) || "–";
  const { browser, system } = known;
  return system === undefined ? browser : t("access.browser_on", { browser, system });
}

/** Page of a user's own sessions; for administrators, of the sessions of all users. */
export default define.page<typeof handler>(function Sessions({ data: { all, now, sessions }, state }) {
  return (
    <SettingsPage at={AT} user={state.user}>
      <Panel
        title={t("access.sessions")}
        aside={state.user?.administrator && (
          <a href={all ? AT : `${AT}?all`}>{all ? t("access.sessions_own") : t("access.sessions_all")}</a>
        )}
      >
        <p class="text-muted">{t("access.sessions_what")}</p>
        <DataTable
          label={t("access.sessions")}
          rows={sessions}
          keyOf={({ id }) => id}
          columns={[
            { title: t("access.owner"), cell: ({ userName }) => userName },
            {
              title: t("access.session_client"),
              cell: ({ client, current }) => (
                <>
                  <span title={oneLine(client)}>{clientText(client)}</span>{" "}
                  {current && <small>({t("access.session_this")})</small>}
                </>
              ),
            },
            { title: t("access.session_from"), cell: ({ address }) => address },
            {
              title: t("access.session_since"),
              cell: ({ createdAt }) => <RelativeTime at={createdAt} now={now} />,
            },
            {
              title: t("access.last_used"),
              cell: ({ lastUsedAt }) => <RelativeTime at={lastUsedAt} now={now} />,
            },
            { title: t("access.session_ends"), cell: ({ endsAt }) => formatMoment(endsAt) },
            {
              title: t("access.actions"),
              kind: "actions",
              cell: ({ id, userName, address, createdAt }) => (
                <RowButton
                  action={formHref("revoke_session", { sessionId: id }, AT)}
                  text={t("access.revoke")}
                  label={t("access.revoke_named", {
                    name: `${userName}, ${address}, ${formatMoment(createdAt)}`,
                  })}
                />
              ),
            },
          ]}
        />
      </Panel>
    </SettingsPage>
  );
});
